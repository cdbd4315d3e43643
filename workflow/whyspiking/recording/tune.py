"""Choose the settings of what shares a task, by one rule and with equal effort for all.

    python -m whyspiking.recording tune goeltz [EXPERIMENT[/VARIANT] ...] [--hidden 120]

For every variant that `tuned` names in talk.yaml, each of its settings is trained once, on data and
with a seed that no run uses, and scored on validation data; the table `tuning.csv` beside talk.yaml
keeps all of them. The best one stands in talk.yaml (`chosen`; a test compares). With `--hidden`
only the settings of talk.yaml are trained, at that number of hidden units. Test data are not
touched.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Labels, Network, Params, Traces
from whyspiking.declared import plans, registry, shared_tasks
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.records import columns, tables, whole_files
from whyspiking.stages import train
from whyspiking.talks import replication_of

FILE = "tuning.csv"
SEED = 1000
"""Seed of the training and of data that are drawn: no run has it."""


def tune(
    talk: registry.Talk, config: Mapping[str, Any], wanted: list[str], hidden: int | None = None
) -> pd.DataFrame:
    """Try all settings of the wanted experiments of a talk.

    Args:
        talk: With `tuned` in some experiments.
        config: Its scale says how long is trained.
        wanted: `experiment` or `experiment/variant`; empty: all.
        hidden: Number of hidden units; None: that of the task.

    Returns:
        A row a setting, `columns.TUNING`.
    """
    rows = []
    for experiment in talk.experiments.values():
        for variant, grid in experiment.tuned.items():
            names = {experiment.name, f"{experiment.name}/{variant}"}
            if wanted and not names & set(wanted):
                continue
            for setting in settings(grid) if hidden is None else [{}]:
                row = _tried(experiment, variant, setting, config, hidden)
                rows.append(row)
                print(
                    f"{experiment.name}/{variant} {row['setting']}: validation "
                    f"{row['accuracy']:.4f}, {row['cpu_seconds']:.1f} CPU s",
                    flush=True,
                )
    if not rows:
        known = [f"{e.name}/{v}" for e in talk.experiments.values() for v in e.tuned]
        raise UserError(
            f"tune: {talk.name} has nothing to tune in {wanted}; expected some of "
            f"{', '.join(known) or 'none'}, which have 'tuned' in talk.yaml. Correct the names."
        )
    return columns.TUNING.table(rows)


def settings(grid: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """All combinations of the values of a grid, the last parameter running fastest."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def chosen(table: pd.DataFrame, experiment: str, variant: str) -> dict[str, Any]:
    """The setting with the highest accuracy on validation data; of equals the first."""
    own = tables.where(table, experiment=experiment, variant=variant)
    own = own[own["setting"] != json.dumps({})]
    return json.loads(str(own["setting"].iloc[int(own["accuracy"].argmax())]))


def _tried(
    experiment: Experiment,
    variant: str,
    setting: Mapping[str, Any],
    config: Mapping[str, Any],
    hidden: int | None,
) -> dict[str, Any]:
    params = registry.params(experiment, config, SEED, variant)
    size = {} if hidden is None else {"n_hidden": hidden}
    params = replace(params, values={**params.values, **size, **setting})
    plan = plans.training(experiment, variant, params)
    if plan["starts_from"]:
        raise UserError(
            f"tune: {experiment.name}/{variant} starts from {plan['starts_from']}; expected a "
            "network that is trained from the start. Tune that one."
        )
    began = time.process_time()
    network = train.network_of(plan, {}, lambda done, words="": None)
    seconds = time.process_time() - began
    return {
        "experiment": experiment.name,
        "variant": variant,
        "setting": json.dumps(dict(setting)),
        "n_hidden": params.n_hidden,
        "seed": SEED,
        "presentations": shared_tasks.presentations(params.values),
        "accuracy": _accuracy(params, plan["trained_as"], network),
        "cpu_seconds": seconds,
    }


def _accuracy(params: Params, variant: str, network: Network) -> float:
    replication = replication_of(params.talk, params.experiment)
    task = replication.make_task(params, "validation", Streams(params.seed))
    outcome = None if task is None else replication.evaluate(params, variant, network, task)
    if outcome is None or isinstance(outcome, Traces | Labels):
        raise UserError(
            f"tune: {params.experiment}/{variant} has no decisions on validation data; expected "
            "'evaluate' to give some"
        )
    return scoring.accuracy(outcome)


def write(table: pd.DataFrame, path: Path) -> None:
    """Put rows in the place of those of the same variants and sizes, the others kept."""
    if path.is_file():
        known = tables.read(path, columns.TUNING)
        place = ["experiment", "variant", "n_hidden"]
        fresh = {tuple(row) for row in table[place].to_numpy()}
        old = known[[tuple(row) not in fresh for row in known[place].to_numpy()]]
        table = pd.concat([old, table], ignore_index=True)
    tables.write_csv(table.sort_values(["experiment", "variant"], kind="stable"), path)
    whole_files.seal_of(path).unlink()  # git keeps it


def run(name: str, wanted: list[str], hidden: int | None) -> None:
    """Tune a talk at scale default and write its table."""
    talk = registry.load_talk(name)
    table = tune(talk, read_yaml(Path("config/config.yaml")), wanted, hidden)
    write(table, talk.folder / FILE)
