"""The papers' estimate of energy for the released network of digits (README, section 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from whyspiking.contract import types as ct
from whyspiking.talks.bohte import measures as estimate
from whyspiking.talks.bohte import released_pixels


def measures(
    params: ct.Params, condition: ct.Condition, recording: ct.Recording, task: ct.Task
) -> Mapping[str, float]:
    """Estimate the energy at the rates of this recording."""
    if condition.perturbation != "none":
        return {}
    spikes_by_layer = [recording.spikes[name] for name in released_pixels.GROUPS[:-1]]
    rates = [
        len(layer_spikes) / (layer_spikes.n_trials * layer_spikes.n_units * params.n_steps)
        for layer_spikes in spikes_by_layer
    ]
    sizes = [params.n_input // released_pixels.N_BITS, *params.n_hidden, params.n_output]
    return {"energy_ratio_published": ratio(sizes, rates, estimate.prices(params))}


def ratio(sizes: Sequence[int], rates: Sequence[float], prices: Mapping[str, float]) -> float:
    """Compute Eq. 14 over Eq. 15 for this network, whose outputs are spikes but not its inputs.

    Brightness is multiplied, at the price of a multiply-accumulate; output neurons have updates.

    Args:
        sizes: Pixels of the window, units of every layer, classes.
        rates: Spikes per neuron and step of every hidden layer.
        prices: As for `estimate.formula_ratio`.
    """
    recurrent = [layer.within is not None for layer in released_pixels.RELEASED.layers[:-1]]
    multiplied = sizes[0] * sizes[1] + estimate.ALIF_UPDATE * sizes[-1]
    return estimate.formula_ratio(
        sizes, [0.0, *rates], prices, recurrent=recurrent, multiplied=multiplied
    )
