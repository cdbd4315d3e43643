"""Made-up arrays behind the figures of every talk, for the tests of the report."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from whyspiking.declared import registry

SEEDS = (0, 1, 2)
Arrays = dict[str, np.ndarray]


def exhibits(experiment: registry.Experiment) -> Arrays:
    """What the figures read of one experiment."""
    make = MAKERS.get(f"{experiment.talk}/{experiment.name}", lambda rng: {})
    curves = _anytime() if experiment.kind == "classification" else {}
    return curves | make(np.random.default_rng(3))


def _anytime() -> Arrays:
    time = np.linspace(0, 4, 101)
    curves = {
        f"anytime.spiking.{seed}": 1 / 3 + 0.62 / (1 + np.exp(-8 * (time - 1 - 0.03 * seed)))
        for seed in SEEDS
    }
    return {"anytime.time_ms": time, **curves}


def _record(rng: np.random.Generator) -> Arrays:
    """An electrocardiogram, labelled."""
    labels = np.repeat(np.tile(np.arange(6), 10), 24)[:1301]
    return {
        "record.step_ms": np.array(4.0),
        "record.events": rng.random((1301, 4)) < 0.07,
        "record.labels": labels,
        "record.choices": np.where(rng.random(1301) < 0.1, 0, labels),
        "record.accuracy": np.array(0.9),
        "record.spikes": rng.random((1301, 36)) < 0.2,
        "record.eta": rng.random((1301, 3)) * [0.2, 0.3, 0.4],
        "record.eta_tau_ms": np.array([40.0, 300.0, 2000.0]),
    }


def _chip(rng: np.random.Generator) -> Arrays:
    """Output spikes of a chip, and of two models of it."""
    saved = rng.uniform(1.6, 2.6, (200, 3))
    off = {"saved": 0.0, "ideal": 0.15, "fitted": 0.05}
    return {f"chip.{k}": saved + sd * rng.standard_normal(saved.shape) for k, sd in off.items()}


def _theta_sequence(rng: np.random.Generator) -> Arrays:
    n, beat, rhythm, off = 200, 0.55, 8.5, 6000.0
    phase = rng.uniform(-np.pi, np.pi, n)
    spikes = []
    for start, stop, hz, count in ((0, off, beat, 7), (off, 8000, rhythm, 2)):
        cycle = 1000 / hz
        places = np.arange(start, stop, cycle) + (phase[:, None] / (2 * np.pi) % 1) * cycle
        times = places[..., None] + 0.06 * cycle * rng.normal(size=(*places.shape, count))
        neurons = np.broadcast_to(np.arange(n)[:, None, None], times.shape)
        inside = (times > start) & (times < stop)
        spikes.append(np.stack([times[inside], neurons[inside]]))
    spike_ms, neuron = np.concatenate(spikes, axis=1)
    return {
        "sequence.spike_ms": spike_ms,
        "sequence.neuron": neuron.astype(int),
        "sequence.phase": phase,
        "sequence.off_ms": np.array(off),
        "sequence.beat_hz": np.array(beat),
        "sequence.rhythm_hz": np.array(rhythm),
    }


def _course(rng: np.random.Generator) -> Arrays:
    """A sine before and after FORCE has learned it."""
    time = np.arange(0, 12000.0)
    target = np.sin(2 * np.pi * 5 * time / 1000)
    return {
        "training.time_ms": time,
        "training.target": target,
        "training.output": np.where(time < 5000, 0.3 * rng.normal(size=time.size), target),
        "training.rls_ms": np.array([5000.0, 10000.0]),
    }


def _latencies(rng: np.random.Generator) -> Arrays:
    """A digit in times, and when hidden neurons fire relative to the decision."""
    share = np.exp(-0.5 * ((np.arange(-40, 40) + 15) / 4.0) ** 2)
    return {
        "digit.target": np.array(9),
        "digit.input_ms": np.where(rng.random(784) < 0.2, rng.random(784), np.inf),
        "digit.hidden_ms": rng.exponential(3, 340),
        "digit.output_ms": np.linspace(40, 22, 10),
        "digit.input_pulses_ms": np.linspace(0.1, 15, 10),
        "digit.hidden_pulses_ms": np.linspace(5, 50, 10),
        "relative.edges_ms": np.arange(-40, 41.0),
        "relative.share": share / share.sum(),
        "relative.decision_ms": rng.normal(20, 2, 200),
    }


def _map(rng: np.random.Generator) -> Arrays:
    """First spikes over the plane of Yin-Yang."""
    axis = np.linspace(0, 1, 41)
    x, y = np.meshgrid(axis, axis)
    wave = 0.18 * np.sin(2 * np.pi * (x - 0.5))
    dots = np.minimum(np.hypot(x - 0.25, y - 0.5), np.hypot(x - 0.75, y - 0.5))
    first = np.stack([1 + y - wave, 2 - y + wave, 0.9 + 6 * dots], axis=2)
    return {"map.axis": axis, "map.first_ms": np.where(first > 2.2, np.inf, first)}


def _ticks(rng: np.random.Generator) -> Arrays:
    """A digit in whole ticks, two outputs of which tie."""
    return {
        "digit.image": rng.uniform(0, 1, (28, 28)),
        "digit.target": np.array(3),
        "digit.input": rng.integers(0, 257, 784),
        "digit.hidden": rng.integers(2, 257, 400),
        "digit.output": np.array([256, 120, 99, 70, 256, 81, 256, 200, 256, 70]),
    }


def _xor(rng: np.random.Generator) -> Arrays:
    sign = np.array([-1, 1, 1, -1])
    credit = np.outer([0, 0, 0.1, -0.1, 0.3], sign)
    return {
        **{f"credit.{v}.{seed}": credit for v in ("spiking", "no_feedback") for seed in SEEDS},
        **{
            f"output.spiking.{seed}": 6
            + np.outer([-0.1, 2.5], sign)[:, :, None]
            + rng.normal(0, 0.4, (2, 4, 20))
            for seed in SEEDS
        },
    }


def _two_channels(rng: np.random.Generator) -> Arrays:
    """Events that follow one wave, bursts that follow the other."""
    time = 50.0 * (np.arange(60) + 0.5)
    waves = np.stack([np.sin(time / 80), np.sin(time / 178)], axis=1)
    return {
        "time_ms": time,
        "waves": waves,
        "raster.spike_ms": rng.uniform(0, 3000, 2000),
        "raster.row": rng.integers(0, 120, 2000),
        "raster.burst": rng.random(2000) < 0.4,
        "raster.neurons": np.array(60),
        "events_1": 6 + 3 * waves[:, 0] + rng.normal(0, 0.5, (5, 60)),
        "probability_2": 0.3 + 0.1 * waves[:, 1] + rng.normal(0, 0.02, (5, 60)),
    }


def _pairing(rng: np.random.Generator) -> Arrays:
    """Change of a synapse by how often its neuron bursts."""
    p, rates = 0.05 * np.arange(10), np.array([5.0, 10.0])
    mean = 0.07 * rates[:, None] ** 2 * (p - 0.2)
    return {
        "event_rates_hz": rates,
        "burst_probabilities": p,
        "predicted": mean,
        "burst": mean[..., None] + 0.2 * rng.normal(size=(2, 10, 20)),
        "p_start": np.array(0.2),
    }


def _events(rng: np.random.Generator) -> Arrays:
    """A recorded digit, and spikes of three layers."""
    layers = [(rng.uniform(0, 315, 40), rng.integers(0, 150, 40)) for _ in range(3)]
    return {
        "digit.input_t_ms": np.sort(rng.uniform(0, 315, 400)),
        "digit.input_x": rng.integers(0, 34, 400),
        "digit.input_y": rng.integers(0, 34, 400),
        "digit.input_on": rng.integers(0, 2, 400),
        "digit.target": np.array(2),
        "digit.dt_ms": np.array(15.0),
        "digit.readout3": rng.normal(size=(21, 10)) + np.eye(10)[np.full(21, 2)],
        **{f"digit.layer{k}_t_ms": times for k, (times, _) in enumerate(layers, 1)},
        **{f"digit.layer{k}_unit": units for k, (_, units) in enumerate(layers, 1)},
    }


def _trial(rng: np.random.Generator) -> Arrays:
    """Evidence accumulated over a trial, and what its synapses keep."""
    time = np.arange(0, 1000.0)
    return {
        "trial.time_ms": time,
        "trial.input_ms": np.sort(rng.uniform(0, 1000, 300)),
        "trial.input_channel": rng.integers(0, 40, 300),
        "trial.spike_ms": np.sort(rng.uniform(0, 1000, 800)),
        "trial.neuron": rng.integers(0, 100, 800),
        "trial.shown": np.array([60, 71, 88]),
        "trial.threshold": 0.6 + 0.001 * np.outer(time, [0.1, 0.2, 0.3]),
        "trial.eligibility": rng.normal(size=(1000, 3)),
        "trial.learning_signal": np.outer(time > 850, [0.3, -0.2, 0.1]),
        "trial.chance_right": 1 / (1 + np.exp(-(time - 900) / 30)),
        "trial.label": np.array(1),
        "trial.n_lif": np.array(50),
    }


def _pattern(rng: np.random.Generator) -> Arrays:
    time = np.arange(0, 1000.0)
    wave = np.sin(2 * np.pi * time / 1000)
    noise = {"untrained": 0.9, "readout": 0.2, "spiking": 0.05, "random": 0.07}
    outputs = {
        f"pattern.output.{name}": wave + sd * rng.normal(size=1000) for name, sd in noise.items()
    }
    return {"pattern.time_ms": time, "pattern.target": wave, **outputs}


def _movement(rng: np.random.Generator) -> Arrays:
    wave = np.sin(np.linspace(0, 2 * np.pi, 100))
    path = np.tile(np.stack([wave, wave[::-1] ** 2], axis=1), (4, 1, 1))
    return {
        "movement.target": path,
        "movement.before": 0.2 * rng.normal(size=path.shape),
        "movement.after": path + 0.1 * rng.normal(size=path.shape),
    }


MAKERS: dict[str, Callable[[np.random.Generator], Arrays]] = {
    "bohte/ecg": _record,
    "clopath/shot": _theta_sequence,
    "clopath/shot_published": _theta_sequence,
    "clopath/sine": _course,
    "comsa/mnist_slow": _latencies,
    "comsa/regimes": _latencies,
    "comsa/boolean": lambda rng: {"boolean.accuracy": 1 - 0.02 * rng.random((3, 16))},
    "goeltz/released_chip": _chip,
    "goeltz/yinyang": _map,
    "masquelier/published": _ticks,
    "naud/xor": _xor,
    "naud/xor_published": _xor,
    "naud/multiplexing": _two_channels,
    "naud/plasticity": _pairing,
    "neftci/nmnist": _events,
    "scherr/evidence": _trial,
    "scherr/evidence_published": lambda rng: {
        f"iterations.{name}": rng.integers(200, 500, 10).astype(float)
        for name in ("spiking", "symmetric")
    },
    "scherr/pattern": _pattern,
    "scherr/oneshot": _movement,
}
