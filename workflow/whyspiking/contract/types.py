"""The few types that cross the stages of the workflow; `talk` says what a talk offers with them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.errors import UserError
from whyspiking.records.array_files import load_arrays
from whyspiking.running.progress import Progress as Progress

if TYPE_CHECKING:
    import pandas as pd

Split = Literal["train", "validation", "test", "fresh"]
"""`test` is the published test set; `fresh` are further unseen samples where they cost nothing."""


@dataclass(frozen=True)
class ExperimentParameters:
    """The parameters of one experiment at the chosen scale, and where its job finds its files.

    A talk declares its parameters as fields of a subclass, next to its model. The decorator of the
    subclass has `init=False`, because this class sets the fields, from `values`:

        @dataclass(frozen=True, init=False)
        class NetworkParameters(ExperimentParameters):
            n_hidden: int

    A job gets only the values that it may read. To read another one is an error, which names it.

    Attributes:
        values: Name of a parameter -> its value from talk.yaml.
        dataset_dir: Folder of the data set of the experiment; None if it needs no files.
        originals_dir: Folder of the authors' files; None unless talk.yaml says
            `data.originals: true`.
        dt_ms: Time step of the simulation in Brian2, in ms.
        control_epochs, control_batch, control_learning_rate: Training of the ReLU controls.
        random_gain, random_bias: Scale of the weights and biases of the random hidden layers.
    """

    talk: str
    experiment: str
    scale: str
    values: Mapping[str, Any]
    seed: int = 0
    data_dir: Path = Path("resources/data")
    work_dir: Path = Path("resources/build")
    originals_dir: Path | None = None
    dataset_dir: Path | None = None
    # What the common measurements and controls read, in experiments that have them.
    dt_ms: float = field(init=False, repr=False, compare=False)
    control_epochs: int = field(init=False, repr=False, compare=False)
    control_batch: int = field(init=False, repr=False, compare=False)
    control_learning_rate: float = field(init=False, repr=False, compare=False)
    random_gain: float = field(init=False, repr=False, compare=False)
    random_bias: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Set the fields of parameters."""
        for name in parameter_names(type(self)):
            if name in self.values:
                object.__setattr__(self, name, self.values[name])

    if not TYPE_CHECKING:  # so that the type checker refuses unknown names

        def __getattr__(self, name: str) -> Any:
            """Refuse a parameter that has no value.

            Raises:
                UserError: Naming the parameter and where its value belongs.
            """
            if name.startswith("__"):
                raise AttributeError(name)
            raise _missing_value(self, name)

    @classmethod
    def from_plan(cls, plan: Mapping[str, Any]) -> Self:
        """The parameters that `describe` wrote into the plan of a job."""
        folders = {k: Path(v) for k, v in plan.items() if k.endswith("_dir") and v is not None}
        return cls(**{**plan, **folders})

    @classmethod
    def of(cls, params: ExperimentParameters) -> Self:
        """The parameters of another class, from the same values."""
        return cls(**params._run())

    def describe(self) -> dict[str, Any]:
        """Plain data, for the workflow to compare as text; values in the order of their names."""
        plain = self._run() | {"values": dict(sorted(self.values.items()))}
        return {k: str(v) if isinstance(v, Path) else v for k, v in plain.items()}

    def with_values(self, *, seed: int | None = None, **changes: Any) -> Self:
        """The same parameters with other values."""
        seed = self.seed if seed is None else seed
        return type(self)(**self._run() | {"values": {**self.values, **changes}, "seed": seed})

    def at_half_step(self) -> Self:
        """The same parameters at half the time step."""
        return self.with_values(dt_ms=self.dt_ms / 2)

    def _run(self) -> dict[str, Any]:
        return {
            "talk": self.talk,
            "experiment": self.experiment,
            "scale": self.scale,
            "values": self.values,
            "seed": self.seed,
            "data_dir": self.data_dir,
            "work_dir": self.work_dir,
            "originals_dir": self.originals_dir,
            "dataset_dir": self.dataset_dir,
        }


@cache
def parameter_names(parameters: type[ExperimentParameters]) -> tuple[str, ...]:
    """Names of the parameters that a class declares, its parents' included."""
    given = inspect.signature(ExperimentParameters).parameters
    return tuple(f.name for f in fields(parameters) if f.name not in given)


def _missing_value(params: ExperimentParameters, name: str) -> UserError:
    return UserError(
        f"talk '{params.talk}', experiment '{params.experiment}': parameter '{name}' is "
        f"missing; add it to talks/{params.talk}/talk.yaml"
    )


