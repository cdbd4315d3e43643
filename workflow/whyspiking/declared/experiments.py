"""What a talk's talk.yaml may say about an experiment: its parameters, scales and variants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import Field, PrivateAttr, model_validator

from whyspiking.contract.perturb import ON_SPIKES
from whyspiking.declared import scales, shared_tasks
from whyspiking.declared.learning_rules import Trained
from whyspiking.declared.parameters import Change, Changes, Parameter, Parameters, Scaled
from whyspiking.declared.scales import Scale
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

Sees = Literal["all", "mask", "ranks", "steps", "late"]
"""What a control is told of its input (`controls.seen`)."""


NEEDED = {
    "relu": ("control_epochs", "control_batch", "control_learning_rate"),
    "random": ("random_gain", "random_bias"),
    "gru": ("n_train", "control_batch", "control_learning_rate", "control_tau_ms"),
}
"""Kind of a control that the core trains -> the parameters that its training needs."""


class Named(Block):
    """A block that its talk names, by its key.

    Attributes:
        from_scale: The smallest scale that has it.
    """

    from_scale: Scale = "default"
    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """The key."""
        return self._name

    def runs_at(self, scale: str) -> bool:
        """Whether a scale has it."""
        return scales.at_least(scale, self.from_scale)


class Variant(Named):
    """One trained thing of an experiment: the spiking network, a control, an ablation.

    Attributes:
        role: What it is for; `rate`: the talk's own network where it has no spikes. A network of
            another size has the role `size`, which no file can give.
        says: What it is, in words.
        first_seeds: Only so many of the experiment's seeds.
        starts_from: Networks that must be trained before.
        is_: `relu`: a matched control that the core trains; its network has the layers `hidden`.
            `random`: the same with a random hidden layer, of which only the readout is fitted.
            `gru`: gated recurrent units that learn from fresh spike trains, `control_trials`.
        hidden: Units per hidden layer: numbers, or parameters that say them (a number or a list);
            empty makes a linear classifier.
        sees: What it is told of the input, where that is not all (`controls.seen`).
        noise: Parameter with the standard deviation of the noise on every feature in training.
        settings: Parameters in which it differs from the others, and why.
        as_is: Whether it is the network it starts from, unchanged.
        recovers: Variant that it was trained further from: the share of what that one loses under
            each condition, and this one wins back, is measured.
    """

    role: Literal["spiking", "rate", "control", "negative_control", "ablation"]
    says: str = Field(min_length=5)
    first_seeds: MayLack[int] = Field(None, ge=1)
    starts_from: Listed[Trained] = ()
    is_: MayLack[Literal["relu", "random", "gru"]] = Field(None, alias="is")
    hidden: MayLack[Listed[Annotated[int, Field(ge=1)] | str]] = None
    sees: MayLack[Sees] = None
    noise: MayLack[str] = None
    settings: dict[Name, Change] = Field(default_factory=dict)
    as_is: bool = False
    recovers: MayLack[str] = None
    _smaller: tuple[str, float] | None = PrivateAttr(None)

    @property
    def smaller(self) -> tuple[str, float] | None:
        """Of a network of another size: as which variant it is trained, and the share of its size.

        Its role is `size`.
        """
        return self._smaller

    @property
    def control(self) -> dict[str, Any] | None:
        """What the core needs to train it (`controls.train_declared`); None where it does not."""
        if self.is_ is None:
            return None
        hidden, sees = list(self.hidden or ()), self.sees or "all"
        return {"is": self.is_, "hidden": hidden, "sees": sees, "noise": self.noise}

    @model_validator(mode="after")
    def _check(self) -> Variant:
        loose = self.model_fields_set & {"hidden", "sees", "noise"}
        refuse(
            (
                self.as_is and len(self.starts_from) != 1,
                "",
                "is another network 'as_is'; expected one in 'starts_from'. Name it.",
            ),
            (
                loose and not self.is_,
                min(loose, default=""),
                "describes a network of the core; expected 'is: relu' beside it. Add that, or "
                "remove it.",
            ),
            (
                self.is_ and (self.hidden is None or "control" not in self.role),
                "",
                "has 'is: relu'; expected the role control or negative_control, and 'hidden', its "
                "hidden layers ([] for a linear classifier). Correct it.",
            ),
            (
                self.is_ == "gru" and (len(self.hidden or ()) != 1 or loose - {"hidden"}),
                "",
                "has 'is: gru'; expected one entry in 'hidden', its units, and neither 'sees' nor "
                "'noise'. Correct it.",
            ),
        )
        return self

    def needs(self) -> list[str]:
        """Parameters that the core must be told to train it."""
        if not self.is_:
            return []
        named = [n for n in (*(self.hidden or ()), self.noise) if isinstance(n, str)]
        return [*named, *([] if self.as_is else NEEDED[self.is_])]

    @property
    def trained_as(self) -> str:
        """Name of the variant that the talk knows."""
        return self.smaller[0] if self.smaller else self.name

    def at(self, share: float, sizes: Sizes) -> Variant:
        """The same at a share of its size."""
        changes = {
            "role": "size",
            "says": f"{self.name} with {100 * share:g} % of {sizes.parameter}",
            "starts_from": (),
            "first_seeds": sizes.first_seeds,
            "from_scale": self.from_scale if sizes.from_scale == "default" else sizes.from_scale,
        }
        found = self.model_copy(update=changes)
        found._name, found._smaller = f"{self.name}_at_{round(100 * share)}", (self.name, share)
        return found


Shares = Unique[Some[Annotated[float, Field(gt=0, lt=1)]]]


class Sizes(Block):
    """At which other sizes networks are trained, to see how large they need to be (G1).

    Attributes:
        parameter: What is made smaller; a number, or a list of them.
        of: Variant (spiking networks and controls) -> shares of the full value.
        first_seeds: Only so many of the experiment's seeds.
        from_scale: The smallest scale that has them.
    """

    parameter: str
    of: dict[str, Shares] = Field(min_length=1)
    first_seeds: int = Field(ge=1)
    from_scale: Scale = "default"


class Data(Block):
    """Where the data of an experiment come from.

    Attributes:
        key: Name of the data set.
        provenance: Who made the data.
        equal: Parameter of the experiment -> setting of the config's `data.<key>` that must be
            equal.
        at_least: The same, at least as large.
    """

    key: Name
    provenance: Literal["original", "definition", "simulated", "synthetic"]
    equal: dict[Name, str] = Field(default_factory=dict, min_length=1)
    at_least: dict[Name, str] = Field(default_factory=dict, min_length=1)


# fmt: off
Perturbation = Literal[
    "jitter", "shift", "shuffle", "shuffle_window", "swap_trials", "reverse", "delete", "insert",
    "quantise", "clip", "mismatch",
]
# fmt: on


InputTimes = Literal["constructed", "trains", "none"]
"""What the times of input spikes are: whoever made the experiment put into them what is to be told
(a latency code of one spike a channel, pixels read one after the other), so that they carry it by
construction; those of spike trains that are recorded, simulated or drawn; no spikes are sent in."""


class Experiment(Named):
    """One experiment of a talk, as described in its talk.yaml.

    Attributes:
        title: In words.
        kind: What the network answers.
        data: Its data.
        half_step: Whether it is checked at half the time step.
        whole_test: Whether its perturbed conditions get all test trials, not `battery.trials`.
        originals: Whether it reads files of the original authors, `data.originals_dir`.
        simulated: Whether it has spikes; else no Brian2 and no battery.
        battery_of: Spiking variants that get the common perturbations; empty: all of them.
        sizes: Further networks at shares of a size, trained and scored only.
        states: Population -> state variables per neuron beyond the membrane (adaptation, synaptic
            current, dendrite), mean over its neurons: each costs an update. A population not
            named has none.
        battery: The common perturbations that it gets.
        input_times: What the times of its input spikes are; needed where spikes are perturbed. Once
            the talk is read, that of a shared task where it says nothing else.
        shared: The task that it shares with experiments of other talks (`shared_tasks`); it then
            has all of that task's parameters.
        input_step_ms: In a shared task, the step to which the network is told the times of input
            spikes, in ms of the task's own window; 0: whole.
        model_window_ms: How long the task's input window lasts in the model, ms; None: as long.
        tuned: Variant -> parameter -> values: the settings of which the best on validation data
            was chosen (`recording.tune`).
        tuned_as: Experiment of the talk whose settings were taken over.
        parameters: As published; once the talk is read, with those that its experiments share.
        scaled: What smaller scales change.
        variants: What is trained; once the talk is read, with those of other sizes.
    """

    title: str = Field(min_length=3)
    kind: Literal["classification", "labelling", "continuous"]
    data: Data
    half_step: bool = False
    whole_test: bool = False
    originals: bool = False
    simulated: bool = True
    battery_of: Unique[Some[str]] = ()
    sizes: MayLack[Sizes] = None
    states: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    battery: Unique[Listed[Perturbation]]
    input_times: MayLack[InputTimes] = None
    shared: MayLack[str] = None
    input_step_ms: float = Field(0.0, ge=0)
    model_window_ms: MayLack[float] = Field(None, gt=0)
    tuned: dict[Name, dict[Name, list[float | int | str]]] = Field(default_factory=dict)
    tuned_as: MayLack[str] = None
    parameters: Parameters
    scaled: Scaled
    variants: dict[Name, Variant] = Field(min_length=1)
    _talk: str = PrivateAttr("")

    @property
    def talk(self) -> str:
        """Name of its talk."""
        return self._talk

    @property
    def data_key(self) -> str:
        """Name of its data set."""
        return self.data.key

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
        under = self.scaled.get("full", {}) if scale == "default" else {}
        return {**under, **cast("Changes", self.scaled.get(scale, {}))}

    def shortened(self, scale: str) -> bool:
        """Whether a scale trains by a shorter recipe than scale full."""
        own = self.scaled.get("default", {}) if scale == "default" else {}
        return any("only_tests" not in change for change in own.values())

    @model_validator(mode="after")
    def _check(self) -> Experiment:
        """What has no spikes has no spiking variant and nothing that only a simulation measures."""
        spiking = [name for name, v in self.variants.items() if v.role == "spiking"]
        nowhere = "the experiment does not have"
        for key, named, known, what in (
            ("battery_of", self.battery_of, spiking, "is no spiking variant of the experiment"),
            ("sizes.of", self.sizes.of if self.sizes else (), self.variants, nowhere),
            *(
                (f"variants.{name}.recovers", [variant.recovers], [None, *self.variants], nowhere)
                for name, variant in self.variants.items()
            ),
        ):
            if unknown := [name for name in named if name not in known]:
                raise Wrong(key, f"names '{unknown[0]}', which {what}; correct it")
        perturbed = sorted(set(self.battery) & set(ON_SPIKES))
        refuse(
            (
                perturbed and self.shared is None and self.input_times is None,
                "input_times",
                f"is missing, but spikes are perturbed ({', '.join(perturbed)}); expected one of "
                f"{', '.join(get_args(InputTimes))}. Add it.",
            ),
            (
                not self.simulated and (spiking or self.battery or self.half_step),
                "",
                f"has 'simulated: false', but also spiking variants {spiking}, a battery "
                f"{list(self.battery)} or 'half_step'; expected none of these. Remove them (role "
                "'rate' names a talk's own network without spikes)",
            ),
        )
        return self

    def completed(self, talk: str, name: str, shared: Mapping[str, Parameter]) -> Experiment:
        """With the parameters that a talk's experiments share, and the variants of other sizes."""
        own: dict[str, Parameter] = self.parameters
        scaled = cast("dict[str, Changes]", dict(self.scaled))
        if self.shared is not None:
            both = "stands in a shared task; expected one size for all. Remove it."
            refuse((self.sizes is not None, f"{name}.sizes", both))
            own, scaled = shared_tasks.joined(
                name, self.shared, self.data.key, self.parameters, self.scaled
            )
        described = {**shared, **own}
        for scale, changes in scaled.items():
            for key, change in changes.items():
                _check_change(f"{name}.scaled.{scale}.{key}", key, change, described)
        variants = dict(self.variants)
        for key, variant in variants.items():
            variant._name = key
            for parameter, change in variant.settings.items():
                _check_change(
                    f"{name}.variants.{key}.settings.{parameter}", parameter, change, described
                )
            for need in (need for need in variant.needs() if need not in described):
                raise Wrong(
                    f"{name}.variants.{key}",
                    f"needs the parameter '{need}', which the experiment does not have; add it to "
                    "'parameters'",
                )
        if self.sizes:
            says = f"names '{self.sizes.parameter}', which the experiment does not have; correct it"
            refuse((self.sizes.parameter not in described, f"{name}.sizes.parameter", says))
            smaller = [
                self.variants[full].at(share, self.sizes)
                for full, shares in self.sizes.of.items()
                for share in shares
            ]
            variants |= {variant.name: variant for variant in smaller}
        own_of = {key: {**described, **v.settings} for key, v in self.variants.items()}
        if self.tuned or (self.shared is not None and self.tuned_as is None):
            shared_tasks.check_tuned(name, self.tuned, own_of)
        update: dict[str, Any] = {"parameters": described, "scaled": scaled, "variants": variants}
        if self.shared is not None and self.input_times is None:
            update["input_times"] = shared_tasks.shared_tasks()[self.shared].input_times
        found = self.model_copy(update=update)
        found._talk, found._name = talk, name
        return found

    def simulated_variants(self) -> list[str]:
        """Variants that are spiking networks and so are re-simulated in Brian2."""
        simulated = ("spiking", "ablation") if self.simulated else ()
        return [v.name for v in self.variants.values() if v.role in simulated]

    def perturbed(self, variant: str) -> bool:
        """Whether a variant gets the common perturbations."""
        chosen = not self.battery_of or variant in self.battery_of
        return self.variants[variant].role == "spiking" and chosen

    def counted_variants(self) -> list[str]:
        """Variants whose operations are counted: those measured, and controls of other sizes."""
        return [
            v.name
            for v in self.variants.values()
            if v.smaller is None or self.variants[v.trained_as].role == "control"
        ]

    def values_of(self, variant: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a variant: those of the experiment, but for its settings and size."""
        described = self.variants[variant]
        own = {**values, **{key: entry["value"] for key, entry in described.settings.items()}}
        if described.smaller and self.sizes:
            own[self.sizes.parameter] = _shrunk(own[self.sizes.parameter], described.smaller[1])
        return own


def _shrunk(size: Any, share: float) -> Any:
    """A share of a number of units, at least one; of each where there are several layers."""
    if isinstance(size, list):
        return [_shrunk(entry, share) for entry in size]
    return max(1, round(share * size))


KINDS = {
    type(None): "null",
    bool: "true or false",
    str: "text",
    list: "a list",
    dict: "a mapping of keys to values",
}
"""Kinds of values that are no numbers."""


def _check_change(full: str, key: str, change: Change, described: Mapping[str, Parameter]) -> None:
    """A scale changes how much, not what: a number stays a number, a list a list."""
    if key not in described:
        hint = nearest(key, described, "expected one that has.")
        raise Wrong(
            full,
            f"changes a parameter that has no published value; {hint} Correct it, or add the "
            "published value first.",
        )

    scaled, published = change["value"], described[key]["value"]
    kinds = [KINDS.get(type(value), "a number") for value in (scaled, published)]
    if "null" not in kinds and kinds[0] != kinds[1]:
        raise Wrong(
            full,
            f"is {scaled!r}; expected {kinds[1]} like the published {published!r}. Correct it "
            "there.",
        )
