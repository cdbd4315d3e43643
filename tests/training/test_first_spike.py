"""First-spike layers: both engines against brute force, finite differences, and each other."""

import functools

import numpy as np
import pytest
from made.agreement import assert_close, slopes
from oracles import first_spike_layers
from scipy.special import lambertw

from whyspiking.errors import UserError
from whyspiking.training.first_spike import compiled, encoding, layer

RATIOS = (1, 2)
THRESHOLD = {1: 1.0, 2: 0.5}


def brute_force(times, weights, threshold, tau_ratio):
    """Every prefix of the sorted inputs in turn, with SciPy's Lambert W."""
    out = np.full((len(times), weights.shape[1]), np.inf)
    for b, row in enumerate(times):
        order = np.argsort(row, kind="stable")
        order = order[np.isfinite(row[order])]
        t = row[order]
        for n in range(weights.shape[1]):
            for k in range(1, len(t) + 1):
                after = t[k] if k < len(t) else np.inf
                spike = prefix_time(t[:k] - t[k - 1], weights[order[:k], n], threshold, tau_ratio)
                if 0 <= spike <= after - t[k - 1]:
                    out[b, n] = t[k - 1] + spike
                    break
    return out


def prefix_time(t, w, c, tau_ratio):
    """Spike time after the last of these inputs, which is at 0; inf or nan if there is none."""
    a1 = np.sum(w * np.exp(t))
    if a1 <= 0:
        return np.inf
    if tau_ratio == 1:
        b = np.sum(w * t * np.exp(t))
        exponent = b / a1
        argument = -c / a1 * np.exp(exponent) if exponent < 500 else -np.inf
        if argument < -np.exp(-1):
            return np.inf
        return exponent - lambertw(argument).real
    a2 = np.sum(w * np.exp(t / 2))
    square = a2**2 - 4 * a1 * c
    if square < 0 or a2 + np.sqrt(square) <= 0:
        return np.inf
    return 2 * np.log(2 * a1 / (a2 + np.sqrt(square)))


def network(case, seed=0):
    """Random inputs and weights of several kinds: (times, weights)."""
    rng = np.random.default_rng(seed)
    n_samples, n_in, n_out, span, mean, sd, silent = {
        "few": (30, 5, 3, 2.0, 0.8, 0.8, 0.1),
        "dense": (3, 200, 45, 2.0, 0.0, 0.4, 0.0),
        "inhibitory": (8, 60, 20, 2.0, -0.1, 0.6, 0.1),
        "sparse in time": (6, 30, 90, 8.0, 0.3, 0.6, 0.2),
        "ties": (5, 60, 45, 2.0, 0.1, 0.4, 0.0),
        "mostly silent": (20, 12, 9, 5.0, -0.4, 0.9, 0.3),
        "one input": (10, 1, 4, 2.0, 3.0, 1.0, 0.2),
    }[case]
    times = rng.uniform(0.1, span, (n_samples, n_in))
    if case == "ties":
        times = np.round(times, 1)
    times[rng.random(times.shape) < silent] = np.inf
    times[0] = np.inf if case == "mostly silent" else times[0]
    return times, rng.normal(mean, sd, (n_in, n_out))


CASES = ("few", "dense", "inhibitory", "sparse in time", "ties", "mostly silent", "one input")
COMPILED = {np.float32: ("few",), np.float64: ("few", "ties", "mostly silent")}
"""Which of them JAX is given, by precision."""


@pytest.mark.parametrize("tau_ratio", RATIOS)
@pytest.mark.parametrize("case", CASES)
def test_forward_is_the_first_valid_prefix(case, tau_ratio):
    times, weights = network(case)
    expected = brute_force(times, weights, THRESHOLD[tau_ratio], tau_ratio)
    assert np.isfinite(expected).any() and (case != "mostly silent" or np.isinf(expected).any())
    for module, kind, tolerance in (
        (compiled, np.float64, 1e-11),
        (compiled, np.float32, 5e-5),
        (first_spike_layers, np.float64, 1e-11),
        (first_spike_layers, np.float32, 5e-5),
    ):
        if module is first_spike_layers and case not in COMPILED[kind]:
            continue  # compiling takes seconds
        # The very same inputs in both precisions, or a grazing neuron decides otherwise.
        found = module.forward(
            times.astype(kind), weights.astype(kind), THRESHOLD[tau_ratio], tau_ratio
        )
        np.testing.assert_array_equal(np.isfinite(found.times), np.isfinite(expected))
        fired = np.isfinite(expected)
        np.testing.assert_allclose(found.times[fired], expected[fired], atol=tolerance)
        assert found.times.dtype == kind
        assert (found.slopes[fired] > 0).all() and (found.slopes[~fired] == 0).all()


