"""Made-up arrays behind the figures of every talk, for the tests of the report."""

from __future__ import annotations

import numpy as np

from whyspiking.declared import registry

SEEDS = (0, 1, 2)


def exhibits(experiment: registry.Experiment) -> dict[str, np.ndarray]:
    """Arrays behind the signature figures of one experiment."""
    rng = np.random.default_rng(3)
    made: dict[str, np.ndarray] = {}
    if experiment.kind == "classification":
        time = np.linspace(0, 4, 101)
        made["anytime.time_ms"] = time
        for seed in SEEDS:
            steep = 1 / (1 + np.exp(-8 * (time - 1 - 0.03 * seed)))
            made[f"anytime.spiking.{seed}"] = 1 / 3 + 0.62 * steep
    made |= _yinyang(rng) if experiment.name == "yinyang" else {}
    made |= _labelled(rng) if experiment.name == "ecg" else {}
    made |= _formula() if experiment.name == "spoken" else {}
    made |= _digit(rng) if experiment.name == "mnist_strict" else {}
    made |= _bursts(rng) if experiment.name == "xor" else {}
    made |= _two_channels(rng) if experiment.name in ("neuron", "multiplexing") else {}
    made |= _pairing(rng) if experiment.name == "plasticity" else {}
    made |= _word(rng) if experiment.name == "words" else {}
    made |= _recording(rng) if experiment.name == "nmnist" else {}
    if experiment.name == "regression":
        made["series.target"] = rng.normal(size=(500, 3))
        made["series.output"] = made["series.target"] + 0.2 * rng.normal(size=(500, 3))
        made["series.dt_ms"] = np.array(1.0)
    made |= _latencies(rng) if experiment.name in ("mnist_slow", "mnist_fast") else {}
    if experiment.name == "boolean":
        made["boolean.accuracy"] = 1 - 0.02 * rng.random((3, 16))
    if experiment.name in ("sine", "sawtooth", "product"):
        time = np.arange(0, 12000.0)
        target = np.sin(2 * np.pi * 5 * time / 1000)
        output = np.where(time < 5000, 0.3 * rng.normal(size=time.size), target)
        made |= {"training.time_ms": time, "training.output": output, "training.target": target}
        made["training.rls_ms"] = np.array([5000.0, 10000.0])
        made |= {"replay.time_ms": time[:5000], "replay.output": target[:5000, None]}
        made["replay.target"] = target[:5000, None]
        made["raster.spike_ms"] = rng.uniform(0, 1000, 2000)
        made["raster.neuron"] = rng.integers(0, 60, 2000)
    if experiment.name in ("ode", "episode", "song"):
        time = np.arange(0, 4000.0)
        target = np.stack(
            [np.clip(np.sin(2 * np.pi * (time / 2000 - k / 5)), 0, 1) for k in range(5)], axis=1
        )
        noisy = target + 0.05 * rng.normal(size=target.shape)
        made |= {"replay.time_ms": time, "replay.output": noisy, "replay.target": target}
    if experiment.talk == "scherr":
        made |= _scherr(rng, experiment.name)
    return made | (_sequence(rng) if experiment.name == "shot" else {})


def _scherr(rng: np.random.Generator, experiment: str) -> dict[str, np.ndarray]:
    time = np.arange(0, 1000.0)
    wave = np.sin(2 * np.pi * time / 1000)
    if experiment == "oneshot":
        path = np.stack([wave, wave[::-1] ** 2], axis=1)[None, ::10].repeat(4, axis=0)
        return {
            "movement.target": path,
            "movement.before": 0.2 * rng.normal(size=path.shape),
            "movement.after": path + 0.1 * rng.normal(size=path.shape),
        }
    if experiment == "pattern":
        made = {"pattern.time_ms": time, "pattern.target": wave}
        for variant, noise in (
            ("untrained", 0.9),
            ("readout", 0.2),
            ("spiking", 0.05),
            ("random", 0.07),
        ):
            made[f"pattern.output.{variant}"] = wave + noise * rng.normal(size=time.size)
        return made
    if experiment != "evidence":
        return {}
    return {
        "trial.time_ms": time,
        "trial.input_ms": np.sort(rng.uniform(0, 1000, 300)),
        "trial.input_channel": rng.integers(0, 40, 300),
        "trial.spike_ms": np.sort(rng.uniform(0, 1000, 800)),
        "trial.neuron": rng.integers(0, 100, 800),
        "trial.shown": np.array([60, 71, 88]),
        "trial.threshold": 0.6 + 0.001 * np.outer(time, [0.1, 0.2, 0.3]),
        "trial.eligibility": rng.normal(size=(1000, 3)),
        "trial.synapse_pre": np.array([3, 14, 33]),
        "trial.learning_signal": np.outer(time > 850, [0.3, -0.2, 0.1]),
        "trial.chance_right": 1 / (1 + np.exp(-(time - 900) / 30)),
        "trial.label": np.array(1),
        "trial.n_lif": np.array(50),
        "memory.steps": np.array([250, 1000, 4000]),
        "memory.eprop": np.array([123032] * 3),
        "memory.bptt": np.array([43000, 128000, 470000]),
    }


