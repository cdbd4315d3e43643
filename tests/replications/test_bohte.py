"""Bohte: recurrent spiking networks with trained time constants."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from whyspiking import registry, scoring, surrogate
from whyspiking.contract import Condition, Network, Split, Task
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.replications import bohte
from whyspiking.replications.bohte import counts, digits, pixels, simulation, task

ROOT = Path(__file__).parents[2]
CONFIG = {**yaml.safe_load((ROOT / "config" / "config.yaml").read_text()), "scale": "smoke"}
TALK = registry.load_talk("bohte")
STREAMS = Streams(0)


def params_of(experiment="ecg", seed=0, **changes):
    found = registry.params(TALK.experiments[experiment], CONFIG, seed)
    return replace(found, values={**found.values, **changes})


def task_of(params, split: Split = "test"):
    made = bohte.make_task(params, split, STREAMS)
    assert made is not None
    return made


def quiet(share, news):
    pass


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A small network after one epoch, and its parameters."""
    params = replace(params_of(epochs=1, n_test=6), work_dir=tmp_path_factory.mktemp("compiled"))
    return params, bohte.train(params, "spiking", STREAMS, {}, quiet)


@pytest.fixture(scope="module")
def test_task(trained):
    return task_of(trained[0])


# ---- neuron and gradient --------------------------------------------------------------------


def run_by_hand(drive, w_rec, alpha, rho, threshold, beta):
    """Eqs. 1 to 4 for one trial, written down step by step in double precision."""
    u, eta, s = np.zeros(drive.shape[1]), np.full(drive.shape[1], threshold), 0 * drive[0]
    spikes = []
    for now in drive:
        eta = rho * eta + (1 - rho) * s
        theta = threshold + beta * eta
        u = alpha * u + (1 - alpha) * (now + s @ w_rec) - theta * s
        s = (u > theta).astype(float)
        spikes.append(s)
    return np.array(spikes)


def test_a_layer_follows_the_equations():
    import jax

    from whyspiking.replications.bohte import cells

    rng = np.random.default_rng(2)
    drive, w_rec = rng.normal(0.3, 1, (80, 5)), rng.normal(0, 0.8, (5, 5))
    alpha, rho = rng.uniform(0.7, 0.98, 5), rng.uniform(0.8, 0.99, 5)
    with jax.enable_x64(True):
        neuron = cells.Neuron(0.01, surrogate.triangle())
        course = cells.course(neuron, np.float64(1.8), drive[:, None], w_rec, alpha, rho)
        found = np.asarray(course.spikes)[:, 0]
    expected = run_by_hand(drive, w_rec, alpha, rho, 0.01, 1.8)
    assert 20 < expected.sum() < 380
    np.testing.assert_array_equal(found, expected)


