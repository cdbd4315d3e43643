"""Choose the settings of what shares a task, by one rule and with equal effort for all.

    python -m whyspiking.recording tune goeltz [EXPERIMENT[/VARIANT] ...] [--hidden 120]

For every variant that `tuned` names in talk.yaml all its settings are trained, on data and with
seeds that no run uses, at the presentations that are recorded, and scored on validation data. One
network each, then three of the better half, then five of the better half of those (successive
halving): a setting is as good as its lower quartile, so that one which now and then fails is not
chosen for its luck. The table `tuning.csv` beside talk.yaml keeps all of them; the best setting
is written into talk.yaml (`put`; a test compares). With `--hidden` only the settings of talk.yaml
are trained, once, at that number of hidden units. Test data are not touched.

A talk with a protocol.yaml (ground) says itself what is tried: its module `references`.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Labels, Network, Params, Traces
from whyspiking.declared import plans, registry, shared_tasks
from whyspiking.declared.config import read
from whyspiking.declared.experiments import Experiment
from whyspiking.errors import UserError
from whyspiking.measures import scoring
from whyspiking.records import columns, tables, whole_files
from whyspiking.stages import train
from whyspiking.talks import replication_of, talk_module
from whyspiking.training.history import NotFiniteError

FILE = "tuning.csv"
SEED = 1000
"""First seed of the trainings and of data that are drawn: no run has it or one after it."""
NETWORKS = (1, 3, 5)
"""Networks of every setting that is left, round by round; after each the better half is left."""


AT_CHANCE = 0.05
"""Above a guess mean accuracies up to this are none: three standard errors of 1,000 trials."""

ALL_BUT_PERFECT = 0.99
"""Mean accuracy from which no better setting is looked for."""


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
        A row a network, `columns.TUNING`.
    """
    if hidden is not None and hidden < 1:
        raise UserError(f"tune: --hidden is {hidden}; expected 1 or more. Correct it.")
    asked = [
        (experiment, variant, list(settings(grid)) if hidden is None else [{}])
        for experiment in talk.experiments.values()
        for variant, grid in experiment.tuned.items()
        if not wanted or {experiment.name, f"{experiment.name}/{variant}"} & set(wanted)
    ]
    if not asked:
        known = [f"{e.name}/{v}" for e in talk.experiments.values() for v in e.tuned]
        raise UserError(
            f"tune: {talk.name} has nothing to tune in {wanted}; expected some of "
            f"{', '.join(known) or 'none'}, which have 'tuned' in talk.yaml. Correct the names."
        )
    rounds = NETWORKS if hidden is None else NETWORKS[:1]
    several = [(own, name, trainings(len(grid), rounds)) for own, name, grid in asked]
    print(estimate([(own, name) for own, name, n in several for _ in range(n)]), flush=True)
    rows: list[dict[str, Any]] = []
    for experiment, variant, left in asked:
        own: list[dict[str, Any]] = []
        for first, networks in itertools.pairwise((0, *rounds)):
            for setting, seed in itertools.product(left, range(SEED + first, SEED + networks)):
                own.append(_tried(experiment, variant, setting, config, hidden, seed))
                print(_line(own[-1]), flush=True)
            order = ranked(columns.TUNING.table(own), experiment.name, variant)
            left = [json.loads(text) for text in order[: -(-len(left) // 2)]]
        rows += own
    return columns.TUNING.table(rows)


def trainings(n_settings: int, rounds: Sequence[int] = NETWORKS) -> int:
    """How many networks are trained for a grid of so many settings."""
    total = 0
    for before, networks in itertools.pairwise((0, *rounds)):
        total += n_settings * (networks - before)
        n_settings = -(-n_settings // 2)
    return total


def _line(row: Mapping[str, Any]) -> str:
    """What is told of a network that was tried."""
    return (
        f"{row['experiment']}/{row['variant']} {row['setting']}, seed {row['seed']}: validation "
        f"{row['accuracy']:.4f}, {row['cpu_seconds']:.1f} CPU s"
    )


def settings(grid: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """All combinations of the values of a grid, the last parameter running fastest."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def estimate(trainings: Sequence[tuple[Experiment, str]]) -> str:
    """How many trainings there are, and the CPU time that such ones took, in a line.

    Args:
        trainings: Experiment and variant of each. Taken are the times of the same one in tables
            that are there, else of all on its shared task.
    """
    known = {name: load(registry.load_talk(name)) for name in registry.available() if tuned(name)}
    took = []
    for experiment, variant in trainings:
        own = known.get(experiment.talk, columns.TUNING.table([]))
        same = tables.where(own, experiment=experiment.name, variant=variant)
        if same.empty:
            same = pd.concat([_on_task(known[name], name, experiment.task) for name in known])
        took.append(same["cpu_seconds"].astype(float).quantile([0, 0.5, 1]).to_numpy())
    least, middle, most = np.sum(took, axis=0)
    told = f"tune: {len(trainings)} trainings, one after the other"
    if not np.isfinite(middle):
        return f"{told}; how long they take is not known: none was tuned on such a task"
    return (
        f"{told}: about {_spoken(middle)} of CPU time, if they take as long as those in the tables "
        f"of the talks ({_spoken(least)} to {_spoken(most)})"
    )


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _on_task(table: pd.DataFrame, talk: str, task: str | None) -> pd.DataFrame:
    """Rows of a talk's table of the experiments on a shared task."""
    experiments = registry.load_talk(talk).experiments.values()
    return tables.where(table, experiment=[e.name for e in experiments if e.task == task])


def tuned(name: str) -> bool:
    """Whether a talk has a table of tried settings."""
    return (registry.FOLDER / name / FILE).is_file()


def load(talk: registry.Talk) -> pd.DataFrame:
    """The settings that were tried for a talk.

    Raises:
        UserError: If none were.
    """
    if not tuned(talk.name):
        raise UserError(
            f"talks/{talk.name}/{FILE}: is not there, but 'tuned' in talk.yaml names settings to "
            f"try; expected all of them tried; run `python -m whyspiking.recording tune "
            f"{talk.name}`"
        )
    return tables.read(talk.folder / FILE, columns.TUNING)


def at_edge(table: pd.DataFrame, experiment: Experiment, variant: str) -> str:
    """What is wrong with a grid of three values whose best is its lowest or highest; else empty.

    A fourth value is then tried beyond it (`shared_tasks.TRIED`), whatever it says. A middle value
    that is as good will do. What does no better than a guess, or hardly errs at all, needs no
    better value.
    """
    task = shared_tasks.shared_tasks()[str(experiment.task)]
    scores = _scores(table, experiment.name, variant).items()
    tried = [(json.loads(text), score) for text, score in scores]
    for key, values in experiment.tuned[variant].items():
        if len(values) != 3 or not tried:
            continue
        best = [max(score for own, score in tried if own[key] == value) for value in values]
        worth = task.chance + AT_CHANCE < max(best)[-1] < ALL_BUT_PERFECT
        if worth and max(best) > best[1]:
            return (
                f"{experiment.name}/{variant}: the best {key} of {values} is "
                f"{values[best.index(max(best))]}, at the edge; expected a fourth value beyond it. "
                "Add it to 'tuned' and tune again"
            )
    return ""


def chosen(table: pd.DataFrame, experiment: str, variant: str) -> dict[str, Any]:
    """The best setting on validation data; of equals the first."""
    return json.loads(ranked(table, experiment, variant)[0])


def ranked(table: pd.DataFrame, experiment: str, variant: str) -> list[str]:
    """Settings that were tried, as JSON, the best first."""
    scores = _scores(table, experiment, variant)
    return sorted(scores, key=scores.__getitem__, reverse=True)


def _scores(table: pd.DataFrame, experiment: str, variant: str) -> dict[str, tuple[float, ...]]:
    """Setting as JSON -> number of networks, the lower quartile of their accuracies, their mean."""
    own = tables.where(table, experiment=experiment, variant=variant)
    own = own[own["setting"] != json.dumps({})]
    return {
        str(setting): (accuracy.size, float(accuracy.quantile(0.25)), float(accuracy.mean()))
        for setting, accuracy in own.groupby("setting", sort=False)["accuracy"]
    }


def _tried(
    experiment: Experiment,
    variant: str,
    setting: Mapping[str, Any],
    config: Mapping[str, Any],
    hidden: int | None,
    seed: int = SEED,
) -> dict[str, Any]:
    params = registry.params(experiment, config, seed, variant)
    size = {} if hidden is None else {"n_hidden": hidden}
    params = replace(params, values={**params.values, **size, **setting})
    plan = plans.training(experiment, variant, params)
    if plan["starts_from"]:
        raise UserError(
            f"tune: {experiment.name}/{variant} starts from {plan['starts_from']}; expected a "
            "network that is trained from the start. Tune that one."
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
        "n_hidden": params.n_hidden,
        "seed": seed,
        "presentations": shared_tasks.presentations(params.values),
        "accuracy": 0.0 if network is None else _accuracy(params, plan["trained_as"], network),
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
    """Tune a talk at scale default and write its table; or as its protocol says, if it has one."""
    talk, config = registry.load_talk(name), read()
    if (talk.folder / "protocol.yaml").is_file():
        if hidden is not None:
            raise UserError(
                f"tune: --hidden {hidden} of {name}; expected the sizes of its protocol.yaml. "
                "Leave it out."
            )
        return talk_module(name, "references").tune(config, wanted)
    table = tune(talk, config, wanted, hidden)
    write(table, talk.folder / FILE)
    for name, variant in sorted(set(zip(table["experiment"], table["variant"], strict=True))):
        if hidden is None:
            print(put(talk.folder / "talk.yaml", name, variant, chosen(table, name, variant)))
            if edge := at_edge(table, talk.experiments[name], variant):
                print(f"tune: {edge}.", flush=True)


def put(path: Path, experiment: str, variant: str, best: Mapping[str, Any]) -> str:
    """Write the best setting into talk.yaml, where its values are taken from; says what was done.

    All else of the text stays. A value that others take from there too is left to the author.
    """
    said = f"tune: {experiment}/{variant}: the best is {json.dumps(dict(best))}; talk.yaml"
    text = path.read_text(encoding="utf-8")
    before = json.loads(json.dumps(yaml.safe_load(text)))  # no block is shared
    for key, value in best.items():
        own = before["experiments"][experiment]
        places = (("variants", variant, "settings"), ("scaled", "full"), ("parameters",))
        held = ((place, _inside(own, place)) for place in places)
        place, found = next((p, at) for p, at in held if at is not None and key in at)
        if found[key]["value"] != value:
            found[key]["value"] = value
            text = _edited(text, ("experiments", experiment, *place), key, found[key])
    if json.loads(json.dumps(yaml.safe_load(text))) != before:
        return f"{said} takes a value from elsewhere, with others: write it there, below '<<'"
    if text == path.read_text(encoding="utf-8"):
        return f"{said} has it"
    with whole_files.replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return f"{said} has it now"


def _inside(data: Any, keys: Sequence[str]) -> Any:
    """What lies below some keys; None where there is nothing."""
    for key in keys:
        data = (data or {}).get(key)
    return data


def _edited(text: str, place: Sequence[str], key: str, entry: Mapping[str, Any]) -> str:
    """A YAML file with another value of a parameter: in its line, or in one below its `<<`."""
    node: Any = yaml.compose(text, yaml.SafeLoader)
    for name in place:
        node = {k.value: v for k, v in node.value}[name]
    lines = {k.value: (k, v) for k, v in node.value}
    if key in lines:
        at = {k.value: v for k, v in lines[key][1].value}["value"]
        return text[: at.start_mark.index] + _flow(entry["value"]) + text[at.end_mark.index :]
    mark = lines["<<"][0].start_mark
    end = text.index("\n", mark.index)
    return f"{text[:end]}\n{' ' * mark.column}{key}: {_flow(entry)}{text[end:]}"


def _flow(value: Any) -> str:
    """A value as YAML, in a line."""
    told = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return told.partition("\n")[0]
