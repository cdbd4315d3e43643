"""Arrays for the figure of experiment released_chip: output spikes on trials that were not fitted.

chip.saved (trial, output)   recorded from the chip, in ms, inf where silent; of the lowest seed
chip.ideal, chip.fitted      the same weights in ideal neurons, and in those fitted one by one
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.trial_subsets import of_variant
from whyspiking.talks.goeltz import chip


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """All arrays of the experiment; see the module's description."""
    ideal_networks, fitted_networks = (
        of_variant(networks, variant) for variant in ("authors", "neurons")
    )
    if not ideal_networks or not fitted_networks:
        return {}
    fitted_network = fitted_networks[min(fitted_networks)]
    task, held_out = chip.make_task(params, "test", streams), fitted_network.arrays["held_out"]
    assert task is not None  # Yin-Yang has a test split
    arrays = {"chip.saved": fitted_network.arrays["saved_times"] * params.tau_s_ms}
    for name, network in (
        ("ideal", ideal_networks[min(ideal_networks)]),
        ("fitted", fitted_network),
    ):
        layers = chip.reference_first_ms(params, name, network, task)
        arrays[f"chip.{name}"] = layers["output"]
    return {key: times[held_out].astype(np.float32) for key, times in arrays.items()}