def test_the_gradient_of_two_steps_is_the_one_derived_by_hand():
    """One neuron, two steps, L = S_1 + S_2, with psi(x) = 0.4 max(0, 1 - |x|).

    u_1 = (1 - a) d_1, u_2 = a u_1 + (1 - a)(d_2 + R S_1) - th_2 S_1, th_2 = b0 + beta eta_2,
    eta_1 = rho b0, eta_2 = rho eta_1 + (1 - rho) S_1. With psi_t = psi(u_t - th_t),
    dL/dS_1 = 1 + psi_2 [(1 - a) R - th_2 - beta (1 - rho)(S_1 + 1)].
    """
    import jax
    import jax.numpy as jnp

    from whyspiking.replications.bohte import cells

    a, rho, b0, beta, r = 0.8, 0.9, 0.01, 1.8, 0.7
    drive = np.array([1.1, -0.4])

    def total(drive, w_rec, alpha, rho):
        neuron = cells.Neuron(b0, surrogate.triangle())
        strength = jnp.asarray(beta)
        return cells.spikes(neuron, strength, drive[:, None, None], w_rec, alpha, rho).sum()

    with jax.enable_x64(True):
        one = jnp.ones(1)
        g_drive, g_rec, g_alpha, g_rho = jax.grad(total, argnums=(0, 1, 2, 3))(
            jnp.asarray(drive), r * jnp.ones((1, 1)), a * one, rho * one
        )
    u1, eta1 = (1 - a) * drive[0], rho * b0
    s1 = float(u1 > b0 + beta * eta1)
    assert s1 == 1
    eta2 = rho * eta1 + (1 - rho) * s1
    th2 = b0 + beta * eta2
    u2 = a * u1 + (1 - a) * (drive[1] + r * s1) - th2 * s1
    psi1, psi2 = (0.4 * max(0, 1 - abs(x)) for x in (u1 - b0 - beta * eta1, u2 - th2))
    by_s1 = 1 + psi2 * ((1 - a) * r - th2 - beta * (1 - rho) * (s1 + 1))
    by_u1 = by_s1 * psi1 + psi2 * a
    assert psi2 > 0
    np.testing.assert_allclose(g_drive, [by_u1 * (1 - a), psi2 * (1 - a)], rtol=1e-12)
    np.testing.assert_allclose(g_rec, [[psi2 * (1 - a) * s1]], rtol=1e-12)
    by_alpha = -by_u1 * drive[0] + psi2 * (u1 - drive[1] - r * s1)
    np.testing.assert_allclose(g_alpha, [by_alpha], rtol=1e-12)
    by_eta1 = -beta * psi1 * by_s1 - psi2 * beta * rho * (1 + s1)
    by_rho = by_eta1 * b0 - psi2 * beta * (1 + s1) * (eta1 - s1)
    np.testing.assert_allclose(g_rho, [by_rho], rtol=1e-12)


def test_the_backward_pass_is_that_of_automatic_differentiation():
    """The same equations with the surrogate inside the spike, left to JAX; 60 steps."""
    import jax
    import jax.numpy as jnp

    from whyspiking.replications.bohte import cells

    stand_in = surrogate.multi_gaussian()
    neuron, beta = cells.Neuron(0.01, stand_in), 1.8
    fire = surrogate.spike(stand_in)
    rng = np.random.default_rng(4)

    def automatic(drive, w_rec, alpha, rho):
        def step(carry, now):
            u, eta, s = carry
            eta = rho * eta + (1 - rho) * s
            theta = neuron.threshold + beta * eta
            u = alpha * u + (1 - alpha) * (now + s @ w_rec) - theta * s
            s = fire(u - theta)
            return (u, eta, s), s

        rest = jnp.zeros_like(drive[0])
        return jax.lax.scan(step, (rest, rest + neuron.threshold, rest), drive)[1]

    with jax.enable_x64(True):
        out = jnp.asarray(rng.normal(size=(60, 3, 5)))
        given = (
            jnp.asarray(rng.normal(0.2, 1, (60, 3, 5))),
            jnp.asarray(rng.normal(0, 0.8, (5, 5))),
            jnp.asarray(rng.uniform(0.7, 0.98, 5)),
            jnp.asarray(rng.uniform(0.8, 0.99, 5)),
        )
        every = (0, 1, 2, 3)
        ours = jax.grad(
            lambda *a: (cells.spikes(neuron, jnp.asarray(beta), *a) * out).sum(), argnums=every
        )(*given)
        theirs = jax.grad(lambda *a: (automatic(*a) * out).sum(), argnums=every)(*given)
        for one, other in zip(ours, theirs, strict=True):
            assert float(jnp.abs(other).max()) > 0.01
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


SHAPES = [(60, 3, 5), (40, 16, 36), (20, 7, 150), (30, 9, 64)]