@dataclass(frozen=True)
class Params(ExperimentParameters):
    """Parameters without declared names and types: `params.n_hidden` can be anything."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "values":
            raise AttributeError(name)
        try:
            return self.values[name]
        except KeyError:
            raise _missing_value(self, name) from None


@dataclass(frozen=True)
class Stimulus:
    """What enters the network: spike trains and analogue arrays, by input name.

    Attributes:
        spikes: Input name -> spike trains (all with the same number of trials and duration).
        arrays: Name of an analogue input -> array (trial, time, channel), or (time, channel) where
            all trials share it; the time axis is the model's own sampling.
    """

    spikes: Mapping[str, Spikes] = field(default_factory=dict)
    arrays: Mapping[str, NDArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """Inputs and targets of one split.

    Attributes:
        targets: Class labels (trial,) for classification, (trial, time) where every step is
            labelled (negative: unlabelled), else traces (trial, time, channel).
        n_classes: 0 for continuous targets.
        features: The same input for a non-spiking control, (trial, feature) or
            (trial, time, feature); None where there is none.
        dt_ms: Sampling of target traces in ms; 0 for classification.
        exhaustive: The inputs are all there are (XOR has four); splits differ in noise only.
        units: Number of what other trials would come from, e.g. the voice or the record of each
            trial, (trial,); None where every trial stands for itself.
    """

    stimulus: Stimulus
    targets: NDArray
    n_classes: int
    features: NDArray | None = None
    dt_ms: float = 0.0
    exhaustive: bool = False
    units: NDArray | None = None


@dataclass
class Network:
    """A trained network: named arrays, what it is, and how training went.

    Attributes:
        info: JSON-able facts (engine, epochs, seconds of training, ...). What was measured during
            training goes into `measures`: name of `glossary.GLOSSARY` -> value, rows of metrics.
            What was measured there for several tasks or sizes goes into `measured_at`: entries
            [perturbation, strength, measures, trials].
        history: One row per (epoch, metric): dicts with `epoch`, `metric`, `value`.
    """

    arrays: dict[str, NDArray]
    info: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    def again(self) -> Network:
        """The same in another experiment: what was counted and measured stays in the first."""
        left_out = ("epochs", "epoch_seconds", "counts", "measures")
        info = {key: value for key, value in self.info.items() if key not in left_out}
        return Network(dict(self.arrays), info)


@dataclass(frozen=True)
class Recording:
    """What came out of a simulation.

    Attributes:
        spikes: Population name -> spike trains per trial.
        traces: Monitor name -> array (trial, time, neuron), sampled every `trace_dt_ms`.
        final: "object.variable" -> its values when the run ended; of a stimulus that was run in
            pieces, those of the last piece.
    """

    spikes: Mapping[str, Spikes]
    traces: Mapping[str, NDArray] = field(default_factory=dict)
    trace_dt_ms: Mapping[str, float] = field(default_factory=dict)
    final: Mapping[str, NDArray] = field(default_factory=dict)


@dataclass(frozen=True)
class Trials:
    """Outcome of a classification: one entry per trial, (trial,) each; `units` as in `Task`.

    Where the network did not decide, the choice is -1 and the time of the decision inf.
    """

    targets: NDArray[np.int64]
    choices: NDArray[np.int64]
    decision_ms: NDArray[np.float64]
    n_classes: int
    units: NDArray | None = None

    @classmethod
    def of(cls, task: Task, choices: NDArray, decision_ms: NDArray | float) -> Trials:
        """Choices in the trials of a task, each with a time or all at one."""
        choices = np.asarray(choices, np.int64)
        times = np.broadcast_to(np.asarray(decision_ms, np.float64), choices.shape).copy()
        targets = np.asarray(task.targets, np.int64)
        return cls(targets, choices, times, task.n_classes, task.units)


@dataclass(frozen=True)
class Traces:
    """Outcome of a continuous task: output and target, (trial, time, channel), every `dt_ms`.

    `free_phase` marks autonomous oscillators, whose phase may drift: the core then scores each
    1 s window at its best lag.
    """

    outputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    dt_ms: float
    free_phase: bool = False


@dataclass(frozen=True)
class Labels:
    """Outcome of labelling every step of `dt_ms`: classes (trial, time); `units` as in `Task`.

    Targets are negative where a step does not count.
    """

    targets: NDArray[np.int64]
    choices: NDArray[np.int64]
    dt_ms: float
    n_classes: int
    units: NDArray | None = None


Outcome = Trials | Traces | Labels


@dataclass(frozen=True)
class Layer:
    """Synapses, for counting: weights (pre, post) between named populations."""

    pre: str
    post: str
    weights: NDArray
    kind: Literal["feedforward", "recurrent", "readout"] = "feedforward"


@dataclass(frozen=True)
class Binding:
    """The numbers of one trained network, placed into a `BrianModel`.

    `values` has "object.variable" -> scalar or array, e.g. "s_hidden.w" (pre x post, raveled);
    `layers`, by the same keys, the synapses whose events count and whose weights are perturbed.
    """

    values: Mapping[str, NDArray | float]
    layers: Mapping[str, Layer]


@dataclass(frozen=True)
class Condition:
    """One point of a perturbation curve; by default the clean run.

    The location is "input", "hidden", "weights", "neurons", or "" where it does not apply; strength
    is in the unit of the perturbation's definition; `draw` numbers random draws.
    """

    perturbation: str = "none"
    location: str = ""
    strength: float = 0.0
    draw: int = 0


@dataclass(frozen=True)
class Results:
    """The finished files of one talk, in `results/<scale>/<talk>`, for figures and notebooks."""

    folder: Path
    talk: str
    scale: str
    metrics: pd.DataFrame
    history: pd.DataFrame

    def exhibit(self, experiment: str) -> dict[str, NDArray]:
        """Example data of one experiment, as saved by its probe; empty where there is none."""
        path = self.folder / experiment / "figure_data.npz"
        return load_arrays(path) if path.is_file() else {}


type Parents = Mapping[str, Network]
"""The networks that a variant starts from, by the names in `starts_from` of talk.yaml."""
type Networks = Mapping[tuple[str, int], Network]
"""All trained networks of an experiment by (variant, seed)."""
type Simulate = Callable[[Network, Task], Recording]
"""Runs a network on a task in Brian2."""
