"""What one part of the config says about another, or about a talk: names, and sizes of data."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from whyspiking import registry
from whyspiking.conditions import ON_NUMBERS, ON_SPIKES
from whyspiking.errors import UserError
from whyspiking.glossary import GLOSSARY


def check_references(config: Mapping[str, Any], where: str) -> None:
    """Check names that must be defined elsewhere in the config or in the glossary.

    Args:
        config: The config; it fulfils its schema.
        where: Its name for messages.

    Raises:
        UserError: If a name is not known or is given twice.
    """
    energy = config["energy"]
    models = [model["id"] for model in energy["models"]]
    _once(models, "energy.models", "id", where)
    sensitivity = energy["sensitivity"]
    _one_of(sensitivity["base"], models, "energy.sensitivity.base", where)
    _once(
        [c["factor"] for c in sensitivity["changes"]], "energy.sensitivity.changes", "factor", where
    )
    entries = [(f"energy.models.{k}", model) for k, model in enumerate(energy["models"])]
    for change in sensitivity["changes"]:
        key = f"energy.sensitivity.changes ({change['factor']})"
        _once([setting["label"] for setting in change["settings"]], key, "label", where)
        entries += [(f"{key}, {s['label']}", s["set"]) for s in change["settings"]]
    for key, entry in entries:
        for name in ("mult", "add"):
            if name in entry:
                _one_of(entry[name], list(energy["operations_pj"]), f"{key}.{name}", where)
        for name in ("weight_memory", "membrane_memory"):
            if entry.get(name) is not None:
                _one_of(entry[name], list(energy["memory_pj_64bit"]), f"{key}.{name}", where)
    for number, axis in enumerate(config["axes"]):
        _one_of(axis["metric"], list(GLOSSARY), f"axes.{number}.metric", where)
        known = ["none", *ON_SPIKES, *ON_NUMBERS, *models]
        for side in ("where", "versus"):
            place = axis[side] or {}
            if "perturbation" in place:
                key = f"axes.{number}.{side}.perturbation"
                _one_of(place["perturbation"], known, key, where)
    _check_answers(config, where)


def _check_answers(config: Mapping[str, Any], where: str) -> None:
    """Only a measure of the same axis that has a null can be counted for its answer."""
    _once([answer["axis"] for answer in config["answers"]], "answers", "axis", where)
    for number, answer in enumerate(config["answers"]):
        countable = [
            axis["measure"]
            for axis in config["axes"]
            if axis["axis"] == answer["axis"] and axis["neutral"] is not None
        ]
        for measure in answer["counts"]:
            _one_of(measure, [*countable, "claims"], f"answers.{number}.counts", where)
        key = f"answers.{number}.change.measure"
        _one_of(answer["change"]["measure"], answer["counts"], key, where)


def check_sizes(talk: registry.Talk, config: Mapping[str, Any], where: str) -> None:
    """Check that data are made as a talk's experiments expect them (`data.equal`, `at_least`).

    Args:
        talk: The talk.
        config: The config.
        where: Its name for messages.

    Raises:
        UserError: If a setting of the data and a parameter do not fit.
    """
    for experiment in talk.experiments.values():
        values = registry.params(experiment, config).values
        settings = config["data"].get(experiment.data_key, {})
        for must_equal, pairs in ((True, experiment.equal), (False, experiment.at_least)):
            for parameter, setting in pairs.items():
                place = f"replications/{talk.name}/talk.yaml: experiment '{experiment.name}'"
                if parameter not in values or setting not in settings:
                    raise UserError(
                        f"{place}: its data must fit parameter '{parameter}' to "
                        f"'data.{experiment.data_key}.{setting}', but one of them does not exist; "
                        "expected a parameter and a key of the config. Correct their names."
                    )
                wanted, given = values[parameter], settings[setting]
                if (given != wanted) if must_equal else (given < wanted):
                    wish = "the same" if must_equal else "at least that"
                    raise UserError(
                        f"{where}: 'data.{experiment.data_key}.{setting}' is {given}, but "
                        f"'{parameter}' of {talk.name}.{experiment.name} is {wanted} at scale "
                        f"'{config['scale']}'; expected {wish}. "
                        "Correct one of them (the parameter stands in the talk's talk.yaml)."
                    )


def _one_of(name: str, known: Sequence[str], key: str, where: str) -> None:
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean '{close[0]}'?" if close else "Correct it, or define it there."
        listed = ", ".join(known) if len(known) <= 12 else f"one of {len(known)} known names"
        raise UserError(f"{where}: '{key}' is '{name}'; expected {listed}. {hint} Correct it.")


def _once(names: Sequence[str], key: str, what: str, where: str) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise UserError(
                f"{where}: '{key}' has {count} entries with {what} '{name}'; expected each once. "
                "Rename or remove one."
            )
