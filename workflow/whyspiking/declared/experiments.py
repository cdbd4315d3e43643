"""What a talk's talk.yaml may say about an experiment: its data, parameters and measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import Discriminator, Field, PrivateAttr, Tag, model_validator

from whyspiking.contract.perturb import ON_SPIKES
from whyspiking.declared import scales, shared_tasks
from whyspiking.declared.parameters import (
    Change,
    Changes,
    Parameter,
    Parameters,
    Scaled,
    check_permitted,
)
from whyspiking.declared.strict_yaml import (
    Block,
    Listed,
    MayLack,
    Name,
    Some,
    Unique,
    Wrong,
    nearest,
    refuse,
)
from whyspiking.declared.variants import DELETION, NOISE, Named, Variant


class Data(Block):
    """Where the data of an experiment come from.

    Attributes:
        key (data_set): Name of the data set.
        provenance (data_source): Who made the data.
        equal: Parameter of the experiment -> setting of the config's `data.<key>` that must be
            equal.
        at_least: The same, at least as large.
        originals: Whether files of the original authors are read, from the config's
            `data.originals_dir`.
        published_trials: Whether its test trials are the very ones of the publications; left out:
            where the data are the original ones.
    """

    key: Name = Field(alias="data_set")
    provenance: Literal["original", "definition", "simulated", "synthetic"] = Field(
        alias="data_source"
    )
    equal: dict[Name, str] = Field(default_factory=dict, min_length=1)
    at_least: dict[Name, str] = Field(default_factory=dict, min_length=1)
    originals: bool = False
    published_trials: MayLack[bool] = None


# fmt: off
Perturbation = Literal[
    "jitter", "shift", "shuffle", "shuffle_window", "swap_trials", "reverse", "delete", "insert",
    "quantise", "clip", "mismatch",
]
# fmt: on
Battery = Annotated[
    Annotated[Unique[Listed[Perturbation | Literal["half_step"]]], Tag("of all")]
    | Annotated[
        dict[Name, Unique[Some[Perturbation]]], Field(min_length=1), Tag("of some variants")
    ],
    Discriminator(lambda given: "of some variants" if isinstance(given, dict) else "of all"),
]


InputTimes = Literal["constructed", "trains", "none"]
"""What the times of input spikes are: whoever made the experiment put into them what is to be told
(a latency code of one spike a channel, pixels read one after the other), so that they carry it by
construction; those of spike trains that are recorded, simulated or drawn; no spikes are sent in."""


SIZES = {
    "epochs": "epochs",
    "iterations": "iterations",
    "outer_iterations": "iterations of the outer loop",
    "n_train": "training samples",
    "n_test": "test samples",
    "n_hidden": "hidden units",
    "n_neurons": "neurons",
    "n_inhibitory": "inhibitory neurons",
    "n_excitatory": "excitatory neurons",
    "n_per_population": "neurons per population",
    "n_pyramidal": "pyramidal neurons",
    "n_interneurons": "interneurons",
    "n_cells": "cells",
}
"""Parameter that makes an experiment small or short -> what it counts."""

type Grid = dict[Name, list[float | int | str]]
"""Parameter -> the values of it that are tried, each with all of the others."""


class Shared(Block):
    """How an experiment takes part in a shared task.

    Attributes:
        tuning_grids: Variant -> grids of parameter -> values, one or several: the settings of which
            the best on validation data was chosen (`recording.tune`).
        input_step_ms: The step to which the network is told the times of input spikes, in ms of the
            task's own window; 0: whole.
        model_window_ms: How long the task's input window lasts in the model, ms; left out: as long.
    """

    tuning_grids: dict[Name, Grid | list[Grid]] = Field(min_length=1)
    input_step_ms: float = Field(0.0, ge=0)
    model_window_ms: MayLack[float] = Field(None, gt=0)


class DefaultRun(Block):
    """What a default run does of an experiment whose complete training takes too long for it.

    Attributes:
        trained_fraction: Fraction of the training of a recorded network that is done again and
            compared with its learning curve. The recorded network is then evaluated.
        reason: Why not all of it.
    """

    trained_fraction: float = Field(gt=0, lt=1)
    reason: str = Field(min_length=10)


class Experiment(Named):
    """One experiment of a talk, as described in its talk.yaml.

    Attributes:
        title: In words.
        kind (task_type): What the network answers.
        labelled (n_labelled): How much of a trial is labelled and scored, steps for instance;
            needed where the task is labelling.
        data: Its data.
        states (extra_states): Population -> state variables per neuron beyond the membrane
            (adaptation, synaptic current, dendrite), mean over its neurons: each costs an update. A
            population not named has none.
        battery (robustness_tests): The common perturbations that it gets, and `half_step` where it
            is checked at half the time step. Or spiking variant -> perturbations: the others get
            none.
        input_times: What the times of its input spikes are; needed where spikes are perturbed. Once
            the talk is read, that of a shared task where it says nothing else.
        shared (shared_task): How it takes part in the task that experiments of other talks share,
            that of its data (`shared_tasks`); it then has all of that task's parameters.
        parameters: As published; once the talk is read, with those that its experiments share.
        scaled (scale_overrides): What smaller scales change.
        default_run: What a default run does in place of a complete training; left out: it trains
            completely. It concerns the network that comes with the repository.
        variants: What is trained.
    """

    title: str = Field(min_length=3)
    kind: Literal["classification", "labelling", "continuous"] = Field(alias="task_type")
    labelled: MayLack[int] = Field(None, alias="n_labelled", gt=0)
    data: Data
    states: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, alias="extra_states"
    )
    battery: Battery = Field(alias="robustness_tests")
    input_times: MayLack[InputTimes] = None
    shared: MayLack[Shared] = Field(None, alias="shared_task")
    parameters: Parameters
    scaled: Scaled = Field(alias="scale_overrides")
    default_run: MayLack[DefaultRun] = None
    variants: dict[Name, Variant] = Field(min_length=1)
    _talk: str = PrivateAttr("")

    @property
    def talk(self) -> str:
        """Name of its talk, once that is read."""
        return self._talk

    @property
    def simulated(self) -> bool:
        """Whether it has a spiking network; else no Brian2 and no battery."""
        return any(variant.role == "spiking" for variant in self.variants.values())

    @property
    def half_step(self) -> bool:
        """Whether it is checked at half the time step."""
        return "half_step" in self.battery

    @property
    def whole_test(self) -> bool:
        """Whether its perturbed conditions get all test trials, not `robustness_tests.n_trials`."""
        return any(variant.recovers for variant in self.variants.values())

    @property
    def data_key(self) -> str:
        """Name of its data set."""
        return self.data.key

    @property
    def task(self) -> str | None:
        """Name of the shared task that it takes part in: that of its data."""
        return self.data.key if self.shared else None

    @property
    def tuned(self) -> Mapping[str, Sequence[Mapping[str, list[Any]]]]:
        """Variant -> grids of parameter -> values that were tried."""
        tuned = self.shared.tuning_grids if self.shared else {}
        return {name: [own] if isinstance(own, dict) else own for name, own in tuned.items()}

    @property
    def input_step_ms(self) -> float:
        """The step to which it is told the times of input spikes; 0: whole."""
        return self.shared.input_step_ms if self.shared else 0.0

    @property
    def provenance(self) -> str:
        """Who made its data."""
        return self.data.provenance

    @property
    def published(self) -> dict[str, Any]:
        """Values of the parameters, as published."""
        return {key: entry["value"] for key, entry in self.parameters.items()}

    def changes(self, scale: str) -> dict[str, Change]:
        """What a scale changes of the published parameters, and why."""
        return cast("Changes", self.scaled.get(scales.recipe(scale), {}))

    def describe_reduction(self, scale: str) -> str:
        """Say which sizes and durations a scale reduces: "reduced: 25 of 1000 epochs".

        Returns:
            An empty string if the scale has all published values.
        """
        changes = self.changes(scale)
        if not changes:
            return ""
        sizes = [
            f"{changes[name]['value']:g} of {self.published[name]:g} {words}"
            for name, words in SIZES.items()
            if name in changes
            and isinstance(changes[name]["value"], int | float)
            and changes[name]["value"] < self.published[name]
        ]
        if "dt_ms" in changes and changes["dt_ms"]["value"] > self.published["dt_ms"]:
            step = changes["dt_ms"]["value"]
            sizes.append(f"time step {step:g} instead of {self.published['dt_ms']:g} ms")
        return "reduced: " + (", ".join(sizes) or "other parameters than published")

    @model_validator(mode="after")
    def _check(self) -> Experiment:
        """What has no spiking network has nothing that only a simulation measures."""
        spiking = [name for name, v in self.variants.items() if v.role == "spiking"]
        chosen = self.battery if isinstance(self.battery, dict) else ()
        nowhere = "the experiment does not have"
        for key, named, known, what in (
            ("robustness_tests", chosen, spiking, "is no spiking variant of the experiment"),
            *(
                (f"variants.{name}.recovers_loss_of", [v.recovers], [None, *self.variants], nowhere)
                for name, v in self.variants.items()
            ),
        ):
            if unknown := [name for name in named if name not in known]:
                fit = ", ".join(filter(None, known)) or "none"
                says = f"names '{unknown[0]}', which {what}; expected one of {fit}. Correct it."
                raise Wrong(key, says)
        perturbed = sorted(set(self.perturbations()) & set(ON_SPIKES))
        refuse(
            (
                self.kind == "labelling" and self.labelled is None,
                "n_labelled",
                "is missing, but the task_type is labelling; expected a value that says which part "
                "of a trial is scored. Add it.",
            ),
            (
                perturbed and self.shared is None and self.input_times is None,
                "input_times",
                f"is missing, but spikes are perturbed ({', '.join(perturbed)}); expected one of "
                f"{', '.join(get_args(InputTimes))}. Add it.",
            ),
            (
                not spiking and self.battery,
                "robustness_tests",
                f"is {list(self.battery)}, but no variant has the variant_role 'spiking', so "
                "nothing is simulated; expected []. Correct it, or add a spiking variant.",
            ),
        )
        return self

    def completed(self, name: str, shared: Mapping[str, Parameter]) -> Experiment:
        """With the parameters that a talk's experiments share."""
        own: dict[str, Parameter] = self.parameters
        scaled = cast("dict[str, Changes]", dict(self.scaled))
        if self.shared is not None:
            own, scaled = shared_tasks.joined(name, self.data.key, self.parameters, self.scaled)
        described = {**shared, **own}
        for scale, changes in scaled.items():
            for key, change in changes.items():
                check_change(f"{name}.scale_overrides.{scale}.{key}", key, change, described)
        for key, variant in self.variants.items():
            variant._name = key
            for parameter, change in variant.settings.items():
                check_change(
                    f"{name}.variants.{key}.parameter_overrides.{parameter}",
                    parameter,
                    change,
                    described,
                )
            for need in (need for need in variant.needs() if need not in described):
                raise Wrong(
                    f"{name}.variants.{key}",
                    f"needs the parameter '{need}', which the experiment does not have. Add it to "
                    "'parameters'",
                )
        own_of = {key: {**described, **v.settings} for key, v in self.variants.items()}
        shared_tasks.check_tuned(name, self.tuned, own_of)
        update: dict[str, Any] = {"parameters": described, "scaled": scaled}
        if self.shared is not None and self.input_times is None:
            update["input_times"] = shared_tasks.shared_tasks()[self.data.key].input_times
        found = self.model_copy(update=update)
        found._name = name
        return found

    def perturbations(self, spiking: str | None = None) -> list[str]:
        """The common perturbations that one of its spiking variants gets; None: that any gets."""
        found: Iterable[str] = self.battery
        if isinstance(self.battery, dict):
            names = self.battery if spiking is None else [spiking]
            found = chain.from_iterable(self.battery.get(name, ()) for name in names)
        return [name for name in dict.fromkeys(found) if name != "half_step"]

    def control(self, variant: str) -> dict[str, Any] | None:
        """What the core needs to train a control (`controls.train_declared`), None of others."""
        layers = self.variants[variant].layers
        if layers is None:
            return None
        told = {"noise": NOISE if NOISE in self.parameters else None}
        # No key where there is none: jobs are compared by their parameters.
        return layers | told | ({"deletion": DELETION} if DELETION in self.parameters else {})

    def values_of(self, variant: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a variant: those of the experiment, but for its settings."""
        settings = self.variants[variant].settings
        return {**values, **{key: entry["value"] for key, entry in settings.items()}}


KINDS = {
    bool: "true or false",
    str: "text",
    list: "a list",
    dict: "a mapping of keys to values",
}
"""Kinds of values that are no numbers."""


def check_change(full: str, key: str, change: Change, described: Mapping[str, Parameter]) -> None:
    """A scale changes how much, not what: a number stays a number, a list a list.

    Args:
        full: The place of the change, for the message.
        key: Name of the parameter.
        change: What is changed.
        described: The parameters as published, by name.

    Raises:
        Wrong: If the change is of another kind, or not one of the permitted values.
    """
    if key not in described:
        hint = nearest(key, described, "expected a parameter that has a published value.")
        raise Wrong(
            full,
            f"changes a parameter that has no published value; {hint} Correct it, or add the "
            "published value first.",
        )

    scaled, published = change["value"], described[key]["value"]
    kinds = [KINDS.get(type(value), "a number") for value in (scaled, published)]
    if kinds[0] != kinds[1]:
        raise Wrong(
            full,
            f"is {scaled!r}; expected {kinds[1]} like the published {published!r}. Correct it "
            "there.",
        )
    check_permitted(full, scaled, described[key])
