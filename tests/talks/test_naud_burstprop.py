"""The authors' rate network of the talk naud: its credit against loops, derivatives, their code."""

import numpy as np
from made.agreement import slopes
from scipy.special import expit

from whyspiking.talks.naud.rate_hierarchy import burstprop
from whyspiking.talks.naud.rate_hierarchy.burstprop import Layers, Recipe

SIZES = [6, 5, 4, 3]
RECIPE = Recipe(
    rule="learned", eta_hidden=0.3, eta_output=0.1, eta_recurrent=0.05, gain=1.0, feedback_std=1.0,
    recurrent_range=0.2, momentum=0.8, decay=0.2, p_output=0.2, noise=1e-3, epochs=1, batch=4,
)  # fmt: skip


def drawn(**changes):
    rng = np.random.default_rng(3)
    layers = Layers.draw(SIZES, Recipe(**{**vars(RECIPE), **changes}), rng)
    features = rng.uniform(-1, 1, (8, SIZES[0])).astype(np.float32)
    classes = rng.integers(0, SIZES[-1], 8)
    return layers, features, classes, np.eye(SIZES[-1], dtype=np.float32)[classes]


def test_bursts_with_and_without_teacher_unit_by_unit():
    """What layers.py of the published program says of one sample, written out in loops."""
    layers, features, _, targets = drawn()
    activity = burstprop.rates(layers, features)
    credit, heard = burstprop.burst_credit(layers, activity, targets, 0.2)
    for sample in range(2):
        e = activity[3][sample].astype(float)
        b, b_t = 0.2 * e, 0.2 * ((targets[sample] - e) * (1 - e) + 1) * e
        np.testing.assert_allclose(credit[2][sample], b_t - b, rtol=1e-4, atol=1e-7)
        for k in (1, 0):
            e, y, z = activity[k + 1][sample], layers.feedback[k], layers.recurrent[k]
            n = len(e)
            fb = [sum(y[i, j] * b[j] for j in range(len(b))) for i in range(n)]
            fb_t = [sum(y[i, j] * b_t[j] for j in range(len(b))) for i in range(n)]
            before = [expit(fb[i]) * e[i] for i in range(n)]
            taken = [sum(z[j, i] * before[j] for j in range(n)) for i in range(n)]
            u = np.array([fb[i] * (1 - e[i]) - taken[i] for i in range(n)])
            u_t = np.array([fb_t[i] * (1 - e[i]) - taken[i] for i in range(n)])
            b, b_t = expit(u) * e, expit(u_t) * e
            np.testing.assert_allclose(credit[k][sample], b_t - b, rtol=1e-3, atol=1e-6)
            np.testing.assert_allclose(heard[k][0][sample], u, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(heard[k][1][sample], before, rtol=1e-4, atol=1e-6)


def test_gradient_is_that_of_finite_differences():
    layers, features, _, targets = drawn(rule="backprop")
    layers.forward = [w.astype(float) for w in layers.forward]
    layers.bias = [b.astype(float) for b in layers.bias]
    credit = burstprop.gradient_credit(layers, burstprop.rates(layers, features), targets)

    def half_squared_error():
        return 0.5 * ((targets - burstprop.rates(layers, features)[-1]) ** 2).sum()

    for bias, found in zip(layers.bias, credit, strict=True):
        slope = slopes(half_squared_error, bias, 1e-4)
        np.testing.assert_allclose(found.sum(axis=0), -slope, rtol=2e-3, atol=1e-5)


def test_perturbation_is_the_gradient_on_average():
    layers, features, _, targets = drawn(rule="perturbation")
    features, targets = np.tile(features[:1], (200_000, 1)), np.tile(targets[:1], (200_000, 1))
    activity = burstprop.rates(layers, features)
    rng = np.random.default_rng(0)
    ours = burstprop.perturbation_credit(layers, activity, targets, 1e-2, rng)
    theirs = burstprop.gradient_credit(layers, activity, targets)
    for a, b in zip(ours, theirs, strict=True):
        error = a.std(axis=0) / np.sqrt(len(a))
        assert (np.abs(a.mean(axis=0) - b[0]) < 4.5 * error + 1e-4).all()


def test_one_batch_changes_weights_as_the_published_program_does():
    start, features, classes, targets = drawn()
    recipe = Recipe(**{**vars(RECIPE), "batch": 8})
    rng = np.random.default_rng(3)
    trained = burstprop.train(
        SIZES, (features, classes), (features, classes), recipe, init=rng,
        shuffle=np.random.default_rng(1), perturb=rng, progress=lambda share, news: None,
    )  # fmt: skip
    activity = burstprop.rates(start, features)
    credit, heard = burstprop.burst_credit(start, activity, targets, 0.2)
    for k, eta in enumerate((0.3, 0.3, 0.1)):
        change = eta * activity[k].T @ credit[k]
        learned = [(trained.forward[k], start.forward[k])]
        if k:
            learned.append((trained.feedback[k - 1], start.feedback[k - 1]))
        for after, before in learned:
            np.testing.assert_allclose(after, 0.8 * before + change, rtol=1e-4, atol=1e-6)
    for k, (drive, before) in enumerate(heard):
        np.testing.assert_allclose(
            trained.recurrent[k], start.recurrent[k] + 0.05 * before.T @ drive, rtol=1e-4, atol=1e-6
        )