@pytest.mark.parametrize("tau_ratio", RATIOS)
@pytest.mark.parametrize("excess", [-1e-5, 1e-5])
def test_grazing_the_threshold(tau_ratio, excess):
    """One input whose peak is just below or above threshold, at a known time."""
    delay = {1: 1.0, 2: 2 * np.log(2)}[tau_ratio]
    height = layer.kernel(delay, tau_ratio)
    weights = np.full((1, 17), THRESHOLD[tau_ratio] / height * (1 + excess))
    times = np.array([[0.5]])
    for module in (compiled, first_spike_layers):
        for kind in (np.float32, np.float64):
            found = module.forward(
                times.astype(kind), weights.astype(kind), THRESHOLD[tau_ratio], tau_ratio
            )
            if excess < 0:
                assert np.isinf(found.times).all()
            else:
                np.testing.assert_allclose(found.times, 0.5 + delay, atol=1e-2)
                assert (found.times < 0.5 + delay).all()


@pytest.mark.parametrize("tau_ratio", RATIOS)
@pytest.mark.parametrize("module", [compiled, first_spike_layers])
def test_gradients_are_central_differences(module, tau_ratio):
    times, weights = network("few", seed=3)
    rng = np.random.default_rng(1)
    c = THRESHOLD[tau_ratio]
    output = module.forward(times, weights, c, tau_ratio)
    # Near grazing a finite step makes or breaks the spike.
    by_output = rng.normal(size=output.times.shape) * (output.slopes > 0.1)

    def loss():
        spikes = compiled.forward(times, weights, c, tau_ratio).times
        return np.sum(np.where(by_output != 0, spikes, 0) * by_output)

    by_weight, by_time = module.backward(
        times, weights, output, by_output, tau_ratio, min_slope=1e-9
    )
    for array, gradient in ((weights, by_weight), (times, by_time)):
        assert np.abs(gradient).max() > 0.1
        np.testing.assert_allclose(gradient, slopes(loss, array), atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("tau_ratio", RATIOS)
@pytest.mark.parametrize("case", ["few", "dense", "sparse in time", "ties"])
@pytest.mark.parametrize("max_dw", [np.inf, 0.2])
def test_engines_give_the_same_gradients(case, tau_ratio, max_dw):
    times, weights = network(case)
    output = compiled.forward(times, weights, THRESHOLD[tau_ratio], tau_ratio)
    gradient = np.random.default_rng(2).normal(size=output.times.shape)
    limits = {"min_slope": 1e-2, "max_dw": max_dw}
    ours = compiled.backward(times, weights, output, gradient, tau_ratio, **limits)
    theirs = first_spike_layers.backward(times, weights, output, gradient, tau_ratio, **limits)
    assert_close(ours, theirs, 1e-12)
    single = layer.LayerOutput(output.times.astype(np.float32), output.slopes.astype(np.float32))
    ours = compiled.backward(
        times.astype(np.float32), weights, single, gradient, tau_ratio, **limits
    )
    assert_close(ours, theirs, 1e-5)


@functools.cache
def fired_by_hand(n_out, tau_ratio):
    """Inputs, weights that float32 holds, and first spikes by brute force."""
    rng = np.random.default_rng(n_out)
    times = rng.uniform(0.1, 2.0, (2, 17)).astype(np.float32).astype(float)
    weights = rng.normal(0.1, 0.4, (17, n_out)).astype(np.float32).astype(float)
    return times, weights, brute_force(times, weights, THRESHOLD[tau_ratio], tau_ratio)


@pytest.mark.parametrize("tau_ratio", RATIOS)
@pytest.mark.parametrize("n_out", [1, 8, 13, 20, 43, 52, 70])
def test_any_number_of_neurons_at_any_width_of_vectors(n_out, tau_ratio, vectors):
    """Spikes by brute force, gradients by the sums that define them (`layer`)."""
    times, weights, expected = fired_by_hand(n_out, tau_ratio)
    fired = np.isfinite(expected)
    gradient = np.random.default_rng(1).normal(size=expected.shape)
    c = THRESHOLD[tau_ratio]
    exact = layer.measured(times, weights, expected, c, tau_ratio)
    by_spike = np.where(fired, gradient / np.where(fired, exact.slopes, 1), 0)[:, None, :]
    since = np.where(fired, expected, -np.inf)[:, None, :] - times[:, :, None]
    by_weight = (-layer.kernel(since, tau_ratio) * by_spike).sum(axis=0)
    slopes = first_spike_layers.kernel_slope(np.where(fired[:, None, :], since, -1.0), tau_ratio)
    by_time = (weights * slopes * by_spike).sum(axis=2)
    for kind, close in ((np.float64, 1e-10), (np.float32, 1e-3)):
        given = times.astype(kind), weights.astype(kind)
        found = compiled.forward(*given, c, tau_ratio)
        np.testing.assert_array_equal(np.isfinite(found.times), fired)
        np.testing.assert_allclose(found.times[fired], expected[fired], atol=close)
        np.testing.assert_allclose(found.slopes, exact.slopes, atol=10 * close)
        own = layer.LayerOutput(expected.astype(kind), exact.slopes.astype(kind))
        ours = compiled.backward(*given, own, gradient.astype(kind), tau_ratio, min_slope=1e-9)
        assert_close(ours, (by_weight, by_time), close, 1e-12)


@pytest.mark.parametrize("tau_ratio", RATIOS)
def test_max_dw_drops_exactly_the_steep_pairs(tau_ratio):
    """Against the full array of weight derivatives, sample by sample."""
    times, weights = network("few", seed=5)
    output = compiled.forward(times, weights, THRESHOLD[tau_ratio], tau_ratio)
    gradient = np.random.default_rng(3).normal(size=output.times.shape)
    since = np.where(np.isfinite(output.times), output.times, -np.inf)[:, None, :]
    delays = since - np.where(np.isfinite(times), times, np.inf)[:, :, None]
    kernels = layer.kernel(delays, tau_ratio)
    slopes = np.where(output.slopes > 0, output.slopes, 1)
    full = -kernels * (gradient / slopes)[:, None, :]
    steep = np.abs(full).max(axis=1) > 0.2
    assert 0.05 < steep.mean() < 0.95
    expected = np.where(steep[:, None, :], 0, full).sum(axis=0)
    unlimited = compiled.backward(times, weights, output, gradient, tau_ratio, min_slope=1e-12)
    found, by_time = compiled.backward(
        times, weights, output, gradient, tau_ratio, min_slope=1e-12, max_dw=0.2
    )
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_array_equal(by_time, unlimited[1])


@pytest.mark.parametrize("tau_ratio", RATIOS)
def test_slopes_have_a_floor(tau_ratio):
    times, weights = network("few")
    output = compiled.forward(times, weights, THRESHOLD[tau_ratio], tau_ratio)
    floor = float(np.median(output.slopes[output.slopes > 0]))
    lifted = layer.LayerOutput(
        output.times, np.where(output.slopes > 0, np.maximum(output.slopes, floor), 0)
    )
    gradient = np.ones_like(output.times)
    ours = compiled.backward(times, weights, output, gradient, tau_ratio, min_slope=floor)
    theirs = compiled.backward(times, weights, lifted, gradient, tau_ratio, min_slope=1e-12)
    assert_close(ours, theirs, 0, 1e-12)


def test_min_slope_is_the_floor_of_one_plus_w():
    """For tau_m = tau_s: 1 + W = V'(T) / (V'(T) + c)."""
    slope = layer.min_slope(0.01, 1.3, 1)
    assert slope / (slope + 1.3) == pytest.approx(0.01)
    assert layer.min_slope(0.01, 1.3, 2) == pytest.approx(slope / 2)


def test_time_gradients_only_where_asked():
    times, weights = network("few")
    output = compiled.forward(times, weights, 1.0, 1)
    gradient = np.ones_like(output.times)
    _, full = compiled.backward(times, weights, output, gradient, 1, min_slope=1e-3)
    _, some = compiled.backward(times, weights, output, gradient, 1, min_slope=1e-3, first_time=3)
    np.testing.assert_allclose(some, np.where(np.arange(5) < 3, 0, full), atol=1e-12)


@pytest.mark.parametrize("tau_ratio", RATIOS)
@pytest.mark.parametrize("case", CASES)
def test_general_neurons_contain_the_closed_forms(case, tau_ratio, vectors):
    times, weights = network(case)
    c = THRESHOLD[tau_ratio]
    ideal = compiled.forward(times, weights, c, tau_ratio).times
    found = compiled.forward_general(
        times, weights, np.array(float(tau_ratio)), np.array(1.0), np.array(c)
    )
    np.testing.assert_array_equal(np.isfinite(found), np.isfinite(ideal))
    fired = np.isfinite(ideal)
    np.testing.assert_allclose(found[fired], ideal[fired], atol=1e-9)


def test_general_neurons_cross_on_a_fine_grid():
    """Uneven time constants against the potential itself, sampled finely."""
    times, weights = network("few", seed=7)
    rng = np.random.default_rng(4)
    tau_m, tau_s = rng.uniform(0.5, 2.5, 3), rng.uniform(0.5, 2.5, 3)
    tau_s[0] = tau_m[0] * (1 + 1e-9)
    threshold = np.array([0.8, 1.0, 1.2])
    found = compiled.forward_general(times, weights, tau_m, tau_s, threshold)
    grid = np.linspace(0, 12, 24_001)
    since = np.maximum(grid[None, None, :] - times[:, :, None], 0)
    for n in range(3):
        rate = 1 / tau_s[n] - 1 / tau_m[n]
        shape = since / tau_m[n] * np.exp(-since / tau_m[n])
        if abs(rate) > 1e-6:
            shape = (np.exp(-since / tau_m[n]) - np.exp(-since / tau_s[n])) / rate / tau_m[n]
        above = np.einsum("bit,i->bt", shape, weights[:, n]) >= threshold[n]
        expected = np.where(above.any(axis=1), grid[above.argmax(axis=1)], np.inf)
        np.testing.assert_array_equal(np.isfinite(found[:, n]), np.isfinite(expected))
        fired = np.isfinite(expected)
        np.testing.assert_allclose(found[fired, n], expected[fired], atol=6e-4)


def test_wrong_shapes_are_refused():
    times, weights = network("few")
    with pytest.raises(ValueError, match="tau_m / tau_s"):
        compiled.forward(times, weights, 1.0, 3)
    with pytest.raises(ValueError, match="must be"):
        compiled.forward(times, weights[1:], 1.0, 1)
    output = compiled.forward(times, weights, 1.0, 1)
    with pytest.raises(ValueError, match="gradient"):
        compiled.backward(times, weights, output, output.times[:, :1], 1, min_slope=1e-3)


def test_without_a_compiler_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", str(tmp_path / "no-such-compiler"))
    monkeypatch.setenv("WHYSPIKING_CACHE", str(tmp_path))
    compiled.library.cache_clear()
    with pytest.raises(UserError, match=r"no-such-compiler.*is not on PATH; install g\+\+"):
        compiled.forward(np.ones((1, 1)), np.ones((1, 1)), 1.0, 1)
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"g\+\+, c\+\+ or clang\+\+ is not on PATH; install g\+\+"):
        compiled.forward(np.ones((1, 1)), np.ones((1, 1)), 1.0, 1)


def test_latency_code_is_linear_and_background_may_be_silent():
    pixels = np.array([[0.0, 0.25, 1.0]])
    np.testing.assert_allclose(
        encoding.latencies(pixels, 0.15, 2.0, background=True), [[2.0, 1.5375, 0.15]]
    )
    np.testing.assert_allclose(
        encoding.latencies(pixels, 0.0, 1.0, background=False), [[np.inf, 0.75, 0.0]]
    )


def test_a_kernel_refuses_an_array_with_gaps():
    import ctypes

    from whyspiking.training.first_spike import epoch_library

    times = np.ones((4, 6), np.float32)
    assert epoch_library.presort(times)[1].size == 24
    with pytest.raises(ctypes.ArgumentError, match="contiguous"):
        epoch_library.presort(times[:, ::2])
