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
    networks_by_seed = {
        seed: network for (variant, seed), network in networks.items() if variant == "spiking"
    }
    if not networks_by_seed:
        return {}
    seed_params, network = (
        replace(params, seed=min(networks_by_seed)),
        networks_by_seed[min(networks_by_seed)],
    )
    task = theta_replay.make_task(seed_params, "test", Streams(seed_params.seed))
    assert task is not None
    if "phi_reversion" not in network.arrays:
        return _describe_sequence(seed_params, simulate(network, task).spikes["excitatory"])
    # Interneurons whose weights are 0 leave the excitatory spikes as silent ones do.
    no_weights = np.zeros_like(network.arrays["phi_reversion"])
    network_without = ct.Network({**network.arrays, "phi_reversion": no_weights}, network.info)
    orders = np.mean(
        [predict_orders(seed_params, trained) for trained in networks_by_seed.values()], axis=0
    )
    return {
        **_describe_sequence(seed_params, simulate(network_without, task).spikes["excitatory"]),
        **_cut_around_silence(
            seed_params, simulate(network, task).spikes["excitatory"], "reversed"
        ),
        "predicted.offset_deg": OFFSETS_DEG,
        "predicted.forward": orders[:, 0],
        "predicted.reversed": orders[:, 1],
    }


def _describe_sequence(params: ct.Params, spikes: Spikes) -> dict[str, NDArray]:
    """Spikes around the silence, phases of the neurons in theta, both measured frequencies."""
    on_ms, off_ms = spans(params)
    sequence = sequences(spikes, 0, on_ms, off_ms)
    return {
        **_cut_around_silence(params, spikes, "sequence"),
        "sequence.off_ms": np.array(on_ms[1]),
        "sequence.phase": np.asarray(sequence["phase_on"]),
        "sequence.beat_hz": np.array(sequence["beat"]),
        "sequence.rhythm_hz": np.array(sequence["rhythm"]),
    }


def _cut_around_silence(params: ct.Params, spikes: Spikes, name: str) -> dict[str, NDArray]:
    since_silence_ms = spikes.times_ms - spans(params)[0][1]
    is_shown = (
        (spikes.trials == 0) & (since_silence_ms >= -THETA_MS) & (since_silence_ms < REPLAY_MS)
    )
    return {f"{name}.spike_ms": spikes.times_ms[is_shown], f"{name}.neuron": spikes.units[is_shown]}


def predict_orders(params: ct.Params, network: ct.Network) -> NDArray[np.float64]:
    """Predict the order correlation of a current and its sum with reversion's (Eqs. 40, 41, 22).

    Returns:
        For the same and for reversed order, at `OFFSETS_DEG`, (offset, 2).
    """
    phase, amplitude = network.arrays["phase"], network.arrays["amplitude"]
    orders = []
    for offset in np.deg2rad(OFFSETS_DEG):
        reversion_current = 1j * params.reversion_gain * np.sin(phase) * np.exp(1j * offset)
        reversed_phase = -np.angle(amplitude * np.exp(-1j * phase) + reversion_current)
        orders.append([order_correlation(phase, sign * reversed_phase) for sign in (1, -1)])
    return np.array(orders)