def _yinyang(rng: np.random.Generator) -> dict[str, np.ndarray]:
    axis = np.linspace(0, 1, 41)
    x, y = np.meshgrid(axis, axis)
    wave = 0.18 * np.sin(2 * np.pi * (x - 0.5))
    dots = np.minimum(np.hypot(x - 0.25, y - 0.5), np.hypot(x - 0.75, y - 0.5))
    first = np.stack([1 + y - wave, 2 - y + wave, 0.9 + 6 * dots], axis=2)
    first[first > 2.2] = np.inf
    time = np.arange(0, 4, 0.01)
    ramp = np.outer(time * np.exp(-time) * 2.7, [1.05, 0.6, -0.4])
    hidden = np.where(rng.random(120) < 0.7, rng.uniform(0.3, 2.2, 120), np.inf)
    return {
        "map.axis": axis,
        "map.first_ms": first,
        "trace.time_ms": time,
        "trace.v_output": ramp,
        "trace.v_hidden": np.outer(time * np.exp(-time) * 2.7, rng.uniform(-0.5, 1.1, 6)),
        "trace.input_ms": np.array([0.3, 1.2, 1.6, 0.7, 0.9]),
        "trace.hidden_ms": hidden,
        "trace.output_ms": np.array([1.1, np.inf, np.inf]),
        "trace.target": np.array(0),
    }


def _labelled(rng: np.random.Generator) -> dict[str, np.ndarray]:
    labels = np.repeat(np.tile(np.arange(6), 10), 24)[:1301]
    made = {
        "record.step_ms": np.array(4.0),
        "record.voltage_mv": rng.normal(0, 0.3, (1301, 2)),
        "record.events": rng.random((1301, 4)) < 0.07,
        "record.labels": labels,
        "record.choices": np.where(rng.random(1301) < 0.1, 0, labels),
        "record.accuracy": np.array(0.9),
        "record.spikes": rng.random((1301, 36)) < 0.2,
        "record.eta": rng.random((1301, 3)) * [0.2, 0.3, 0.4],
        "record.eta_tau_ms": np.array([40.0, 300.0, 2000.0]),
    }
    for kind, count in (("mem", 108), ("adapt", 108), ("out", 18)):
        made[f"tau.start.{kind}_ms"] = np.full(count, 80.0)
        made[f"tau.end.{kind}_ms"] = np.exp(rng.normal(5, 1, count))
    return made


def _formula() -> dict[str, np.ndarray]:
    units = np.array([8, 36, 200, 2000])
    return {
        "formula.units": units,
        "formula.rates": np.array([0.3, 0.01]),
        "formula.ratio": np.outer([0.4, 2.0], units),
        "formula.measured": np.array([128, 0.2, 160.0]),
    }


def _digit(rng: np.random.Generator) -> dict[str, np.ndarray]:
    edges, ticks = np.arange(0, 265, 8), np.arange(0, 256, 2)
    made = {
        "digit.image": rng.uniform(0, 1, (28, 28)),
        "digit.target": np.array(3),
        "digit.input": rng.integers(0, 257, 784),
        "digit.hidden": rng.integers(2, 257, 400),
        "digit.output": np.array([256, 120, 99, 70, 256, 81, 256, 200, 256, 130]),
        "filters.weights": rng.normal(0, 10, (16, 28, 28)),
        "decided.tick": edges,
        "forced.tick": ticks,
    }
    for seed in SEEDS:
        made[f"decided.share.{seed}"] = np.full(33, 1 / 33)
        made[f"forced.accuracy.{seed}"] = 0.97 - 0.87 * np.exp(-ticks / (30.0 + seed))
        made[f"ties.share.{seed}"] = np.array(0.01)
        made[f"parity.times.{seed}"] = np.array(1.0)
    return made


