"""Choose the settings of networks that share a task, by one rule and with equal effort for all.

    python -m whyspiking.recording tune goeltz [EXPERIMENT[/VARIANT] ...]

For every variant that `tuning_grids` names in talk.yaml all its settings are trained, five networks
each, on data and with seeds that no run uses, at the presentations that are recorded, and scored on
validation data. A setting is as good as its lower quartile, so that one which now and then fails is
not chosen for its luck. The table `tuning.csv` beside talk.yaml keeps all of them, a row as soon as
it is there, and what stands there is not trained again; the best setting is printed, to be written
into talk.yaml (a run refuses another, `declared.tuning_file`). Test data are not touched.

A talk with a protocol.yaml (ground) says itself what is tried: its module `references`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Labels, Network, Params, Traces
from whyspiking.declared import plans, registry, shared_tasks
from whyspiking.declared.config import at_scale
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.tuning_file import FILE, NETWORKS, SEED, choose_setting
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.records import columns, tables
from whyspiking.stages import train
from whyspiking.talks import replication_of, talk_module
from whyspiking.training.history import NotFiniteError


def tune(
    talk: registry.Talk, config: Mapping[str, Any], requested_names: list[str]
) -> pd.DataFrame:
    """Try all settings of the requested experiments of a talk that its table lacks.

    Args:
        talk: With `tuning_grids` in some experiments.
        config: Its scale says how long is trained.
        requested_names: `experiment` or `experiment/variant`; empty: all.

    Returns:
        What its table has then: a row a network, `columns.TUNING`.
    """
    selected_variants = [
        (experiment, variant)
        for experiment in talk.experiments.values()
        for variant in experiment.tuned
        if not requested_names
        or {experiment.name, f"{experiment.name}/{variant}"} & set(requested_names)
    ]
    if not selected_variants:
        known_names = [f"{e.name}/{v}" for e in talk.experiments.values() for v in e.tuned]
        raise UserError(
            f"tune: talk {talk.name} has no settings to tune in {requested_names}; expected one or "
            f"more of {', '.join(known_names) or 'none'}, which have 'tuning_grids' in talk.yaml. "
            "Correct the names."
        )
    path = talk.folder / FILE
    recorded_rows = (
        tables.read(path, columns.TUNING) if path.is_file() else columns.TUNING.table([])
    )
    finished_runs = set(
        recorded_rows[["experiment", "variant", "setting", "seed"]].itertuples(index=False)
    )
    remaining_runs = [
        (experiment, variant, setting, seed)
        for experiment, variant in selected_variants
        for setting in shared_tasks.settings(experiment.tuned[variant])
        for seed in range(SEED, SEED + NETWORKS)
        if (experiment.name, variant, json.dumps(setting), seed) not in finished_runs
    ]
    start_s = time.monotonic()
    for n_done, (experiment, variant, setting, seed) in enumerate(remaining_runs, 1):
        row = _train_setting(experiment, variant, setting, config, seed)
        tables.append(columns.TUNING.table([row]), path)
        minutes = (time.monotonic() - start_s) / n_done * (len(remaining_runs) - n_done) / 60
        print(
            f"{n_done} of {len(remaining_runs)}, {minutes:.0f} min left: "
            f"{experiment.name}/{variant} {row['setting']}, seed {seed}: "
            f"validation {row['accuracy']:.4f}, {row['cpu_seconds']:.1f} CPU s",
            flush=True,
        )
    return load(talk)


def load(talk: registry.Talk) -> pd.DataFrame:
    """Read the settings that were tried for a talk.

    Raises:
        UserError: If none were.
    """
    if not (talk.folder / FILE).is_file():
        raise UserError(
            f"talks/{talk.name}/{FILE}: this file does not exist, but 'tuning_grids' in talk.yaml "
            "lists settings; expected results for all settings. Run "
            f"`python -m whyspiking.recording tune {talk.name}`"
        )
    return tables.read(talk.folder / FILE, columns.TUNING)


def chosen(table: pd.DataFrame, experiment: str, variant: str) -> dict[str, Any]:
    """Choose the best setting on validation data (`choose_setting`)."""
    variant_rows = tables.where(table, experiment=experiment, variant=variant)
    accuracies_by_setting = variant_rows.groupby("setting", sort=False)["accuracy"]
    return json.loads(
        choose_setting(
            {str(setting): list(accuracies) for setting, accuracies in accuracies_by_setting}
        )
    )


def _train_setting(
    experiment: Experiment,
    variant: str,
    setting: Mapping[str, Any],
    config: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    params = registry.params(experiment, config, seed, variant)
    params = replace(params, values={**params.values, **setting})
    plan = plans.training(experiment, variant, params)
    if plan["starts_from"]:
        raise UserError(
            f"tune: {experiment.name}/{variant} starts from {plan['starts_from']}; expected a "
            "network that is trained from the start. Tune that network."
        )
    start_s = time.process_time()
    try:
        network = train.network_of(plan, {}, lambda done, words="": None)
    except NotFiniteError:  # a setting with which training fails is no setting
        network = None
    seconds = time.process_time() - start_s
    return {
        "experiment": experiment.name,
        "variant": variant,
        "setting": json.dumps(dict(setting)),
        "n_hidden": params.n_hidden,
        "seed": seed,
        "n_samples_shown": shared_tasks.presentations(params.values),
        "accuracy": 0.0 if network is None else _measure_accuracy(params, plan["variant"], network),
        "cpu_seconds": seconds,
    }


def _measure_accuracy(params: Params, variant: str, network: Network) -> float:
    replication = replication_of(params.talk, params.experiment)
    task = replication.make_task(params, "validation", Streams(params.seed))
    outcome = None if task is None else replication.evaluate(params, variant, network, task)
    if outcome is None or isinstance(outcome, Traces | Labels):
        raise UserError(
            f"tune: {params.experiment}/{variant} has no decisions on validation data; expected "
            "'evaluate' to return them. Change 'evaluate' in the talk's code"
        )
    return scoring.accuracy(outcome)


def run(name: str, requested_names: list[str]) -> None:
    """Tune a talk at scale full and write its table; or as its protocol says, if it has one."""
    talk = registry.load_talk(name)
    config = at_scale("full")
    if (talk.folder / "protocol.yaml").is_file():
        return talk_module(name, "references").tune(config, requested_names)
    table = tune(talk, config, requested_names)
    for experiment, variant in dict.fromkeys(
        zip(table["experiment"], table["variant"], strict=True)
    ):
        best_setting = json.dumps(chosen(table, experiment, variant))
        print(
            f"tune: {experiment}/{variant}: the best setting is {best_setting}. "
            "Write it into talk.yaml"
        )
