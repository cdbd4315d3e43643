"""Parameters that a run changes: `--config set='{goeltz.yinyang.n_hidden: 60}'`.

A key is `<talk>.<experiment>.<parameter>`, or `<talk>.<experiment>/<variant>.<parameter>` where one
variant alone is meant. A changed parameter counts as one that the scale of the run changes, so that
networks, tables and pages treat it as such.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

from whyspiking.contract.types import ExperimentParameters
from whyspiking.declared import plans, scales
from whyspiking.declared.experiments import Experiment, check_change
from whyspiking.declared.learning_rules import split
from whyspiking.declared.parameters import Change, Changes, check_numbers
from whyspiking.declared.registry import Talk
from whyspiking.declared.strict_yaml import Wrong, nearest
from whyspiking.errors import UserError

REASON = "changed for this run by 'set' in the config"
QUALIFICATION = "with changed parameters"
"""What is said of a verdict that rests on a network with a changed parameter."""


class Override(NamedTuple):
    """One entry of `set`.

    Attributes:
        talk: Name of the talk.
        experiment: Name of its experiment.
        variant: The only variant that is meant; None: all that have no value of their own.
        parameter: Name of the parameter.
        value: Its value in this run.
    """

    talk: str
    experiment: str
    variant: str | None
    parameter: str
    value: Any

    @property
    def key(self) -> str:
        """As `set` has it."""
        variant = f"/{self.variant}" if self.variant else ""
        return f"{self.talk}.{self.experiment}{variant}.{self.parameter}"


def parse(given: Mapping[str, Any], talks: Mapping[str, Talk]) -> list[Override]:
    """Read `set` and find what it names.

    Args:
        given: Key -> value.
        talks: The talks of the run, by name.

    Raises:
        UserError: If a key has another form, or names a talk, an experiment, a variant or a
            parameter that the run does not have; names the nearest ones.
    """
    return [_parse_entry(key, value, talks) for key, value in given.items()]


def _parse_entry(key: str, value: Any, talks: Mapping[str, Talk]) -> Override:
    if key.count(".") != 2:
        raise UserError(
            f"config: 'set' has the key '{key}'; expected <talk>.<experiment>.<parameter> or "
            "<talk>.<experiment>/<variant>.<parameter>. Correct it."
        )
    talk, place, parameter = key.split(".")
    name, _, variant = place.partition("/")
    _require(key, "talk", talk, talks)
    _require(key, "experiment", name, talks[talk].experiments)
    experiment = talks[talk].experiments[name]
    if "/" in place:
        _require(key, "variant", variant, experiment.variants)
    _require(key, "parameter", parameter, experiment.parameters)
    return Override(talk, name, variant or None, parameter, value)


def _require(key: str, what: str, name: str, known: Iterable[str]) -> None:
    known = list(known)
    if name not in known:
        hint = nearest(name, known, f"expected one of {', '.join(known)}.")
        raise UserError(
            f"config: 'set' names the {what} '{name}' in '{key}', which this run does not have; "
            f"{hint} Correct it."
        )


def apply(talks: Mapping[str, Talk], given: Mapping[str, Any], scale: str) -> dict[str, Talk]:
    """Change the parameters of a run.

    Args:
        talks: The talks of the run, by name.
        given: The block `set` of the config.
        scale: Scale of the run.

    Returns:
        The talks, with changed copies of those that `set` names.

    Raises:
        UserError: If `set` names what there is not, or if a value has another type than the
            published one, or lies outside the permitted ones.
    """
    changed = dict(talks)
    for override in parse(given, talks):
        talk = changed[override.talk]
        try:
            experiments = {
                **talk.experiments,
                override.experiment: _change(talk, override, scale),
            }
        except Wrong as error:
            raise UserError(f"config: 'set.{override.key}' {error}") from None
        changed[override.talk] = talk.model_copy(update={"experiments": experiments})
    return changed


def _change(talk: Talk, override: Override, scale: str) -> Experiment:
    """A copy of an experiment with one changed parameter."""
    experiment = talk.experiments[override.experiment]
    parameter = experiment.parameters[override.parameter]
    change: Change = {"value": override.value, "reason": REASON}
    if "permitted" not in parameter and not _is_number(override.value):
        raise Wrong(
            override.key,
            f"is {override.value!r}; expected a number or a list of numbers, because no other "
            "values of this parameter are declared. Remove it, or declare its 'permitted' values "
            "in talk.yaml.",
        )
    check_numbers({override.parameter: {**parameter, "value": override.value}})
    check_change(override.key, override.parameter, change, experiment.parameters)
    if not _list_readers(talk, override, scale):
        raise Wrong(
            override.key,
            f"has no effect at scale '{scale}', because neither the training nor the simulation "
            "of the experiment uses it; expected a parameter that they use. Remove it.",
        )
    if override.variant is None:
        recipe = scales.recipe(scale)
        of_scale = cast("Changes", {**experiment.changes(scale), override.parameter: change})
        scaled = {**experiment.scaled, recipe: of_scale}
        return experiment.model_copy(update={"scaled": scaled})
    variant = experiment.variants[override.variant]
    settings = {**variant.settings, override.parameter: change}
    variants = {
        **experiment.variants,
        override.variant: variant.model_copy(update={"settings": settings}),
    }
    return experiment.model_copy(update={"variants": variants})


def _list_readers(talk: Talk, override: Override, scale: str) -> list[str]:
    """List what reads the parameter: variants whose training does, and the simulation."""
    experiment = talk.experiments[override.experiment]
    params = ExperimentParameters(talk.name, experiment.name, scale, experiment.published)
    variants = [override.variant] if override.variant else list(experiment.variants)
    readers: list[str | None] = [
        name
        for name in variants
        if experiment.variants[name].runs_at(scale)
        and (override.variant or override.parameter not in experiment.variants[name].settings)
    ]
    # A variant's own parameters are part of how it is measured, too.
    if readers or not override.variant:
        readers.append(None)
    return [
        name or "simulation"
        for name in readers
        if override.parameter
        in plans.readable_params(experiment, name, params, talk.training_parameters).values
    ]


def _is_number(value: Any) -> bool:
    """Whether a value is a number, true or false, or a list of these."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, int | float)