@pytest.mark.parametrize("beta", [0.0, 1.8])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_compiled_layer_is_the_scan(shape, beta, monkeypatch):
    """All spikes, and gradients to rounding; sizes that fill vectors and tiles and that do not."""
    import jax
    import jax.numpy as jnp

    from whyspiking.replications.bohte import cells, compiled

    rng = np.random.default_rng(5)
    n = shape[2]
    neuron = cells.Neuron(0.01, surrogate.triangle())
    out = jnp.asarray(rng.normal(size=shape), jnp.float32)
    given = [
        jnp.asarray(values, jnp.float32)
        for values in (
            rng.normal(0.05, 0.5, shape),
            rng.normal(0, 0.8 / np.sqrt(n), (n, n)),
            rng.uniform(0.7, 0.98, n),
            rng.uniform(0.8, 0.99, n),
        )
    ]
    every = (0, 1, 2, 3)

    def run():
        def weighed(*arguments):
            fired = cells.spikes(neuron, jnp.float32(beta), *arguments)
            return (fired * out).sum(), fired

        return jax.jit(jax.grad(weighed, argnums=every, has_aux=True))(*given)

    assert compiled.usable(*given)
    ours, fired = run()
    monkeypatch.setattr(compiled, "usable", lambda *arrays: False)
    theirs, expected = run()
    assert 0.02 < float(fired.mean()) < 0.6
    np.testing.assert_array_equal(fired, expected)
    for one, other in zip(ours, theirs, strict=True):
        scale = float(jnp.abs(other).max())
        np.testing.assert_allclose(one, other, atol=3e-6 * scale)
    assert all(float(jnp.abs(other).max()) > 0.01 for other in theirs[: 4 if beta else 3])


def test_without_a_compiler_the_scan_runs(monkeypatch):
    import jax.numpy as jnp

    from whyspiking import native
    from whyspiking.replications.bohte import cells, compiled

    def missing(*_):
        raise native.NoCompiler("none")

    monkeypatch.setattr(native, "load", missing)
    compiled.registered.cache_clear()
    try:
        some = jnp.full((5, 2, 3), 0.5, jnp.float32)
        assert not compiled.usable(some)
        weights, decay = jnp.zeros((3, 3)), jnp.full(3, 0.9)
        neuron = cells.Neuron(0.01, surrogate.triangle())
        assert cells.spikes(neuron, jnp.float32(0.0), some, weights, decay, decay).sum() > 0
    finally:
        compiled.registered.cache_clear()


def test_the_readout_gradient_agrees_with_finite_differences():
    """Spikes do not depend on the readout, so here the loss is smooth."""
    import jax
    import jax.numpy as jnp

    from whyspiking.replications.bohte import network

    params = params_of()
    rng = np.random.default_rng(0)
    start = network.initial(params, "alif", rng)
    batch = {
        "x": rng.random((3, 60, 4)) < 0.1,
        "labels": rng.integers(-1, 6, (3, 60)),
        "penalty": np.float64(2.0),
        "adaptation": np.float64(1.8),
    }
    loss = network.label_loss(params, "alif")
    with jax.enable_x64(True):
        arrays = {k: jnp.asarray(v, jnp.float64) for k, v in start.items()}
        gradient = jax.grad(lambda a: loss(a, batch)[0])(arrays)
        for name, index in (("w_out", (2, 1)), ("b_out", (4,)), ("log_tau_out", (3,))):
            step = 1e-5
            ends = [
                loss({**arrays, name: arrays[name].at[index].add(sign * step)}, batch)[0]
                for sign in (1, -1)
            ]
            slope = float(ends[0] - ends[1]) / (2 * step)
            assert float(gradient[name][index]) == pytest.approx(slope, rel=1e-4, abs=1e-9)


def test_gated_units_follow_their_equation():
    import jax

    from whyspiking.replications.bohte import cells

    rng = np.random.default_rng(1)
    drive, w, bias = rng.normal(size=(20, 9)), rng.normal(size=(3, 9)), rng.normal(size=9)
    with jax.enable_x64(True):
        found = np.asarray(cells.gated(drive[:, None], w, bias))[:, 0]
    h = np.zeros(3)
    for now, ours in zip(drive, found, strict=True):
        parts = h @ w + bias
        r, z = (1 / (1 + np.exp(-(now[k : k + 3] + parts[k : k + 3]))) for k in (0, 3))
        h = z * h + (1 - z) * np.tanh(now[6:] + r * parts[6:])
        np.testing.assert_allclose(ours, h, rtol=1e-10)


