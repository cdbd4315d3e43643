"""Imperfect substrates: weights in fixed point, uneven neurons, jittered inputs (README, 6).

Each imperfection is a `Condition`: `fixed_point` and `fixed_point_wide` (location "weights",
strength: bits), `tau_spread` and `tau_shift` ("neurons"; relative standard deviation, or tau_m
over its nominal value), `jitter` ("input", standard deviation in units of tau_s).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import perturb
from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.goeltz import model
from whyspiking.talks.goeltz.model import Pass, Weights
from whyspiking.talks.goeltz.task import with_bias
from whyspiking.training import first_spike
from whyspiking.training.first_spike import compiled

LAYERS = ("hidden", "output")
FIXED_POINT = ("fixed_point", "fixed_point_wide")
"""Weights of few bits up to the largest value `params.limits`."""
UNEVEN = ("tau_spread", "tau_shift")
"""Neurons with time constants of their own."""


def conditions(params: ct.Params) -> list[ct.Condition]:
    """List all imperfections that are tested."""
    return [
        *(
            ct.Condition(name, "weights", float(bits))
            for name in FIXED_POINT
            for bits in params.bits
        ),
        *(ct.Condition("tau_spread", "neurons", float(sd)) for sd in params.tau_spreads),
        *(ct.Condition("tau_shift", "neurons", float(ratio)) for ratio in params.tau_shifts),
        *(
            ct.Condition("jitter", "input", float(sd), draw)
            for sd in params.jitters
            for draw in range(params.jitter_draws)
        ),
    ]


def name_of(condition: ct.Condition) -> str:
    """Return the key of an imperfection among the arrays of a network."""
    return f"{condition.perturbation}.{condition.location}.{condition.strength:g}"


def limited(params: ct.Params, condition: ct.Condition, weights: Weights) -> Weights:
    """Clip weights to the range of the substrate, as the published code does."""
    if condition.perturbation not in FIXED_POINT:
        return weights
    limit = params.limits[condition.perturbation]
    return tuple(np.clip(w, -limit, limit) for w in weights)


def held(params: ct.Params, condition: ct.Condition, weights: Weights) -> Weights:
    """Round the learned weights to those that the substrate holds (README, Eq. 10)."""
    if condition.perturbation not in FIXED_POINT:
        return weights
    step = params.limits[condition.perturbation] / (2 ** (int(condition.strength) - 1) - 1)
    clipped = limited(params, condition, weights)
    return tuple(np.round(w / step) * w.dtype.type(step) for w in clipped)


def jittered(times: NDArray, sd: float, rng: np.random.Generator) -> NDArray:
    """Move spike times by Gaussian noise, reflected at 0; silent neurons stay silent."""
    noise = rng.standard_normal(times.shape, np.float32).astype(times.dtype)
    return np.abs(times + times.dtype.type(sd) * noise)


def taus_of(
    params: ct.Params, condition: ct.Condition, streams: Streams, chip: str = ""
) -> dict[str, NDArray]:
    """Draw the time constants of a substrate: each neuron's own, or all shifted alike.

    Args:
        params: Parameters of the experiment.
        condition: One of `UNEVEN`.
        streams: The same seed gives the same neurons, whichever variant asks.
        chip: Another name gives another realisation.

    Returns:
        `tau_m_hidden`, `tau_s_hidden`, `tau_m_output`, `tau_s_output`, in units of tau_s.
    """
    rng = streams.rng(f"substrate {name_of(condition)}{chip}")
    sizes = {"hidden": params.n_hidden, "output": params.n_output}
    if condition.perturbation == "tau_shift":
        return {
            f"{tau}_{layer}": np.full(sizes[layer], shift)
            for layer in LAYERS
            for tau, shift in (("tau_m", condition.strength * params.tau_ratio), ("tau_s", 1.0))
        }
    return {
        f"{tau}_{layer}": perturb.mismatch(np.full(sizes[layer], nominal), condition.strength, rng)
        for layer in LAYERS
        for tau, nominal in (("tau_m", float(params.tau_ratio)), ("tau_s", 1.0))
    }


def uneven_neurons(params: ct.Params, taus: Mapping[str, NDArray]) -> model.Forward:
    """Make the forward pass of neurons with time constants of their own, as on a chip.

    Only spike times come from there: slopes, and so gradients, are those of the ideal neuron at
    the measured times. The published training in the loop takes the slope from the causal set
    instead (README, section 8).

    Args:
        params: Parameters of the experiment.
        taus: As from `taus_of`.
    """
    c, ratio = model.threshold(params), params.tau_ratio

    def compute_first_spikes(times: NDArray, w: NDArray, layer: str) -> NDArray:
        tau_m, tau_s = taus[f"tau_m_{layer}"], taus[f"tau_s_{layer}"]
        if (tau_s == 1).all() and (tau_m == 2).all():  # the other closed form
            return compiled.forward(times, w, c, 2).times
        return compiled.forward_general(times, w, tau_m, tau_s, np.array(c))

    def forward(times: NDArray, weights: Weights) -> Pass:
        hidden = compute_first_spikes(times, weights[0], "hidden")
        hidden_with_bias = with_bias(hidden, params)
        output = compute_first_spikes(hidden_with_bias, weights[1], "output")
        return Pass(
            (times, hidden_with_bias),
            (
                first_spike.measured(times, weights[0], hidden, c, ratio),
                first_spike.measured(hidden_with_bias, weights[1], output, c, ratio),
            ),
        )

    return forward
