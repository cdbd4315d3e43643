"""Finds the talks by their folders, and reads what each says about itself."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from whyspiking.contract import Params, Replication
from whyspiking.datasets.folders import folder_of
from whyspiking.errors import UserError
from whyspiking.schema import check, read_yaml
from whyspiking.whole_files import read_json

FOLDER = Path(__file__).parent / "replications"


@dataclass(frozen=True)
class Variant:
    """One trained thing of an experiment: the spiking network, a control, an ablation."""

    name: str
    role: str
    says: str
    starts_from: tuple[str, ...]
    priority: int = 0
    first_seeds: int | None = None


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
    equal: Mapping[str, str] = field(default_factory=dict)
    at_least: Mapping[str, str] = field(default_factory=dict)

    def simulated_variants(self) -> list[str]:
        """Variants that are spiking networks and so are re-simulated in Brian2."""
        if not self.simulated:
            return []
        return [v.name for v in self.variants.values() if v.role in ("spiking", "ablation")]


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


def module(name: str) -> Replication:
    """Import a talk; see `contract.Replication` for what it exports."""
    return cast(Replication, importlib.import_module(f"whyspiking.replications.{name}"))


def params(experiment: Experiment, config: Mapping[str, Any], seed: int = 0) -> Params:
    """The parameters of one experiment at the scale of the config."""
    scale = config["scale"]
    values = dict(experiment.published)
    values.update({key: entry["value"] for key, entry in experiment.scaled.get(scale, {}).items()})
    originals = config["data"]["originals_dir"]
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
        equal=entry["data"].get("equal", {}),
        at_least=entry["data"].get("at_least", {}),
        published={key: value["value"] for key, value in described.items()},
        units={key: value["unit"] for key, value in described.items() if "unit" in value},
        sources={key: value["source"] for key, value in described.items()},
        scaled=entry["scaled"],
        variants={
            key: Variant(
                key,
                v["role"],
                v["says"],
                tuple(v.get("starts_from", ())),
                v.get("priority", 0),
                v.get("first_seeds"),
            )
            for key, v in entry["variants"].items()
        },
    )


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
