"""Finds the talks by their folders, and reads what each says about itself."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from whyspiking import learning_rules
from whyspiking.contract import Params
from whyspiking.datasets.folders import folder_of
from whyspiking.errors import UserError
from whyspiking.learning_rules import Rule
from whyspiking.schema import check, read_yaml
from whyspiking.whole_files import read_json

FOLDER = Path(__file__).parent / "replications"


@dataclass(frozen=True)
class Relu:
    """A matched non-spiking control: a feed-forward ReLU network that the core trains.

    Attributes:
        hidden: Units per hidden layer: a number, or the parameter that says it (a number or a
            list); empty makes a linear classifier.
        sees: "mask" where it is told only which features are above 0.
        noise: Parameter with the standard deviation of the noise on every feature in training.
    """

    hidden: tuple[int | str, ...]
    sees: Literal["all", "mask"] = "all"
    noise: str | None = None


@dataclass(frozen=True)
class Variant:
    """One trained thing of an experiment: the spiking network, a control, an ablation."""

    name: str
    role: str
    says: str
    starts_from: tuple[str, ...]
    priority: int = 0
    first_seeds: int | None = None
    smaller: tuple[str, float] | None = None
    """Of a network of another size (role `size`): the variant it is trained as, and the share of
    that one's size."""
    relu: Relu | None = None
    as_is: bool = False
    """Whether it is the network it starts from, as that is."""

    @property
    def trained_as(self) -> str:
        """Name of the variant that the talk knows."""
        return self.smaller[0] if self.smaller else self.name


@dataclass(frozen=True)
class Sizes:
    """At which other sizes networks are trained, to see how large they need to be (G1).

    Attributes:
        parameter: What is made smaller; a number, or a list of them.
        of: Variant (spiking networks and controls) -> shares of the full value.
        first_seeds: Only so many of the experiment's seeds.
    """

    parameter: str
    of: Mapping[str, tuple[float, ...]]
    first_seeds: int


@dataclass(frozen=True)
class Experiment:
    """One experiment of a talk, as described in its talk.yaml."""

    talk: str
    name: str
    title: str
    kind: str
    data_key: str
    provenance: str
    battery: tuple[str, ...]
    published: Mapping[str, Any]
    units: Mapping[str, str]
    sources: Mapping[str, str]
    scaled: Mapping[str, Mapping[str, Mapping[str, Any]]]
    variants: Mapping[str, Variant]
    half_step: bool = False
    simulated: bool = True
    originals: bool = False
    """Whether it reads files of the original authors, `data.originals_dir`."""
    states: Mapping[str, float] = field(default_factory=dict)
    """Population -> state variables per neuron beyond the membrane."""
    sizes: Sizes | None = None
    equal: Mapping[str, str] = field(default_factory=dict)
    at_least: Mapping[str, str] = field(default_factory=dict)
    battery_of: tuple[str, ...] = ()
    """Spiking variants that get the common perturbations; empty: all of them."""

    def simulated_variants(self) -> list[str]:
        """Variants that are spiking networks and so are re-simulated in Brian2."""
        if not self.simulated:
            return []
        return [v.name for v in self.variants.values() if v.role in ("spiking", "ablation")]

    def perturbed(self, variant: str) -> bool:
        """Whether a variant gets the common perturbations."""
        chosen = not self.battery_of or variant in self.battery_of
        return self.variants[variant].role == "spiking" and chosen

    def counted_variants(self) -> list[str]:
        """Variants whose operations are counted: those measured, and controls of other sizes."""
        smaller = [
            v.name
            for v in self.variants.values()
            if v.smaller and self.variants[v.trained_as].role == "control"
        ]
        return [*self.measured_variants(), *smaller]

    def resized(self, values: Mapping[str, Any], variant: str) -> Mapping[str, Any]:
        """The parameters of the experiment, with the size of one of its variants."""
        smaller = self.variants[variant].smaller
        if smaller is None or self.sizes is None:
            return values
        key = self.sizes.parameter
        return {**values, key: _shrunk(values[key], smaller[1])}

    def measured_variants(self) -> list[str]:
        """Variants that the battery measures: all but those that only differ in size."""
        return [v.name for v in self.variants.values() if v.role != "size"]


@dataclass(frozen=True)
class Talk:
    """A talk's own description (talk.yaml)."""

    name: str
    title: str
    speaker: str
    question: str
    papers: Mapping[str, Mapping[str, str]]
    tau_char_ms: float
    tau_char_what: str
    experiments: Mapping[str, Experiment]
    folder: Path
    learning: tuple[Rule, ...] = ()


