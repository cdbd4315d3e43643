"""The talk naud: random numbers and exponentials of the compiled program against NumPy."""

import ctypes

import numpy as np
import pytest

from whyspiking.brian import Machine
from whyspiking.compiler import libraries
from whyspiking.contract import brian_model as bm
from whyspiking.contract.types import Stimulus
from whyspiking.talks.naud import vector_functions

N, STEPS = 800, 20
DT_MS = 0.5
SMALL = 2.0**-53
KEYS = np.array([0.0, SMALL, 2**26 * SMALL, (2**26 - 1) * SMALL, 0.5 - SMALL, 0.5, 1 - SMALL])
"""Where a half of a key is full or empty."""
X = np.concatenate(
    [np.linspace(-750, 699, N - 8), [-0.35, 0.35, 0.0, -1e-9, 1e-9, 1.0, -1.0, 40.0]]
)


@pytest.fixture(scope="module")
def recording(builds):
    """What a compiled program makes of the two functions, step by step."""

    both = "u = uniform(key, timestep(t, dt)); y = exponential(x)"
    neurons = bm.Group(
        "neurons", N, "key : 1\nx : 1\nu : 1\ny : 1\n", regularly=[bm.Regularly("both", both)]
    )
    model = bm.BrianModel(
        name="functions",
        groups=[neurons],
        synapses=[],
        inputs={},
        constants=vector_functions.BOTH,
        dt_ms=DT_MS,
        trial_ms=STEPS * DT_MS,
        max_trials=2,
        record_traces={name: ("neurons", name, DT_MS) for name in ("u", "y")},
    )
    machine = Machine(model, builds)
    keys = np.concatenate([KEYS, np.random.default_rng(1).random(N - KEYS.size)])
    values = {"neurons.key": keys, "neurons.x": X}
    return values["neurons.key"], machine.run(Stimulus(), values, trials=2)


def test_compiled_random_numbers_are_those_of_numpy(recording):
    keys, run = recording
    steps = np.arange(2 * STEPS).reshape(2, STEPS, 1)
    np.testing.assert_array_equal(run.traces["u"], vector_functions.uniform(keys, steps))


def test_compiled_exponential_is_that_of_numpy(recording):
    """To rounding of its argument; what would leave the range of a double is held at its border."""
    _, run = recording
    x = np.clip(X, -700, 700)
    error = np.abs(run.traces["y"][1, -1] / np.exp(x) - 1)
    assert (error <= 1e-15 + 2e-16 * np.abs(x)).all()


def test_both_at_any_width_of_vectors(vectors, tmp_path):
    """In a loop without anything else, which the compiler turns into vectors."""
    source = tmp_path / "functions.cpp"
    source.write_text(
        # As Brian2 compiles them; a flag would have the linker switch off tiny numbers for good.
        '#pragma GCC optimize("fast-math", "no-finite-math-only")\n'
        "#include <cmath>\n#include <cstdint>\n#include <cstring>\n"
        + vector_functions.UNIFORM + vector_functions.EXPONENTIAL
        + """extern "C" void functions(
                int n, const double *key, double *u, const double *x, double *y) {
            for (int i = 0; i < n; ++i) u[i] = uniform(key[i], 7);
            for (int i = 0; i < n; ++i) y[i] = exponential(x[i]);
        }"""
    )  # fmt: skip
    n = N - 5
    keys = np.concatenate([KEYS, np.random.default_rng(2).random(n - KEYS.size)])
    u, y = np.empty(n), np.empty(n)
    at = [array.ctypes.data_as(ctypes.c_void_p) for array in (keys, u, X, y)]
    libraries.load("functions", [source]).functions(n, *at)
    np.testing.assert_array_equal(u, vector_functions.uniform(keys, 7))
    x = np.clip(X[:n], -700, 700)
    assert (np.abs(y / np.exp(x) - 1) <= 1e-15 + 2e-16 * np.abs(x)).all()


def test_sequence_is_splitmix64():
    """The first numbers from the seed 0, as the authors' program prints them."""
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    found = vector_functions.uniform(0.0, np.arange(3))
    np.testing.assert_array_equal(found, [(number >> 11) / 2**53 for number in published])


def test_random_numbers_are_uniform_and_independent_over_neurons_and_steps():
    n, m = 500, 4000
    u = vector_functions.uniform(np.random.default_rng(5).random(n), np.arange(m)[:, None])
    counts = np.bincount((u * 64).astype(int).ravel(), minlength=64)
    expected = n * m / 64
    # Chi-squared of 63 degrees of freedom: mean 63, standard deviation 11.2.
    assert ((counts - expected) ** 2 / expected).sum() < 63 + 5 * 11.2
    centred = (u - 0.5) * np.sqrt(12)
    for other in (np.roll(centred, 1, axis=0), np.roll(centred, 1, axis=1)):
        assert abs(float((centred * other).mean())) < 5 / np.sqrt(n * m)
    assert np.abs(np.corrcoef(centred.T) - np.eye(n)).max() < 6 / np.sqrt(m)
    # The sum over all neurons, which drives an ensemble, has the variance of independent numbers.
    assert centred.sum(axis=1).var() == pytest.approx(n, rel=5 * np.sqrt(2 / m))
