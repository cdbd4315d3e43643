"""Example data of theta, replay and its reversal; `figures.py` says what the names mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.talks.clopath.hippocampus import theta_replay
from whyspiking.talks.clopath.hippocampus.measures import order_correlation, sequences, spans

THETA_MS, REPLAY_MS = 5000.0, 1000.0
"""How much before and after the septum's silence is kept."""
OFFSETS_DEG = np.arange(-180.0, 181.0, 5.0)


def exhibits(
    params: ct.Params, networks: ct.Networks, simulate: ct.Simulate, streams: Streams
) -> dict[str, NDArray]:
    """Spikes of one trial of the first seed, with reversion also without it; Eq. 44 for all."""
    made = {seed: network for (variant, seed), network in networks.items() if variant == "spiking"}
    if not made:
        return {}
    own, network = replace(params, seed=min(made)), made[min(made)]
    task = theta_replay.make_task(own, "test", Streams(own.seed))
    assert task is not None
    if "phi_reversion" not in network.arrays:
        return _sequence(own, simulate(network, task).spikes["excitatory"])
    # Interneurons whose weights are 0 leave the excitatory spikes as silent ones do.
    nothing = np.zeros_like(network.arrays["phi_reversion"])
    without = ct.Network({**network.arrays, "phi_reversion": nothing}, network.info)
    orders = np.mean([predicted(own, one) for one in made.values()], axis=0)
    return {
        **_sequence(own, simulate(without, task).spikes["excitatory"]),
        **_around_silence(own, simulate(network, task).spikes["excitatory"], "reversed"),
        "predicted.offset_deg": OFFSETS_DEG,
        "predicted.forward": orders[:, 0],
        "predicted.reversed": orders[:, 1],
    }


def _sequence(params: ct.Params, spikes: Spikes) -> dict[str, NDArray]:
    """Spikes around the silence, phases of the neurons in theta, both measured frequencies."""
    on_ms, off_ms = spans(params)
    measured = sequences(spikes, 0, on_ms, off_ms)
    return {
        **_around_silence(params, spikes, "sequence"),
        "sequence.off_ms": np.array(on_ms[1]),
        "sequence.phase": np.asarray(measured["phase_on"]),
        "sequence.beat_hz": np.array(measured["beat"]),
        "sequence.rhythm_hz": np.array(measured["rhythm"]),
    }


def _around_silence(params: ct.Params, spikes: Spikes, name: str) -> dict[str, NDArray]:
    since = spikes.times_ms - spans(params)[0][1]
    shown = (spikes.trials == 0) & (since >= -THETA_MS) & (since < REPLAY_MS)
    return {f"{name}.spike_ms": spikes.times_ms[shown], f"{name}.neuron": spikes.units[shown]}


def predicted(params: ct.Params, network: ct.Network) -> NDArray[np.float64]:
    """Order correlation of a current and the sum of it and reversion's (Eqs. 40, 41 and 22).

    Returns:
        For the same and for reversed order, at `OFFSETS_DEG`, (offset, 2).
    """
    phase, amplitude = network.arrays["phase"], network.arrays["amplitude"]
    orders = []
    for offset in np.deg2rad(OFFSETS_DEG):
        mirror = 1j * params.reversion_gain * np.sin(phase) * np.exp(1j * offset)
        turned = -np.angle(amplitude * np.exp(-1j * phase) + mirror)
        orders.append([order_correlation(phase, side * turned) for side in (1, -1)])
    return np.array(orders)