def available() -> list[str]:
    """Names of all talks, in alphabetical order; folders that start with `_` are templates."""
    return sorted(path.parent.name for path in FOLDER.glob("[a-z]*/talk.yaml"))


def load_talk(name: str) -> Talk:
    """Read and check `replications/<name>/talk.yaml`.

    Raises:
        UserError: If there is no such talk, or its file does not fit the schema.
    """
    path = FOLDER / name / "talk.yaml"
    if not path.is_file():
        close = difflib.get_close_matches(name, available(), n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        raise UserError(
            f"config: talk '{name}' is not known; {hint}available: {', '.join(available())}. "
            "Correct 'talks' in the config."
        )
    data = read_yaml(path)
    where = f"replications/{name}/talk.yaml"
    check(data, "talk", where)
    if data["talk"] != name:
        raise UserError(
            f"{where}: 'talk' is '{data['talk']}'; expected the folder's name, '{name}'. "
            "Correct it there."
        )
    experiments = {
        key: _experiment(name, key, entry, data["parameters"], where)
        for key, entry in data["experiments"].items()
    }
    _check_parents(experiments, where)
    _check_unsimulated(experiments, where)
    learning = tuple(learning_rules.from_entry(entry) for entry in data["learning"])
    _check_learning(learning, experiments, where)
    return Talk(
        name=name,
        title=data["title"],
        speaker=data["speaker"],
        question=data["question"],
        papers=data["papers"],
        tau_char_ms=float(data["tau_char"]["value"]),
        tau_char_what=data["tau_char"]["what"],
        experiments=experiments,
        folder=path.parent,
        learning=learning,
    )


def as_measured(talk: Talk, folder: Path) -> Talk:
    """A talk with the provenance of the data that its networks were trained on.

    A data set may have several sources; which one a run used, its networks say.

    Args:
        talk: As described in its talk.yaml.
        folder: `results/<scale>/<talk>`.
    """
    experiments = dict(talk.experiments)
    for name, experiment in talk.experiments.items():
        path = next(folder.glob(f"{name}/*/seed-*/network.json"), None)
        if path is None:
            continue
        found = read_json(path, "info")["info"].get("provenance", experiment.provenance)
        experiments[name] = replace(experiment, provenance=found)
    return replace(talk, experiments=experiments)


def params(
    experiment: Experiment, config: Mapping[str, Any], seed: int = 0, variant: str | None = None
) -> Params:
    """The parameters of one experiment, or of one of its variants, at the scale of the config."""
    scale = config["scale"]
    values = dict(experiment.published)
    values.update({key: entry["value"] for key, entry in experiment.scaled.get(scale, {}).items()})
    if variant is not None:
        values = dict(experiment.resized(values, variant))
    originals = config["data"]["originals_dir"] if experiment.originals else None
    folder = Path(config["data"]["folder"])
    dataset = folder_of(experiment.data_key, config["data"])
    return Params(
        talk=experiment.talk,
        experiment=experiment.name,
        scale=scale,
        values=values,
        seed=seed,
        data_dir=folder,
        work_dir=Path(config["build_folder"]),
        originals_dir=Path(originals) if originals else None,
        dataset_dir=folder / dataset if dataset else None,
    )


def seeds(
    experiment: Experiment, config: Mapping[str, Any], variant: str | None = None
) -> list[int]:
    """The seeds of one experiment: its own entry in `seeds_of`, or `seeds`.

    A variant may content itself with the first of them (`first_seeds` in talk.yaml).
    """
    full = f"{experiment.talk}.{experiment.name}"
    own = [entry["seeds"] for entry in config["seeds_of"] if entry["experiment"] == full]
    found = list(own[0] if own else config["seeds"])
    return found[: experiment.variants[variant].first_seeds] if variant is not None else found


def _experiment(
    talk: str, name: str, entry: Mapping[str, Any], shared: Mapping[str, Any], where: str
) -> Experiment:
    described = {**shared, **entry["parameters"]}
    for scale, changes in entry["scaled"].items():
        for key in changes:
            if key not in described:
                close = difflib.get_close_matches(key, list(described), n=1)
                hint = f"did you mean '{close[0]}'?" if close else "expected one that has."
                raise UserError(
                    f"{where}: 'experiments.{name}.scaled.{scale}.{key}' changes a parameter that "
                    f"has no published value; {hint} Correct it, or add the published value first."
                )
            full = f"experiments.{name}.scaled.{scale}.{key}"
            _check_kind(full, changes[key]["value"], described[key]["value"], where)
            _check_number(full, key, changes[key], where)
    for key, value in described.items():
        own = f"experiments.{name}.parameters" if key in entry["parameters"] else "parameters"
        _check_number(f"{own}.{key}", key, value, where)
    variants = {
        key: Variant(
            key,
            v["role"],
            v["says"],
            tuple(v.get("starts_from", ())),
            v.get("priority", 0),
            v.get("first_seeds"),
            relu=_relu(f"experiments.{name}.variants.{key}", v, described, where),
            as_is=v.get("as_is", False),
        )
        for key, v in entry["variants"].items()
    }
    for variant in entry.get("battery_of", ()):
        if variant not in variants or variants[variant].role != "spiking":
            raise UserError(
                f"{where}: 'experiments.{name}.battery_of' names '{variant}', which is no spiking "
                "variant of the experiment; correct it"
            )
    sizes = None
    if "sizes" in entry:
        sizes = _sizes(name, entry["sizes"], {**described, "variants": variants}, where)
        variants |= _of_other_sizes(sizes)
    return Experiment(
        talk=talk,
        name=name,
        title=entry["title"],
        kind=entry["kind"],
        data_key=entry["data"]["key"],
        provenance=entry["data"]["provenance"],
        battery=tuple(entry["battery"]),
        half_step=bool(entry.get("half_step", False)),
        simulated=bool(entry.get("simulated", True)),
        originals=bool(entry.get("originals", False)),
        states=entry.get("states", {}),
        equal=entry["data"].get("equal", {}),
        at_least=entry["data"].get("at_least", {}),
        battery_of=tuple(entry.get("battery_of", ())),
        published={key: value["value"] for key, value in described.items()},
        units={key: value["unit"] for key, value in described.items() if "unit" in value},
        sources={key: value["source"] for key, value in described.items()},
        scaled=entry["scaled"],
        variants=variants,
        sizes=sizes,
    )


def _relu(
    key: str, entry: Mapping[str, Any], described: Mapping[str, Any], where: str
) -> Relu | None:
    """What a variant declares of its network; checks what the schema cannot."""
    if entry.get("as_is") and len(entry.get("starts_from", ())) != 1:
        raise UserError(
            f"{where}: '{key}' is another network 'as_is'; expected one in 'starts_from'. Name it."
        )
    if "is" not in entry:
        if loose := [name for name in ("hidden", "sees", "noise") if name in entry]:
            raise UserError(
                f"{where}: '{key}.{loose[0]}' describes a network of the core; expected 'is: relu' "
                "beside it. Add that, or remove it."
            )
        return None
    if "hidden" not in entry or "control" not in entry["role"]:
        raise UserError(
            f"{where}: '{key}' has 'is: relu'; expected the role control or negative_control, and "
            "'hidden', its hidden layers ([] for a linear classifier). Correct it."
        )
    names = [name for name in (*entry["hidden"], entry.get("noise")) if isinstance(name, str)]
    needed = ("control_epochs", "control_batch", "control_learning_rate")
    for name in (*names, *(() if entry.get("as_is") else needed)):
        if name not in described:
            raise UserError(
                f"{where}: '{key}' needs the parameter '{name}', which the experiment does not "
                "have; add it to 'parameters'"
            )
    return Relu(tuple(entry["hidden"]), entry.get("sees", "all"), entry.get("noise"))


def _shrunk(size: Any, share: float) -> Any:
    """A share of a number of units, at least one; of each where there are several layers."""
    if isinstance(size, list):
        return [_shrunk(entry, share) for entry in size]
    return max(1, round(share * size))


def _sizes(name: str, entry: Mapping[str, Any], known: Mapping[str, Any], where: str) -> Sizes:
    for key, value, names in (
        ("parameter", entry["parameter"], known),
        *(("of", variant, known["variants"]) for variant in entry["of"]),
    ):
        if value not in names:
            raise UserError(
                f"{where}: 'experiments.{name}.sizes.{key}' names '{value}', which the experiment "
                "does not have; correct it"
            )
    of = {variant: tuple(shares) for variant, shares in entry["of"].items()}
    return Sizes(entry["parameter"], of, entry["first_seeds"])


def _of_other_sizes(sizes: Sizes) -> dict[str, Variant]:
    """One variant more for every variant and share."""
    found = {}
    for variant, shares in sizes.of.items():
        for share in shares:
            name = f"{variant}_at_{round(100 * share)}"
            says = f"{variant} with {100 * share:g} % of {sizes.parameter}"
            smaller = (variant, float(share))
            found[name] = Variant(name, "size", says, (), 0, sizes.first_seeds, smaller)
    return found


def _check_number(key: str, name: str, entry: Mapping[str, Any], where: str) -> None:
    """Time constants, durations and sizes are positive numbers, sizes whole ones."""
    whole = name.startswith(("n_", "batch", "epochs"))
    positive = whole or name.startswith(("tau_", "dt")) or name.endswith("_ms")
    for value in entry["value"] if isinstance(entry["value"], list) else [entry["value"]]:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if isinstance(value, str) and _is_number(value):
            raise UserError(
                f"{where}: '{key}' is the text '{value}'; expected a number. Write it without "
                "quotes, and an exponent with a dot before it: 1.0e-3."
            )
        fits = isinstance(value, int) if whole else is_number or not name.startswith("tau_")
        if not fits or (whole and not is_number):
            kind = "whole " if whole else ""
            raise UserError(
                f"{where}: '{key}' is {value!r}; it must be a positive {kind}number. Mend it there."
            )
        if positive and is_number and float(value) <= 0:
            unit = f" {entry['unit']}" if "unit" in entry else ""
            raise UserError(
                f"{where}: '{key}' is {value}{unit}; it must be positive. Mend it there."
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _check_kind(key: str, scaled: Any, published: Any, where: str) -> None:
    """A scale changes how much, not what: a number stays a number, a list a list."""

    def kind(value: Any) -> str:
        if value is None or isinstance(value, bool):
            return "null" if value is None else "true or false"
        names = {str: "text", list: "a list", dict: "a mapping of keys to values"}
        return names.get(type(value), "a number")

    if "null" not in (kind(scaled), kind(published)) and kind(scaled) != kind(published):
        raise UserError(
            f"{where}: '{key}' is {scaled!r}; expected {kind(published)} like the published "
            f"{published!r}. Correct it there."
        )


def _check_parents(experiments: Mapping[str, Experiment], where: str) -> None:
    parents: dict[str, tuple[str, ...]] = {
        f"{experiment.name}/{variant.name}": variant.starts_from
        for experiment in experiments.values()
        for variant in experiment.variants.values()
    }
    for child, named in parents.items():
        experiment, _, variant = child.partition("/")
        key = f"experiments.{experiment}.variants.{variant}.starts_from"
        for parent in named:
            if parent not in parents:
                close = difflib.get_close_matches(parent, list(parents), n=1)
                hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(parents)}."
                raise UserError(
                    f"{where}: '{key}' names '{parent}', which is no experiment/variant of the "
                    f"talk; {hint} Correct it there."
                )
        line, waiting = {child}, list(named)
        while waiting:
            ancestor = waiting.pop()
            if ancestor == child:
                raise UserError(
                    f"{where}: '{key}' is {list(named)}, and so {child} starts from itself; "
                    "expected a network that is trained before. Remove one of these links."
                )
            if ancestor not in line:
                line.add(ancestor)
                waiting += parents.get(ancestor, ())


def _check_learning(
    learning: tuple[Rule, ...], experiments: Mapping[str, Experiment], where: str
) -> None:
    for rule in learning:
        for experiment, variant in sorted(rule.places):
            if experiment not in experiments or variant not in experiments[experiment].variants:
                raise UserError(
                    f"{where}: learning rule '{rule.name}' names '{experiment}/{variant}', which "
                    "is no experiment/variant of the talk"
                )


def _check_unsimulated(experiments: Mapping[str, Experiment], where: str) -> None:
    """What has no spikes has no spiking variant and nothing that only a simulation can measure."""
    for experiment in experiments.values():
        spiking = [v.name for v in experiment.variants.values() if v.role == "spiking"]
        if not experiment.simulated and (spiking or experiment.battery or experiment.half_step):
            raise UserError(
                f"{where}: 'experiments.{experiment.name}' has 'simulated: false', but also "
                f"spiking variants {spiking}, a battery {list(experiment.battery)} or 'half_step'; "
                "expected none of these. Remove them (role 'rate' names a talk's own network "
                "without spikes)"
            )
