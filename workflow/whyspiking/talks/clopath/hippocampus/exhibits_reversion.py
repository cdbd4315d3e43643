"""Example data of reverse replay; what the names mean is said in `figures_reversion.py`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Networks, Params, Simulate
from whyspiking.talks.clopath import reversion, sequence

THETA_MS, REPLAY_MS = 4500.0, 1000.0
"""How much before and after the septum's silence is kept."""
OFFSETS_DEG = np.arange(-180.0, 181.0, 5.0)


def exhibits(
    params: Params, networks: Networks, simulate: Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Spikes of a trial with and without reversion from the first seed; Eq. 44 for all networks."""
    made = {seed: network for (variant, seed), network in networks.items() if variant == "spiking"}
    if not made:
        return {}
    first = min(made)
    own, network = replace(params, seed=first), made[first]
    task = reversion.make_task(own, "test", Streams(first))
    assert task is not None
    # Interneurons whose weights are 0 leave the excitatory spikes as silent ones do.
    nothing = np.zeros_like(network.arrays["phi_reversion"])
    without = Network({**network.arrays, "phi_reversion": nothing}, network.info)
    off_ms = own.warmup_ms + own.on_ms
    kept = {}
    for name, simulated in (("forward", without), ("reversed", network)):
        spikes = simulate(simulated, task).spikes["excitatory"]
        since = spikes.times_ms - off_ms
        shown = (spikes.trials == 0) & (since >= -THETA_MS) & (since < REPLAY_MS)
        kept[f"{name}.spike_ms"] = since[shown]
        kept[f"{name}.neuron"] = spikes.units[shown]
        if name == "forward":
            found = sequence.sequences(
                spikes, 0, (own.warmup_ms, off_ms), (off_ms + own.release_ms, off_ms + own.off_ms)
            )
            kept["sequence.phase"] = np.asarray(found["phase_on"])
            kept["sequence.beat_hz"] = np.array(found["beat"])
            kept["sequence.rhythm_hz"] = np.array(found["rhythm"])
    orders = np.mean([predicted(own, network) for network in made.values()], axis=0)
    kept["predicted.offset_deg"] = OFFSETS_DEG
    kept["predicted.forward"], kept["predicted.reversed"] = orders.T
    return kept


def predicted(params: Params, network: Network) -> NDArray[np.float64]:
    """Order correlation of a current and the sum of it and reversion's (Eqs. 40, 41 and 22).

    Returns:
        For the same and for reversed order, at `OFFSETS_DEG`, (offset, 2).
    """
    phase, amplitude = network.arrays["phase"], network.arrays["amplitude"]
    orders = []
    for offset in np.deg2rad(OFFSETS_DEG):
        mirror = 1j * params.reversion_gain * np.sin(phase) * np.exp(1j * offset)
        turned = -np.angle(amplitude * np.exp(-1j * phase) + mirror)
        orders.append([sequence.order_correlation(phase, side * turned) for side in (1, -1)])
    return np.array(orders)