# ---- training -------------------------------------------------------------------------------


def test_training_moves_time_constants_and_beats_the_linear_control(tmp_path):
    """Smoke scale: above a classifier of single events, and time constants have moved."""
    params = replace(params_of(epochs=8, n_steps=600), work_dir=tmp_path)
    test = task_of(params)
    score = {}
    for variant in ("spiking", "linear"):
        made = bohte.train(params, variant, STREAMS, {}, quiet)
        score[variant] = scoring.score(bohte.evaluate(params, variant, made, test))
        if variant == "spiking":
            moved = made.arrays["log_tau_adapt_0"] - made.arrays["start_log_tau_adapt_0"]
            assert np.abs(moved).mean() > 0.05
            assert made.arrays["log_tau_mem_0"].min() >= 0
    assert score["spiking"] > score["linear"] + 0.05


def test_fixed_time_constants_stay(tmp_path):
    params = replace(params_of(epochs=1), work_dir=tmp_path)
    made = bohte.train(params, "alif_fixed", STREAMS, {}, quiet)
    for name in ("log_tau_mem_0", "log_tau_adapt_0", "log_tau_out"):
        np.testing.assert_array_equal(made.arrays[name], made.arrays[f"start_{name}"])


def test_a_price_makes_spikes_rare(tmp_path):
    params = replace(params_of("sparse", epochs=2, penalties=[0.5, 1.5, 50.0]), work_dir=tmp_path)
    rates = []
    for variant in ("spiking", "penalty_2"):
        made = bohte.train(params, variant, STREAMS, {}, quiet)
        rates.append([row["value"] for row in made.history if row["metric"] == "train_rate"][-1])
    assert rates[1] < 0.7 * rates[0]


def test_a_network_that_is_only_compared_is_handed_on(trained):
    params, network = trained
    again = bohte.train(params, "spiking", STREAMS, {"ecg/spiking": network}, quiet)
    assert again.arrays.keys() == network.arrays.keys()
    assert not again.history


def test_surrogates_are_named():
    with pytest.raises(UserError, match="'surrogate' is 'box'"):
        from whyspiking.replications.bohte import network

        network.chosen_surrogate(params_of(surrogate="box"))


# ---- task -----------------------------------------------------------------------------------


def test_validation_records_are_no_training_records():
    params = params_of()
    both = [task_of(params, "train"), task_of(params, "validation")]
    events = [task.raster(params, part) for part in both]
    sizes = [len(part) for part in events]
    assert sizes == [params.n_records - params.n_validation, params.n_validation]
    train, held_out = ({row.tobytes() for row in part} for part in events)
    assert not train & held_out


def test_rasters_and_spikes_are_the_same_events(test_task):
    found = task.raster(params_of(), test_task)
    np.testing.assert_array_equal(found, test_task.features)


def test_unlabelled_steps_count_as_published_only_where_asked():
    params = params_of(n_unscored=2)
    labels = np.array([[1, 1, 1, -1, 0]], np.int8)
    np.testing.assert_array_equal(task.scored(params, labels), [[-1, -1, 1, -1, 0]])
    np.testing.assert_array_equal(task.scored(params, labels, padded=True), [[-1, -1, 1, 0, 0]])
    made = Task(task_of(params_of()).stimulus, labels, 6)
    outputs = np.eye(6)[[[0, 0, 1, 0, 3]]]
    assert scoring.score(task.outcome(params, outputs, made)) == pytest.approx(1 / 2)
    assert task.padded_accuracy(params, outputs, made) == pytest.approx(2 / 3)


def test_missing_files_of_the_authors_are_told(tmp_path):
    params = params_of("ecg_original")
    made = bohte.train(params, "spiking", STREAMS, {}, quiet)
    assert "originals_dir is not set" in made.info["unavailable"]
    elsewhere = replace(params, originals_dir=tmp_path)
    made = bohte.train(elsewhere, "masked", STREAMS, {}, quiet)
    assert "QTDB_train.mat is not in data.originals_dir" in made.info["unavailable"]
    with pytest.raises(UserError, match="file not available"):
        bohte.make_task(params, "test", STREAMS)