def describe(talks: Mapping[str, Talk], given: Mapping[str, Any], scale: str) -> list[str]:
    """Say of every changed parameter what it was, and which variants do not change with it.

    Args:
        talks: The talks of the run without the changes, by name.
        given: The block `set` of the config.
        scale: Scale of the run.
    """
    lines = []
    for override in parse(given, talks):
        experiment = talks[override.talk].experiments[override.experiment]
        changes = experiment.changes(scale)
        values = {**experiment.published, **{k: entry["value"] for k, entry in changes.items()}}
        if override.variant is not None:
            values = experiment.values_of(override.variant, values)
        line = f"changed parameter: {override.key} is {override.value}, not "
        line += f"{values[override.parameter]}"
        keeping = [
            name
            for name, variant in experiment.variants.items()
            if override.variant is None and override.parameter in variant.settings
        ]
        if keeping:
            line += f"; the variants with a value of their own keep it: {', '.join(keeping)}"
        readers = _list_readers(talks[override.talk], override, scale)
        unread = [
            name
            for name, variant in experiment.variants.items()
            if override.variant is None and variant.runs_at(scale)
            if name not in (*readers, *keeping)
        ]
        if readers and unread:
            line += f"; the training of these variants does not use it: {', '.join(unread)}"
        lines.append(line)
    return lines


def describe_affected(talk: Talk, given: Mapping[str, Any]) -> dict[str, str]:
    """Describe the changes for every experiment that has a changed network or starts from one.

    Args:
        talk: The talk.
        given: The block `set` of the config.

    Returns:
        Experiment -> its changed parameters, and those of the networks that it starts from.
    """
    changes: dict[str, list[str]] = {name: [] for name in talk.experiments}
    for key, value in given.items():
        name, place, parameter = key.split(".")
        if name == talk.name:
            changes[place.partition("/")[0]].append(f"{place}.{parameter} {value}")
    # As often as the longest chain of networks that start from each other may be.
    for _ in talk.experiments:
        for name, experiment in talk.experiments.items():
            parents = [split(p)[0] for v in experiment.variants.values() for p in v.parents]
            inherited = [entry for parent in parents for entry in changes[parent]]
            changes[name] = list(dict.fromkeys([*changes[name], *inherited]))
    return {
        name: f"{QUALIFICATION}: {', '.join(entries)}"
        for name, entries in changes.items()
        if entries
    }


def name_folder(given: Mapping[str, Any], scale: str) -> str:
    """Name the folder below `results/` of a run with changed parameters."""
    digest = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
    return f"{scale}-set-{digest[:8]}"