def _bursts(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Those of naud's XOR network."""
    time, epoch = np.arange(0, 1200.0, 2), np.array([0, 30, 60, 90, 100, 110, 120, 121])
    wave = np.sin(time / 40)
    sign = np.array([-1, 1, 1, -1])
    made = {
        "trace.time_ms": time,
        "trace.soma_mv": -60 + 8 * wave,
        "trace.dendrite_mv": -58 + 6 * wave,
        "trace.threshold_mv": np.full(time.size, -49.0),
        "trace.event_ms": np.arange(50, 1200, 90.0),
        "trace.burst_ms": np.array([240.0, 510, 600]),
        "trace.step_ms": np.array([400.0, 800.0]),
        "trace.step_pa": np.array(1000.0),
        "output.bin_ms": np.array(200.0),
        "output.before": rng.uniform(6, 10, 80),
        "output.after": np.repeat(6 + 2.5 * sign, 20) + rng.normal(0, 0.4, 80),
        "weights.edges": np.linspace(0, 0.6, 61),
        "weights.counts": rng.integers(0, 500, (6, 60)),
        "weights.mean": np.linspace(0.15, 0.32, 6),
        "weights.start": np.array(0.234),
    }
    for when in ("start", "trained"):
        gradient = rng.normal(size=(4, 6))
        made[f"alignment.{when}.gradient"] = gradient
        made[f"alignment.{when}.rule"] = gradient + 0.5 * rng.normal(size=(4, 6))
    for variant in ("spiking", "no_feedback", "no_floor"):
        for seed in SEEDS:
            learned = (variant == "spiking") * np.clip(epoch / 90, 0, 1)
            output = 6 + 2 * learned[:, None] * sign + rng.normal(0, 0.2, (epoch.size, 4))
            place = f"{variant}.{seed}"
            made |= {
                f"tests.epoch.{place}": epoch,
                f"tests.rates.{place}": np.repeat(output[:, :, None], 5, axis=2),
                f"credit.{place}": np.outer([0, 0, 0.1, -0.1, 0.3], sign),
                f"updates.{place}": rng.normal(-0.01, 0.02, (480, 5, 2)),
                f"predicted.{place}": rng.uniform(1, 4, (480, 5)),
            }
    return made


def _two_channels(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Those of naud's uncoupled neurons and of its two ensembles."""
    soma, dendrite = np.linspace(-2e-10, 4e-10, 7), np.linspace(-1e-10, 3.5e-10, 10)
    time = 50.0 * (np.arange(60) + 0.5)
    waves = np.stack([np.sin(time / 80), np.sin(time / 178)], axis=1)
    rate = 6 + 3 * waves[:, 0] + rng.normal(0, 0.5, (5, 60))
    share = 0.3 + 0.1 * waves[:, 1] + rng.normal(0, 0.02, (5, 60))
    signals = {"events": rate, "bursts": rate * share, "probability": share}
    steps = np.arange(4000)
    made = {
        "soma_levels": soma,
        "dendrite_levels": dendrite,
        "event_rate_hz": 6 + 1e10 * soma[:, None] + 0.1 * rng.normal(size=(7, 10)),
        "burst_probability": np.tile(1 / (1 + np.exp(-(dendrite - 1e-10) / 5e-11)), (7, 1)),
        "sigmoid": np.array([0.0, 1.0, 1e-10, 5e-11]),
        "trace.dt_ms": np.array(0.1),
        "trace.soma_current": np.array(5e-10),
        "trace.dendrite_current": np.array([0.0, 3e-10]),
        "time_ms": time,
        "waves": waves,
        "depressing": np.stack([rate, rate], axis=-1),
        "facilitating": np.stack([rate * share, rate * share], axis=-1),
        "raster.spike_ms": rng.uniform(0, 3000, 2000),
        "raster.row": rng.integers(0, 120, 2000),
        "raster.burst": rng.random(2000) < 0.4,
        "raster.neurons": np.array(60),
    }
    made |= {f"{name}_{k}": values for name, values in signals.items() for k in (1, 2)}
    for case in ("weak", "strong"):
        made[f"trace.{case}.soma"] = -0.06 + 0.01 * np.sin(steps / 90)
        made[f"trace.{case}.dendrite"] = -0.05 + 0.01 * np.sin(steps / 90)
        made[f"trace.{case}.spike_ms"] = np.array([40.0, 48, 160])
    return made


def _pairing(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Those of naud's synapse."""
    p, rates = 0.05 * np.arange(10), np.array([5.0, 10.0])
    mean = 0.07 * rates[:, None] ** 2 * (p - 0.2)
    hertz = 5.0 * np.arange(1, 11)
    poisson = 0.1 * (hertz - np.array([[25.0], [45.0]]))
    return {
        "event_rates_hz": rates,
        "burst_probabilities": p,
        "predicted": mean,
        "burst": mean[..., None] + 0.2 * rng.normal(size=(2, 10, 20)),
        "poisson_rates_hz": hertz,
        "poisson_starts": np.array([0.3, 0.5]),
        "poisson": poisson[..., None] + 0.3 * rng.normal(size=(2, 10, 20)),
        "periodic_rates_hz": 10.0 * np.arange(1, 11),
        "periodic": np.where(np.arange(10) < 6, -0.3, 0.1),
        "p_start": np.array(0.2),
    }


def _recording(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Events of one digit and spikes of three layers, as neftci keeps them."""
    made: dict[str, np.ndarray] = {
        "digit.input_t_ms": np.sort(rng.uniform(0, 315, 400)),
        "digit.input_x": rng.integers(0, 34, 400),
        "digit.input_y": rng.integers(0, 34, 400),
        "digit.input_on": rng.integers(0, 2, 400),
        "digit.target": np.array(2),
        "digit.dt_ms": np.array(15.0),
        "digit.readout3": rng.normal(size=(21, 10)) + np.eye(10)[np.full(21, 2)],
    }
    for layer in (1, 2, 3):
        made[f"digit.layer{layer}_t_ms"] = rng.uniform(0, 315, 40)
        made[f"digit.layer{layer}_unit"] = rng.integers(0, 150, 40)
    return made


def _word(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A spectrum, spikes of three layers and leaks, as the spoken words keep them."""
    mel = rng.normal(size=(101, 40))
    mel[30:70, 10:20] += 3
    made: dict[str, np.ndarray] = {"word.mel": mel, "word.target": np.asarray(3)}
    for k in range(3):
        made[f"word.layer_{k}"] = rng.random((101, 64)) < 0.1
        for seed in SEEDS:
            for variant in ("spiking", "sparse"):
                made.setdefault(f"leak.{variant}.{seed}", 0.5 + 0.4 * rng.random(3))
    return made


def _latencies(rng: np.random.Generator) -> dict[str, np.ndarray]:
    time = np.linspace(0, 40, 400)
    centre = np.arange(-40, 40)
    share = np.exp(-0.5 * ((centre + 15) / 4.0) ** 2)
    late = np.outer(time - 20, np.linspace(0.02, 0.1, 10))
    return {
        "digit.target": np.array(9),
        "digit.input_ms": np.where(rng.random(784) < 0.2, rng.random(784), np.inf),
        "digit.hidden_ms": rng.exponential(3, 340),
        "digit.output_ms": np.linspace(40, 22, 10),
        "digit.input_pulses_ms": np.linspace(0.1, 15, 10),
        "digit.hidden_pulses_ms": np.linspace(5, 50, 10),
        "digit.time_ms": time,
        "digit.v_output": late + 0.2,
        "digit.v_without": late - 0.5,
        "relative.edges_ms": np.arange(-40, 41.0),
        "relative.share": share / share.sum(),
        "relative.decision_ms": rng.normal(20, 2, 200),
        "start.means": np.linspace(0.3, -0.3, 7),
        "start.pulses_ms": np.array([[0.1, 0.9], [10.0, 50.0]]),
        "start.first_ms": np.array([[0.6] * 7, [1.5, 1.6, 1.7, 2.0, 15.0, 20.0, np.inf]]),
    }


def _sequence(rng: np.random.Generator) -> dict[str, np.ndarray]:
    n, beat, rhythm, off = 200, 0.55, 8.5, 6000.0
    phase = rng.uniform(-np.pi, np.pi, n)
    spikes, units = [], []
    for neuron in range(n):
        for start, stop, hz, count in ((0, off, beat, 7), (off, 8000, rhythm, 2)):
            cycle = 1000 / hz
            centres = np.arange(start, stop, cycle) + (phase[neuron] / (2 * np.pi) % 1) * cycle
            times = (
                centres[:, None] + 0.06 * cycle * rng.normal(size=(centres.size, count))
            ).ravel()
            spikes.append(times[(times > start) & (times < stop)])
            units.append(np.full(spikes[-1].size, neuron))
    return {
        "sequence.spike_ms": np.concatenate(spikes),
        "sequence.neuron": np.concatenate(units),
        "sequence.phase": phase,
        "sequence.off_ms": np.array(off),
        "sequence.beat_hz": np.array(beat),
        "sequence.rhythm_hz": np.array(rhythm),
    }
