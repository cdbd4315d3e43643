"""Choose the settings of what shares a task, by one rule and with equal effort for all.

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
from typing import Any

import pandas as pd

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import ExperimentParameters, Labels, Network, Traces
from whyspiking.declared import plans, registry, shared_tasks
from whyspiking.declared.config import at_scale
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.tuning_file import FILE, NETWORKS, SEED, choose_setting
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.records import columns, tables
from whyspiking.stages import train
from whyspiking.talks import load_replication, talk_module
from whyspiking.training import controls
from whyspiking.training.history import NotFiniteError


def tune(talk: registry.Talk, config: Mapping[str, Any], wanted: list[str]) -> pd.DataFrame:
    """Try all settings of the wanted experiments of a talk that its table lacks.

    Args:
        talk: With `tuning_grids` in some experiments.
        config: Its scale says how long is trained.
        wanted: `experiment` or `experiment/variant`; empty: all.

    Returns:
        What its table has then: a row a network, `columns.TUNING`.
    """
    asked = [
        (experiment, variant)
        for experiment in talk.experiments.values()
        for variant in experiment.tuned
        if not wanted or {experiment.name, f"{experiment.name}/{variant}"} & set(wanted)
    ]
    if not asked:
        known = [f"{e.name}/{v}" for e in talk.experiments.values() for v in e.tuned]
        raise UserError(
            f"tune: talk {talk.name} has no settings to tune in {wanted}; expected one or more of "
            f"{', '.join(known) or 'none'}, which have 'tuning_grids' in talk.yaml. Correct the "
            "names."
        )
    path = talk.folder / FILE
    known = tables.read(path, columns.TUNING) if path.is_file() else columns.TUNING.table([])
    done = set(known[["experiment", "variant", "setting", "seed"]].itertuples(index=False))
    left = [
        (experiment, variant, setting, seed)
        for experiment, variant in asked
        for setting in shared_tasks.settings(experiment.tuned[variant])
        for seed in range(SEED, SEED + NETWORKS)
        if (experiment.name, variant, json.dumps(setting), seed) not in done
    ]
    began = time.monotonic()
    for n, (experiment, variant, setting, seed) in enumerate(left, 1):
        row = _tried(experiment, variant, setting, config, seed)
        tables.append(columns.TUNING.table([row]), path)
        minutes = (time.monotonic() - began) / n * (len(left) - n) / 60
        print(
            f"{n} of {len(left)}, {minutes:.0f} min left: {experiment.name}/{variant} "
            f"{row['setting']}, seed {seed}: validation {row['accuracy']:.4f}, "
            f"{row['cpu_seconds']:.1f} CPU s",
            flush=True,
        )
    return load(talk)


def load(talk: registry.Talk) -> pd.DataFrame:
    """The settings that were tried for a talk.

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
    """The best setting on validation data (`choose_setting`)."""
    own = tables.where(table, experiment=experiment, variant=variant)
    groups = own.groupby("setting", sort=False)["accuracy"]
    return json.loads(choose_setting({str(setting): list(part) for setting, part in groups}))


def _tried(
    experiment: Experiment,
    variant: str,
    setting: Mapping[str, Any],
    config: Mapping[str, Any],
    seed: int,
) -> dict[str, Any]:
    params = registry.params(experiment, config, seed, variant)
    params = params.with_values(**setting)
    plan = plans.training(experiment, variant, params)
    if plan["starts_from"]:
        raise UserError(
            f"tune: {experiment.name}/{variant} starts from {plan['starts_from']}; expected a "
            "network that is trained from the start. Tune that network."
        )
    began = time.process_time()
    try:
        network = train.network_of(plan, {}, lambda done, words="": None)
    except NotFiniteError:  # a setting with which training fails is no setting
        network = None
    seconds = time.process_time() - began
    return {
        "experiment": experiment.name,
        "variant": variant,
        "setting": json.dumps(dict(setting)),
        "n_hidden": params.values["n_hidden"],
        "seed": seed,
        "n_samples_shown": shared_tasks.presentations(params.values),
        "accuracy": 0.0 if network is None else _accuracy(params, plan["variant"], network),
        "cpu_seconds": seconds,
    }


def _accuracy(params: ExperimentParameters, variant: str, network: Network) -> float:
    replication = load_replication(params.talk, params.experiment)
    task = replication.make_task(params, "validation", Streams(params.seed))
    outcome = (
        None
        if task is None
        else controls.evaluate_variant(replication, params, variant, network, task)
    )
    if outcome is None or isinstance(outcome, Traces | Labels):
        raise UserError(
            f"tune: {params.experiment}/{variant} has no decisions on validation data; expected "
            "'evaluate' to return them. Change 'evaluate' in the talk's code"
        )
    return scoring.accuracy(outcome)


def run(name: str, wanted: list[str]) -> None:
    """Tune a talk at scale full and write its table; or as its protocol says, if it has one."""
    talk = registry.load_talk(name)
    config = at_scale("full")
    if (talk.folder / "protocol.yaml").is_file():
        return talk_module(name, "references").tune(config, wanted)
    table = tune(talk, config, wanted)
    for experiment, variant in dict.fromkeys(
        zip(table["experiment"], table["variant"], strict=True)
    ):
        best = json.dumps(chosen(table, experiment, variant))
        print(f"tune: {experiment}/{variant}: the best setting is {best}. Write it into talk.yaml")
