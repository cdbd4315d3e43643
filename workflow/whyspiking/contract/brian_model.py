"""A Brian2 network as data: what a talk describes, what `brian` assembles, and what is hashed.

All names of units, slots, methods and events are Brian2's, and nothing here imports it. A
description is all that `brian` knows of a network, so equal ones compile to the same program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

EACH_TO_EACH: Mapping[str, Any] = {}
ONE_TO_ONE: Mapping[str, Any] = {"j": "i"}
WIRED_AT_RUN: Mapping[str, Any] = {"i": 0, "j": 0}
"""Connections of `Synapses`; with the last, every run gives "synapses.i" and "synapses.j"."""

type Slot = tuple[str, int]
"""Name of a slot of the schedule, and the order within it."""


@dataclass(frozen=True)
class Quantity:
    """A number with a unit of Brian2's, by its name there: "ms", "volt"."""

    value: float
    unit: str


@dataclass(frozen=True)
class Function:
    """A function that equations may call, in two forms; all its numbers are without dimension.

    Attributes:
        name: As equations call it and `cpp` defines it.
        python: For NumPy.
        cpp: For the compiled program.
        n_arguments: How many numbers it takes.
    """

    name: str
    python: Callable[..., Any]
    cpp: str
    n_arguments: int


type Constant = float | Quantity | NDArray | Function


@dataclass(frozen=True)
class Table:
    """An analogue input, zero until a run gives its values; a name in all equations.

    Attributes:
        name: It is called as `name(t, column)`, or `name(t)` where it has no columns.
        shape: (row,) or (row, column).
        period_ms: How long a row lasts.
    """

    name: str
    shape: tuple[int, ...]
    period_ms: float


@dataclass(frozen=True)
class Regularly:
    """Statements that are executed in every step, or once a period.

    Attributes:
        name: Of Brian2's object.
        statements: Its code.
        when: Slot.
        order: Within the slot.
        period_ms: None for every step of the group.
    """

    name: str
    statements: str
    when: str = "start"
    order: int = 0
    period_ms: float | None = None


@dataclass(frozen=True)
class Group:
    """Neurons, or anything else that has equations.

    Attributes:
        name: Of Brian2's object.
        size: How many.
        equations: Of the state.
        threshold: Condition of a spike; None where there are none.
        reset: Statements after a spike.
        method: Of integration; None leaves the choice to Brian2.
        update: Statements that advance the state, in place of a method.
        refractory: Time, or name of a variable.
        events: Name -> condition of further events.
        on_event: Event -> statements after it, in the slot "resets".
        regularly: Statements in every step or period.
        slots: "threshold" or "reset" -> where in a step, if not where Brian2 has it.
        start: Variable -> value before the first trial; 0 where nothing is said.
        constants: Names in its equations beside those of the model.
        period_ms: Its own step; None for that of the model.
    """

    name: str
    size: int
    equations: str
    threshold: str | None = None
    reset: str | None = None
    method: str | None = None
    update: str | None = None
    refractory: Quantity | str | None = None
    events: Mapping[str, str] = field(default_factory=dict)
    on_event: Mapping[str, str] = field(default_factory=dict)
    regularly: Sequence[Regularly] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    start: Mapping[str, float | Quantity] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)
    period_ms: float | None = None


@dataclass(frozen=True)
class Synapses:
    """Connections between two groups, or from an input of the model to a group.

    Attributes:
        name: Of Brian2's object.
        source: Name of a group or input.
        target: Name of a group.
        on_pre: Statements after a presynaptic event, or pathway -> statements.
        on_post: The same after postsynaptic ones.
        equations: Variables of a synapse.
        on_event: Event that is listened to, or pathway -> event.
        method: Of integration; None leaves the choice to Brian2.
        connect: Arguments of Brian2's `connect`; `EACH_TO_EACH` and its like.
        delay: Of the presynaptic pathway, one for all.
        start: Variable -> value before the first trial, of every synapse; "delay" among them
            where a run may give each its own.
        regularly: Statements in every step or period.
        slots: Pathway -> where in a step, if not where Brian2 has it.
        constants: Names in its equations beside those of the model.
        period_ms: Its own step; None for that of the model.
    """

    name: str
    source: str
    target: str
    on_pre: str | Mapping[str, str] | None = None
    on_post: str | Mapping[str, str] | None = None
    equations: str = "w : 1"
    on_event: str | Mapping[str, str] = "spike"
    method: str | None = None
    connect: Mapping[str, Any] = field(default_factory=dict)
    delay: Quantity | None = None
    start: Mapping[str, float | Quantity] = field(default_factory=dict)
    regularly: Sequence[Regularly] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)
    period_ms: float | None = None


@dataclass(frozen=True)
class Replay:
    """How recorded and perturbed spikes of a population are fed back in its place.

    Attributes:
        input: Name of the model's input (one channel per neuron) that drives the same targets with
            the same weights; it stays empty in ordinary runs.
        silence: Values that silence the real population, e.g. {"hidden.v_th": 1e9}.
    """

    input: str
    silence: Mapping[str, float]


@dataclass(frozen=True)
class BrianModel:
    """One network as Brian2 compiles it: structure only, no trained number.

    `brian.Machine` builds it once and runs it many times with other inputs, weights and
    parameters. The whole description decides whether an old build can be reused.

    Attributes:
        name: Short name, part of the build folder's name.
        groups: Neurons and readouts.
        synapses: Connections.
        inputs: Input name -> number of channels; each becomes a spike generator that is filled
            anew at every run.
        dt_ms: Step of the simulation in ms.
        trial_ms: Length of one trial in ms; the network is reset at the start of each.
        max_trials: Trials per run of the binary; longer stimuli are run in pieces.
        constants: Names in all equations.
        tables: Analogue inputs.
        borrowed: "input.variable" -> "group.variable": synapses of the input read that of the
            group, whose size is the number of channels.
        reset: Group name -> statements executed at the start of every trial.
        record_spikes: Populations (group names) whose spikes are recorded; "group.event" records
            another event of the group, as a population of that name.
        record_traces: Monitor name -> (group name, variable, sampling in ms).
        record_final: "object.variable" whose values at the end of a run are kept, e.g. plastic
            weights.
        replay: Population -> how to replay its spikes; empty where nothing is replayed.
        sub_step: Inputs keep their exact time within a step; synapses read it as `lag_pre`, the
            time since the spike at the end of the step, in ms (see `whyspiking.brian`).
        lag_variable: Population -> its variable that holds the lag of its last spike in ms, which
            makes the recorded times of that population exact within a step.
        schedule: Order of the slots within a step.
    """

    name: str
    groups: Sequence[Group]
    synapses: Sequence[Synapses]
    inputs: Mapping[str, int]
    dt_ms: float
    trial_ms: float
    max_trials: int
    constants: Mapping[str, Constant] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    borrowed: Mapping[str, str] = field(default_factory=dict)
    reset: Mapping[str, str] = field(default_factory=dict)
    record_spikes: Sequence[str] = ()
    record_traces: Mapping[str, tuple[str, str, float]] = field(default_factory=dict)
    record_final: Sequence[str] = ()
    replay: Mapping[str, Replay] = field(default_factory=dict)
    sub_step: bool = False
    lag_variable: Mapping[str, str] = field(default_factory=dict)
    schedule: Sequence[str] = ("start", "groups", "thresholds", "synapses", "resets", "end")