def test_other_files_of_that_name_are_refused(tmp_path):
    for name in ("QTDB_train.mat", "QTDB_test.mat"):
        (tmp_path / name).write_bytes(b"something else")
    params = replace(params_of("ecg_original"), originals_dir=tmp_path)
    with pytest.raises(UserError, match=r"QTDB_train\.mat: SHA-256 is"):
        bohte.train(params, "spiking", STREAMS, {}, quiet)


# ---- spoken digits --------------------------------------------------------------------------


def test_copies_move_along_the_channels_and_lose_what_falls_off():
    x = np.zeros((1, 2, 6), bool)
    x[0, 0, [0, 2, 5]] = True
    moved, labels = digits.shifted(x, np.array([7]), [-2, 0, 1])
    assert labels.tolist() == [7, 7, 7]
    assert [np.flatnonzero(copy[0]).tolist() for copy in moved] == [[0, 3], [0, 2, 5], [1, 3]]
    assert not moved[:, 1].any()


def test_the_decision_falls_where_the_sum_names_no_other_class_any_more():
    params = params_of("spoken", n_unscored=1, step_ms=10.0)
    large = 50.0
    outputs = np.zeros((3, 5, 2))
    outputs[0, :, 0] = large  # class 0 all the time
    outputs[1, :2, 0], outputs[1, 2:, 1] = large, large  # class 1 leads from the fourth step on
    outputs[2, :, 1] = large
    outputs[2, 0] = [10 * large, 0]  # the first step does not count
    test = Task(task_of(params_of()).stimulus, np.array([0, 1, 1]), 2)
    found = digits.outcome(params, outputs, test)
    assert found.choices.tolist() == [0, 1, 1]
    # Steps 0 .. 4 end at 10 .. 50 ms; sums tie at step 2, where the first class stands.
    assert found.decision_ms.tolist() == [20.0, 40.0, 20.0]


def test_a_data_set_that_was_not_made_is_told():
    params = replace(params_of("spoken"), dataset_dir=None)
    with pytest.raises(UserError, match="no folder of spoken digits"):
        bohte.make_task(params, "test", STREAMS)


# ---- pixel by pixel ---------------------------------------------------------------------------


def draw_digits(monkeypatch, images, labels):
    def samples(params, split, *, n_held_out):
        assert params.n_input == 784 and n_held_out == params.n_validation
        return images, labels

    monkeypatch.setattr(pixels.mnist, "samples", samples)


def test_a_step_shows_the_last_pixels_read(monkeypatch):
    images = np.zeros((2, 784), np.uint8)
    images[0, [0, 5, 783]] = 255
    images[1] = 25  # fainter than a tenth
    images[1, 9] = 26
    draw_digits(monkeypatch, images, np.array([3, 4]))
    shown, labels = pixels.frames(params_of("smnist", n_steps=784, n_input=8), "train")
    assert shown.shape == (2, 784, 8) and labels.tolist() == [3, 4]
    # Pixel p is the last channel at step p, and moves down by one channel with every step.
    for p in (0, 5):
        for age in range(8):
            assert shown[0, p + age, 7 - age]
    assert shown[0].sum() == 8 + 8 + 1 and shown[0, 783, 7]
    assert shown[1].sum() == 8 and shown[1, 9, 7]


def test_the_short_form_shows_a_row_per_step(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (3, 784)).astype(np.uint8)
    draw_digits(monkeypatch, images, np.arange(3))
    shown, _ = pixels.frames(params_of("smnist"), "test")
    np.testing.assert_array_equal(shown, images.reshape(3, 28, 28) >= 25.5)


