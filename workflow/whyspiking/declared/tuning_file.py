"""Reads the tables of tuning, and refuses a setting that its table does not support.

`talks/<talk>/tuning.csv`, and `tuning/<task>.csv` beside a protocol, have a row for every network
that was trained to choose a setting. `python -m whyspiking.recording tune` writes them.
"""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, Json, ValidationError

from whyspiking.declared import protocol_file, shared_tasks
from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError

FILE = "tuning.csv"
SEED = 1000
"""First seed of the trainings and of data that are drawn: no run has it or one after it."""
NETWORKS = 5
"""Networks of every setting."""

type Tried = dict[tuple[str, ...], dict[str, dict[int, float]]]
"""Names of what is tuned -> setting as JSON with sorted keys -> seed -> accuracy."""


class Row(BaseModel):
    """A network in a table of tuning; a description says what is expected."""

    setting: Json[dict[str, Any]] = Field(description="a mapping in JSON")
    seed: int = Field(ge=0, description="a whole number")
    n_hidden: int = Field(ge=1, description="a positive whole number")
    accuracy: float = Field(ge=0, le=1, description="a number from 0 to 1")
    cpu_seconds: float = Field(ge=0, allow_inf_nan=False, description="a number of seconds")


def read(path: Path, columns: Sequence[str], where: str) -> Tried:
    """Read a table of tuning.

    Args:
        path: The table.
        columns: The columns that name what is tuned.
        where: What messages call the table.

    Raises:
        UserError: If the table is unreadable, a value has another type or is out of its range, or
            two rows are of the same network.
    """
    tried: Tried = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), 2):
                named = tuple(str(row.get(column)) for column in columns)
                network = _check_row(row, f"{where}: line {number}")
                scores = tried.setdefault(named, {}).setdefault(_encode(network.setting), {})
                if network.seed in scores:
                    raise UserError(
                        f"{where}: line {number} repeats the network of an earlier line; expected "
                        "one row per setting and seed. Remove one of them."
                    )
                scores[network.seed] = network.accuracy
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            f"{where}: this file is not a readable table ({error}); expected comma-separated "
            "values in UTF-8. Restore the file."
        ) from None
    return tried


def _check_row(row: Mapping[Any, Any], where: str) -> Row:
    if None in row:
        raise UserError(
            f"{where} has more values than the first line has columns; expected equally many. "
            "Correct it."
        )
    try:
        return Row.model_validate(row)
    except ValidationError as error:
        column = str(error.errors()[0]["loc"][0])
        raise UserError(
            f"{where}: '{column}' is '{row.get(column) or ''}'; expected "
            f"{Row.model_fields[column].description}. Restore the file, or remove the line and "
            "tune again."
        ) from None


def _encode(setting: Mapping[str, Any]) -> str:
    return json.dumps(setting, sort_keys=True)


def find_lower_quartile(accuracies: Collection[float]) -> float:
    """Find the lower quartile, by which settings are compared: luck does not raise it."""
    return float(np.quantile(list(accuracies), 0.25))


def choose_setting(scores: Mapping[str, Collection[float]]) -> str:
    """Choose the best setting on validation data; of equals the first.

    Most networks come first, then the lower quartile of their accuracies, then their mean.

    Args:
        scores: Setting as JSON -> accuracies of its networks.
    """
    return max(
        scores,
        key=lambda setting: (
            len(scores[setting]),
            find_lower_quartile(scores[setting]),
            float(np.mean(list(scores[setting]))),
        ),
    )


def check_talk(talk: Talk) -> None:
    """Check that the table of a talk supports the settings in its talk.yaml, if it has a table.

    Args:
        talk: The talk, without parameters that a run changes.

    Raises:
        UserError: If the table is damaged or lacks a network, or another setting is the best.
    """
    path = talk.folder / FILE
    if not path.is_file():  # a talk that is being written
        return
    where = f"talks/{talk.name}/{FILE}"
    tried = read(path, ("experiment", "variant"), where)
    seeds = range(SEED, SEED + NETWORKS)
    for experiment in talk.experiments.values():
        changes = {key: entry["value"] for key, entry in experiment.changes("full").items()}
        for variant, grids in experiment.tuned.items():
            place = f"{experiment.name}/{variant}"
            again = f"Run `python -m whyspiking.recording tune {talk.name} {place}`."
            wanted = {_encode(setting) for setting in shared_tasks.settings(grids)}
            own = tried.get((experiment.name, variant), {})
            scores = {name: list(own[name].values()) for name in own if name in wanted}
            if missing := _count_missing(own, wanted, seeds):
                raise UserError(
                    f"{where}: {missing} of {len(wanted) * NETWORKS} networks of {place} are "
                    f"missing; expected {NETWORKS} for every setting in 'tuning_grids' of "
                    f"talk.yaml. {again}"
                )
            values = experiment.values_of(variant, {**experiment.published, **changes})
            best = json.loads(choose_setting(scores))
            used = {key: values[key] for key in best}
            if used != best:
                raise UserError(
                    f"talks/{talk.name}/talk.yaml: {place} has {used}; expected {best}, the best "
                    f"setting in {FILE}. Write it there. To run another one, use 'set' of the "
                    "config."
                )


def check_protocol(path: Path) -> None:
    """Check that every family was tuned before its networks are trained, and chosen by its table.

    Args:
        path: The protocol, beside the folder tuning/.

    Raises:
        UserError: If the protocol or a table is damaged, a network of a last grid is not in
            tuning/, or the chosen setting is not the best of that grid.
    """
    protocol, place = protocol_file.load(path), f"talks/{path.parent.name}/{path.name}"
    for task in protocol.training:
        table = path.with_name("tuning") / f"{task}.csv"
        tried = read(table, ("family",), f"tuning/{task}.csv") if table.is_file() else {}
        for family, tuned in protocol.families.items():
            if task not in tuned:
                continue
            settings = list(tuned[task].settings())
            again = f"`python -m whyspiking.recording tune {path.parent.name} {task}/{family}`"
            names, own = list(map(_encode, settings)), tried.get((family,), {})
            if missing := _count_missing(own, names, protocol.tuning_seeds):
                raise UserError(
                    f"{place}: 'families.{family}.{task}.grids' asks for "
                    f"{len(names) * len(protocol.tuning_seeds)} networks, and tuning/{task}.csv "
                    f"lacks {missing} of them; expected all networks, because a setting is chosen "
                    f"from them. Run {again}."
                )
            chosen = protocol.chosen_settings.get(task, {}).get(family)
            scores = [
                find_lower_quartile([own[name][seed] for seed in protocol.tuning_seeds])
                for name in names
            ]
            best = settings[scores.index(max(scores))]
            if chosen is None or chosen.given != best:
                raise UserError(
                    f"{place}: 'chosen_settings.{task}.{family}' is {chosen and chosen.given}; "
                    f"expected {best}, the setting of the last grid with the highest lower "
                    f"quartile in tuning/{task}.csv. Write it there, or tune again: {again}."
                )


def _count_missing(
    scores: Mapping[str, Mapping[int, float]], settings: Collection[str], seeds: Sequence[int]
) -> int:
    wanted = itertools.product(settings, seeds)
    return sum(seed not in scores.get(setting, {}) for setting, seed in wanted)
