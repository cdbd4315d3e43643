"""The network that goes on learning inside Brian2, on neurons that differ (README, section 4).

One run is the life of one device: tested as designed, then as built (thresholds and time constants
deviate), then learning digit by digit with the deviations, then tested again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Binding,
    Condition,
    Network,
    Params,
    Recording,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.errors import UserError
from whyspiking.talks.neftci import model
from whyspiking.talks.neftci import task as tasks
from whyspiking.talks.neftci.digits import evaluate, make_task, reference_counts, train

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "reference_counts",
    "to_brian", "train", "vary",
]  # fmt: skip

PERTURBATION = "device"
"""Name of this talk's own condition: relative sd of thresholds and time constants."""
CONTROL, WANTED = "control", "wanted"
RATE, BUILT = 0, 1
"""Columns of `control`: learning rate of this step; 1 while neurons deviate, 0 as designed."""
DEVIATING = ("v_th", "tau_m", "tau_s", "tau_r")

TRACES = """
q : 1
p : 1
"""
# Eq. 1 for the input, whose spikes pass through within a step.
INPUT = TRACES + "x : 1\nalpha : 1\nbeta : 1\n"
TRACE_STEP = """
p = alpha * p + (1 - alpha) * q
q = beta * q
"""
NEURON = (
    model.NEURON
    + TRACES
    + "theta : 1\ndelta : 1\nsignal : 1\n"
    + "".join(f"d_{name} : 1\n" for name in DEVIATING)
)
STEP = model.STEP + TRACE_STEP
THRESHOLD = "v + b + r > theta"
RESET = "fired = 1; q += 1 - beta"
START = """
v = 0; i_syn = 0; r = 0; fired = 0; q = 0; p = 0; delta = 0; signal = 0
theta = v_th * (1 + control(t, 1) * d_v_th)
alpha = exp(-dt / (tau_m * (1 + control(t, 1) * d_tau_m)))
beta = exp(-dt / (tau_s * (1 + control(t, 1) * d_tau_s)))
gamma = exp(-dt / (tau_r * (1 + control(t, 1) * d_tau_r)))
"""
# Eq. 7: error of the readout, learning signal of the neuron, change of bias and weights.
READOUT = "y : 1\nerror : 1"
ERROR = "error = clip(y - wanted(t, i), -1, 1)"
SIGNAL = "signal_pre += w * error_post"
DELTA = """
delta = control(t, 0) * signal / ({slope} * abs(v + b + r - theta) + 1)**2
b -= delta
signal = 0
"""
CHANGE = "w -= delta_post * p_pre"
# An event of the presynaptic side, so that synapses cost nothing while nothing is learned.
LEARNING = {"learn": "control(t, 0) * p > 0"}


def to_brian(params: Params) -> BrianModel:
    """The structure with learning; nothing is learned where `control` is zero."""
    n_in, *hidden = model.sizes(params)
    groups = model.names(params)
    n_classes, dt_ms, n_frames = params.n_classes, params.dt_ms, params.n_frames
    delta = DELTA.format(slope=float(params.surrogate_slope))

    def construct(inputs: Mapping[str, Any]) -> list[Any]:
        import brian2
        from brian2 import ms

        rows = (params.max_trials * n_frames, 2), (params.max_trials, n_classes)
        known = {
            CONTROL: brian2.TimedArray(np.zeros(rows[0]), dt=dt_ms * ms, name=CONTROL),
            WANTED: brian2.TimedArray(np.zeros(rows[1]), dt=dt_ms * n_frames * ms, name=WANTED),
        }
        retina, seen = retina_of(inputs[tasks.INPUT], n_in, dict(LEARNING), known)
        made: list[Any] = [retina, seen]
        source = retina
        for index, (name, n) in enumerate(zip(groups, hidden, strict=True), start=1):
            layer = brian2.NeuronGroup(
                n, NEURON, threshold=THRESHOLD, reset=RESET, events=dict(LEARNING), name=name,
                namespace=known,
            )  # fmt: skip
            layer.run_regularly(STEP, when="groups", name=f"step_{name}")
            readout, reading = model.readout_of(layer, index, n_classes, READOUT, known)
            made += [layer, readout, reading]
            made.append(learn(source, layer, index, (readout, reading), ERROR, delta))
            source = layer
        return made

    plain = model.to_brian(params)
    return replace(
        plain,
        name="decolle-plastic",
        definition={
            "equations": [INPUT, TRACE_STEP, NEURON, STEP, THRESHOLD, RESET, model.ON_SPIKE],
            "learning": [ERROR, SIGNAL, delta, CHANGE, LEARNING["learn"]],
            "sizes": plain.definition["sizes"],
        },
        construct=construct,
        reset={"retina": "q = 0; p = 0; x = 0", **dict.fromkeys(groups, START)},
    )


def learn(
    source: Any, layer: Any, index: int, read: tuple[Any, Any], error: str, delta: str
) -> Any:
    """Synapses into a layer that follow Eq. 7 at the end of every step in which `source` learns.

    Args:
        source: Presynaptic group, with a trace `p` and an event `learn`.
        layer: Postsynaptic group.
        index: Its number, from 1.
        read: Its readout and the synapses that lead there.
        error: Statement for the error of the readout.
        delta: Statements for the change of the bias and `delta`.

    Returns:
        The synapses "s<index>".
    """
    import brian2

    readout, reading = read
    events: Any = {"change": "learn"}
    drive = brian2.Synapses(
        source, layer, "w : 1", name=f"s{index}",
        on_pre={"pre": model.ON_SPIKE, "change": CHANGE}, on_event=events,
    )  # fmt: skip
    drive.connect()
    readout.run_regularly(error, when="end", order=1, name=f"error{index}")
    reading.run_regularly(SIGNAL, when="end", order=2, name=f"signal{index}")
    layer.run_regularly(delta, when="end", order=3, name=f"delta{index}")
    drive.change.when, drive.change.order = "end", 4
    return drive