def test_permuted_pixels_are_the_same_ones_in_one_other_order(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (3, 784)).astype(np.uint8)
    draw_digits(monkeypatch, images, np.arange(3))
    plain, permuted = (pixels.frames(params_of(name), "test")[0] for name in pixels.EXPERIMENTS)
    again = pixels.frames(params_of("psmnist", seed=1), "train")[0]
    np.testing.assert_array_equal(permuted, again)
    assert (plain.reshape(3, -1).sum(axis=1) == permuted.reshape(3, -1).sum(axis=1)).all()
    # Each pixel of one order is a pixel of the other, in all digits alike.
    columns = {column.tobytes() for column in plain.reshape(3, -1).T}
    assert columns == {column.tobytes() for column in permuted.reshape(3, -1).T}
    assert (plain != permuted).any()


def test_steps_must_divide_the_pixels():
    with pytest.raises(UserError, match="'n_steps' of experiment 'smnist' is 100; it must divide"):
        pixels.frames(params_of("smnist", n_steps=100), "train")


def test_rows_of_digits_are_learned(monkeypatch, tmp_path):
    """Two digits that differ in the order of their rows only: ink per channel tells nothing."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 240)
    images = np.zeros((240, 28, 28), np.uint8)
    images[labels == 0, 4:12] = 255
    images[labels == 1, 16:24] = 255
    images[rng.random(images.shape) < 0.3] = 0
    draw_digits(monkeypatch, images.reshape(240, 784), labels)
    changes = {"n_output": 2, "n_hidden": [12, 12], "epochs": 6, "rate_alif": 0.02, "tau_out": 5.0}
    params = replace(params_of("smnist", **changes), work_dir=tmp_path)
    score = {}
    for variant in ("spiking", "counts"):
        made = bohte.train(params, variant, STREAMS, {}, quiet)
        test = bohte.make_task(params, "test", STREAMS)
        assert test is not None
        score[variant] = scoring.score(bohte.evaluate(params, variant, made, test))
    assert score["spiking"] > 0.95 > 0.75 > score["counts"]


def test_digits_pixel_by_pixel_are_left_out_at_default_scale_only():
    for experiment in pixels.EXPERIMENTS:
        described = TALK.experiments[experiment]
        for overlay, expected in (("", []), ("smoke", [0]), ("paper", [0])):
            config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
            if overlay:
                config |= yaml.safe_load((ROOT / f"config/{overlay}.yaml").read_text())
            assert registry.seeds(described, config) == expected


# ---- Brian2 ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def machine(trained):
    from whyspiking.brian import Machine

    # The build of the smoke run, if there is one.
    return Machine(bohte.to_brian(trained[0]), Path(CONFIG["build_folder"]))


def test_brian_fires_spike_for_spike_as_double_precision_does(trained, test_task, machine):
    """All spikes of six records, and outputs to rounding; adaptive and plain neurons."""
    import jax

    from whyspiking.replications.bohte import network

    params, net = trained
    for strength, cell in ((net.info["adaptation"], "alif"), (0.0, "lif")):
        own = Network(net.arrays, {**net.info, "adaptation": strength, "cell": cell})
        recording = machine.run(test_task.stimulus, bohte.bind(params, own).values)
        x = task.raster(params, test_task)
        with jax.enable_x64(True):
            (course,) = network.courses(params, cell, net.arrays, x, np.float64)
            arrays = {k: np.asarray(v, np.float64) for k, v in net.arrays.items()}
            outputs, _ = network.forward(params, cell, arrays, x.swapaxes(0, 1).astype(float))
            outputs = np.asarray(outputs).swapaxes(0, 1)
        found = simulation.raster(params, recording, 0)
        assert found.sum() > 1000
        np.testing.assert_array_equal(found, course.spikes > 0)
        np.testing.assert_allclose(simulation.outputs(params, recording), outputs, atol=1e-12)


@pytest.mark.slow
def test_two_layers_fire_spike_for_spike(tmp_path):
    """The second layer lags one step more; biases of both signs wait for it."""
    import jax

    from whyspiking.brian import Machine
    from whyspiking.replications.bohte import network

    params = replace(params_of(n_hidden=[8, 7], n_test=5, n_steps=200), work_dir=tmp_path)
    rng = np.random.default_rng(3)
    arrays = network.initial(params, "alif", rng)
    for name in ("bias_0", "bias_1", "b_out"):
        arrays[name] = rng.normal(0, 0.3, arrays[name].shape).astype(np.float32)
    starts = {f"start_{k}": v for k, v in arrays.items() if k.startswith("log_tau")}
    net = Network({**arrays, **starts}, {"cell": "alif", "adaptation": 1.8})
    test = task_of(params)
    recording = Machine(bohte.to_brian(params), tmp_path).run(
        test.stimulus, bohte.bind(params, net).values
    )
    x = task.raster(params, test)
    with jax.enable_x64(True):
        courses = network.courses(params, "alif", net.arrays, x, np.float64)
    for k, course in enumerate(courses):
        assert course.spikes.sum() > 100
        np.testing.assert_array_equal(simulation.raster(params, recording, k), course.spikes > 0)


def test_brian_labels_as_the_engine_of_training(trained, test_task, machine):
    params, net = trained
    recording = machine.run(test_task.stimulus, bohte.bind(params, net).values)
    ours = bohte.decode(params, recording, test_task)
    theirs = bohte.evaluate(params, "spiking", net, test_task)
    assert abs(scoring.score(ours) - scoring.score(theirs)) < 0.005
    counted = bohte.reference_counts(params, "spiking", net, test_task)["hidden_0"]
    simulated = recording.spikes["hidden_0"].counts()
    assert np.corrcoef(counted.sum(axis=0), simulated.sum(axis=0))[0, 1] > 0.99


def test_conditions_change_time_constants_only(trained, test_task):
    params, net = trained
    binding = bohte.bind(params, net)
    rng = np.random.default_rng(0)
    for name in (bohte.UNTRAINED, bohte.EQUAL):
        _, varied = bohte.vary(params, Condition(name, "neurons", 1.0), test_task, binding, rng)
        for key, value in binding.values.items():
            same = np.array_equal(varied.values[key], value)
            assert same is ("tau" not in key), key
        tau = np.asarray(varied.values["hidden_0.tau_adapt"])
        if name == bohte.UNTRAINED:
            np.testing.assert_allclose(tau, 0.4, rtol=1e-6)  # 100 steps of 4 ms
        else:
            assert np.ptp(tau) == 0
    assert {c.perturbation for c in bohte.conditions(params)} == {"tau_untrained", "tau_equal"}
    assert not bohte.conditions(params_of("sparse"))


# ---- energy ---------------------------------------------------------------------------------


def test_the_papers_formula_by_hand():
    """Eqs. 14 and 15 for m = 4, n = 36, k = 6, f = 0.07, F = 0.2."""
    lstm = 3.2 * (4 * (4 * 36 + 36 * 36) + 17 * 36 + 36 * 6)
    spiking = 0.1 * (144 * 0.07 + 1296 * 0.2 + 216 * 0.2) + 3.2 * 78
    found = counts.formula_ratio((4, 36, 6), 0.07, 0.2, {"mac": 3.2, "add": 0.1})
    assert found == pytest.approx(lstm / spiking)


def test_operations_of_the_gated_control(test_task):
    """3 (C N + N^2) + N K multiply-accumulates per step; a silent input costs nothing."""
    from whyspiking.replications.bohte import network

    params = params_of()
    arrays = network.initial(params, "gru", np.random.default_rng(0))
    found = counts.control_counts(params, Network(arrays, {}), test_task)
    n_steps, n = test_task.targets.shape[1], params.n_hidden[0]
    assert found["macs_dense"] == n_steps * (3 * (4 * n + n * n) + 6 * n)
    events = test_task.features.sum() / len(test_task.features)
    assert found["macs_effective"] == pytest.approx(events * 3 * n + n_steps * (3 * n * n + 6 * n))


def test_rates_count_spikes_per_neuron_and_step(trained, test_task, machine):
    params, net = trained
    recording = machine.run(test_task.stimulus, bohte.bind(params, net).values)
    input_rate, rate = counts.rates_of(params, recording, test_task)
    assert input_rate == pytest.approx(test_task.features.mean())
    assert rate == pytest.approx(simulation.raster(params, recording, 0).mean(), rel=0.02)
