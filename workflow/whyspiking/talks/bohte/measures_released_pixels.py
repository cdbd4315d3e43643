"""The papers' estimate of energy for the released network of digits (README, section 12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from whyspiking.contract import types as ct
from whyspiking.talks.bohte import measures as estimate
from whyspiking.talks.bohte import released_pixels

LAYERS = released_pixels.RELEASED.layers


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """The estimate at the rates of this recording."""
    if condition.perturbation != "none":
        return {}
    fired = [recording.spikes[name] for name in released_pixels.GROUPS]
    rates = [len(one) / (one.n_trials * one.n_units * params.n_steps) for one in fired]
    sizes = [params.n_input // released_pixels.N_BITS, *params.n_hidden, params.n_output]
    return {"energy_ratio_published": ratio(sizes, rates, estimate.prices(params))}


def ratio(sizes: Sequence[int], rates: Sequence[float], prices: Mapping[str, float]) -> float:
    """Eq. 14 over Eq. 15 for this network, whose inputs are no spikes.

    Brightness is multiplied, at the price of a multiply-accumulate. A layer without recurrent
    weights is not charged for gates in the classical network either; the output neurons spike.

    Args:
        sizes: Pixels of the window, units of every layer, classes.
        rates: Spikes per neuron and step of every layer and of the output.
        prices: As for `estimate.formula_ratio`.
    """
    classical = additions = updates = 0.0
    for k, ((m, n), layer) in enumerate(zip(pairwise(sizes), LAYERS, strict=True)):
        weights = m * n
        if layer.within is not None:
            classical += estimate.LSTM_GATES * (weights + n * n) + estimate.LSTM_UPDATE * n
            additions += n * n * rates[k]
        else:
            classical += weights
        if k == 0:
            updates += weights
        else:
            additions += weights * rates[k - 1]
        updates += estimate.ALIF_UPDATE * n
    spiking = prices["add"] * additions + prices["mac"] * updates
    return prices["mac"] * classical / spiking