def retina_of(
    source: Any, n_in: int, events: dict[str, str], known: Mapping[str, Any], more: str = ""
) -> tuple[Any, Any]:
    """Neurons that pass input spikes on within the step and keep the traces of the inputs.

    Args:
        source: Generator of the input spikes.
        n_in: Number of inputs.
        events: When synapses from the inputs learn.
        known: What the conditions of `events` may name.
        more: Further variables.

    Returns:
        The group "retina" and the synapses "seen" that lead to it.
    """
    import brian2

    retina = brian2.NeuronGroup(
        n_in, INPUT + more, threshold="x > 0", reset="x = 0", events=events, name="retina",
        namespace=known,
    )  # fmt: skip
    retina.run_regularly(TRACE_STEP, when="groups", name="step_retina")
    seen = brian2.Synapses(
        source, retina, on_pre="x_post = 1; q_post += 1 - beta_post", name="seen"
    )
    seen.connect(j="i")
    # The generator, then this, then the threshold of the retina: no step is lost on the way.
    seen.pre.when, seen.pre.order = "thresholds", 1
    retina.thresholder["spike"].order = 2
    return retina, seen


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into that structure; neurons do not deviate yet."""
    plain = model.bind(params, network)
    alpha, beta, _ = model.decays(params)
    values = {**plain.values, "retina.alpha": alpha, "retina.beta": beta}
    for name in model.names(params):
        values |= {f"{name}.d_{key}": 0.0 for key in DEVIATING}
    return Binding(values, plain.layers)


def conditions(params: Params) -> list[Condition]:
    """One life of a device per size of deviations."""
    return [Condition(PERTURBATION, "neurons", float(level)) for level in params.deviations]


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """The trials of a device's life, and how its neurons deviate.

    Deviations are normal, cut at three standard deviations and at -95 %.

    Args:
        params: `n_relearn`, `relearn_rate` at the start.
        condition: Its strength is the relative standard deviation.
        task: Some test digits; not used, since losses are small: all are tested, three times.
        binding: The network as trained.
        rng: Source of deviations and of the order of digits.
    """
    test = make_task(params, "test", Streams(params.seed))
    assert test is not None
    if 3 * len(test.targets) + params.n_relearn > params.max_trials:
        raise UserError(
            f"talk '{params.talk}': a device's life is one run of 3 x 'n_test' + 'n_relearn' "
            "trials, more than 'max_trials'; raise that in talk.yaml"
        )
    data = tasks.recordings_of(params, "train")
    chosen = rng.permutation(len(data.labels))[: params.n_relearn]
    lesson = tasks.as_spikes(params, data, chosen)
    parts = [test, test, lesson, test]
    whole = join(params, parts)
    control = np.zeros((len(whole.targets), params.n_frames, 2))
    n, m = len(test.targets), len(lesson.targets)
    control[n:, :, BUILT] = 1
    # Falls evenly, so that the last digits leave no noise behind.
    rates = params.relearn_rate * (1 - np.arange(m) / m)
    control[2 * n : 2 * n + m, model.burn_in(params) :, RATE] = rates[:, None]
    wanted = np.eye(params.n_classes)[whole.targets][:, None, :]
    values = dict(binding.values)
    for name, size in zip(model.names(params), params.hidden, strict=True):
        for key in DEVIATING:
            drawn = np.clip(rng.standard_normal(size), -3, 3) * condition.strength
            values[f"{name}.d_{key}"] = np.maximum(drawn, -0.95)
    stimulus = Stimulus(whole.stimulus.spikes, {CONTROL: control, WANTED: wanted})
    return replace(whole, stimulus=stimulus), replace(binding, values=values)


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """Decisions; of a device's life those of its last test."""
    outcome = model.decode(params, recording, task)
    if CONTROL not in task.stimulus.arrays:
        return outcome
    last = periods(task)["relearned"]
    return replace(
        outcome,
        targets=outcome.targets[last],
        choices=outcome.choices[last],
        decision_ms=outcome.decision_ms[last],
    )


def periods(given: Task) -> dict[str, NDArray[np.int64]]:
    """Trials of each stage of a device's life."""
    control = given.stimulus.arrays[CONTROL]
    built, learning = control[:, -1, BUILT] > 0, control[:, -1, RATE] > 0
    first, last = np.flatnonzero(learning)[[0, -1]]
    index = np.arange(len(built))
    return {
        "designed": index[~built],
        "built": index[built & (index < first)],
        "lesson": index[learning],
        "relearned": index[index > last],
    }


def join(params: Params, parts: list[Task]) -> Task:
    """Several tasks, one after the other."""
    trains = [part.stimulus.spikes[tasks.INPUT] for part in parts]
    offsets = np.cumsum([0] + [train.n_trials for train in trains])
    spikes = Spikes(
        np.concatenate([train.times_ms for train in trains]),
        np.concatenate([train.units for train in trains]),
        np.concatenate(
            [train.trials + np.int32(o) for train, o in zip(trains, offsets[:-1], strict=True)]
        ),
        int(offsets[-1]),
        trains[0].n_units,
        trains[0].duration_ms,
    )
    return Task(
        Stimulus({tasks.INPUT: spikes}),
        np.concatenate([part.targets for part in parts]),
        params.n_classes,
    )
