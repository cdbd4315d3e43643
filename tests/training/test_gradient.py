"""Surrogate derivatives, and the loop that trains by gradients."""

import numpy as np
import pytest

from whyspiking.errors import UserError
from whyspiking.training import gradient, surrogates
from whyspiking.training.gradient import Settings

SETTINGS = Settings(
    epochs=30, batch=10, learning_rate=0.05, clip_norm=1.0, criterion="good", rates={}
)


def test_the_multi_gaussian_is_the_published_one():
    """Against densities of scipy, at the published numbers."""
    from scipy.stats import norm

    x = np.linspace(-3, 3, 41)
    middle = 1.15 * norm.pdf(x, 0, 0.5)
    flanks = 0.15 * (norm.pdf(x, 0.5, 3.0) + norm.pdf(x, -0.5, 3.0))
    np.testing.assert_allclose(
        np.asarray(surrogates.multi_gaussian()(x.astype(np.float32))),
        0.5 * (middle - flanks),
        rtol=1e-4,
        atol=1e-6,
    )


def test_a_spike_is_a_step_with_the_surrogate_as_derivative():
    import jax

    fire = surrogates.spike(surrogates.triangle())
    x = np.array([-1.5, -1.0, -0.5, 0.0, 0.25, 2.0], np.float32)
    np.testing.assert_array_equal(np.asarray(fire(x)), [0, 0, 0, 0, 1, 1])
    slopes = jax.vmap(jax.grad(fire))(x)
    np.testing.assert_allclose(np.asarray(slopes), [0, 0, 0.2, 0.4, 0.3, 0], atol=1e-7)


def line(rng, n=60):
    x = rng.normal(size=(n, 2)).astype(np.float32)
    return {"x": x, "y": x @ np.array([1.0, -2.0], np.float32)}


def squares(arrays, batch):
    error = batch["x"] @ arrays["w"] + arrays["b"] - batch["y"]
    return (error**2).mean() + batch.get("extra", 0.0) * arrays["w"][0], {}


def run(settings=SETTINGS, judge=None, data=None, loss=squares, **options):
    return gradient.fit(
        {"w": np.zeros(2, np.float32), "b": np.ones((), np.float32)},
        loss,
        data or line(np.random.default_rng(0)),
        settings,
        judge=judge or (lambda arrays: {"good": 0.0}),
        shuffle=np.random.default_rng(1),
        progress=lambda *_: None,
        **options,
    )


def test_a_line_is_found_and_the_best_epoch_kept():
    seen = []

    def judge(arrays):
        seen.append(np.asarray(arrays["w"]).copy())
        return {"good": -abs(float(arrays["w"][0]) - 0.5)}

    fitted = run(judge=judge)
    best = int(np.argmin([abs(w[0] - 0.5) for w in seen]))
    assert fitted.info["best_epoch"] == best + 1
    np.testing.assert_array_equal(fitted.arrays["w"], seen[best])
    np.testing.assert_allclose(seen[-1], [1, -2], atol=0.02)
    metrics = {row["metric"] for row in fitted.history}
    assert {"train_loss", "gradient_norm", "good", "epoch_seconds"} <= metrics


def test_what_has_rate_zero_stays():
    from dataclasses import replace

    fitted = run(replace(SETTINGS, rates={"b": 0.0}))
    assert fitted.arrays["b"] == 1
    assert abs(fitted.arrays["w"]).max() > 0.1


def test_constants_reach_the_loss_and_arrays_stay_inside():
    import jax.numpy as jnp

    assert run(constants={"extra": 100.0}).arrays["w"][0] < -0.2
    kept = run(project=lambda arrays: {k: jnp.clip(v, -0.1, 0.1) for k, v in arrays.items()})
    assert np.abs(kept.arrays["w"]).max() <= np.float32(0.1)


def test_samples_may_be_others_in_every_epoch():
    first, asked = line(np.random.default_rng(0)), []

    def of_epoch(epoch):
        asked.append(epoch)
        return first if epoch < 9 else {**first, "y": 0 * first["y"]}

    fitted = run(data=of_epoch, judge=lambda _: {"good": asked[-1]})
    assert asked == list(range(1, SETTINGS.epochs + 1))
    assert np.abs(fitted.arrays["w"]).max() < 0.5, "nearer to the second line, 0, than to (1, -2)"
    np.testing.assert_array_equal(
        run(data=lambda _: first).arrays["w"], run(data=first).arrays["w"]
    )


def test_mistakes_are_told():
    with pytest.raises(UserError, match="fewer than one batch"):
        run(data=line(np.random.default_rng(0), n=5))


def test_a_loss_that_is_not_finite_ends_the_training():
    broken = line(np.random.default_rng(0))
    broken["y"] = np.full_like(broken["y"], np.nan)
    with pytest.raises(UserError, match=r"not finite at epoch 1, step 1 \(learning rate 0.05\)"):
        run(data=broken)


def test_a_gradient_that_is_not_finite_ends_the_training_at_its_step():
    """The root's slope at 0 is infinite, where the loss itself is finite."""
    import jax.numpy as jnp

    data = line(np.random.default_rng(0))
    data["known"] = (np.arange(60) != 7).astype(np.float32)
    at = int(np.flatnonzero(np.random.default_rng(1).permutation(60) == 7)[0]) // 10 + 1

    def loss(arrays, batch):
        value, told = squares(arrays, batch)
        return value + jnp.sqrt(arrays["b"] ** 2 * batch["known"].min()), told

    with pytest.raises(UserError, match=f"the gradient of b is not finite at epoch 1, step {at} "):
        run(data=data, loss=loss)


def settings_of(**changes):
    return gradient.Settings(4, 2, 0.1, 1.0, "good", {}, **changes)


def test_the_rate_is_halved_again_and_again():
    def rate(epoch, own):
        return gradient._schedule_epoch(epoch, 4, own, np.random.default_rng(0))[1]

    halved = [rate(epoch, settings_of(halved_every=2)) for epoch in (1, 2, 3, 4, 5)]
    assert np.allclose(halved, np.array([0.1, 0.1, 0.05, 0.05, 0.025])[:, None])
    assert np.allclose(rate(3, settings_of()), [0.05, 0.05 * (1 + np.cos(np.pi * 0.625))])


@pytest.mark.parametrize(("keep_last", "kept"), [(False, 2), (True, 4)])
def test_the_last_epoch_is_kept_where_that_is_asked_for(keep_last, kept):
    scores = iter([0.1, 0.9, 0.2, 0.3])
    fitted = gradient.fit(
        {"w": np.zeros(1, np.float32)},
        lambda arrays, batch: (((arrays["w"] - batch["x"]) ** 2).mean(), {}),
        {"x": np.ones((4, 1), np.float32)},
        settings_of(keep_last=keep_last),
        judge=lambda arrays: {"good": next(scores)},
        shuffle=np.random.default_rng(0),
        progress=lambda share, news: None,
    )
    assert fitted.info["best_epoch"] == kept
