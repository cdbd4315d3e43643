"""Makes a random part of the record again, and tells which numbers and networks come out the same.

    python -m whyspiking.recording again 0.5 7
    WHYSPIKING_VECTORS=native python -m whyspiking.recording again --whole ground 0.5 7
    python -m whyspiking.recording again --whole naud/mnist 0 7

The experiments are drawn by the second number, beside talks or single ones asked for in any
case, and run in `results/again`, apart from the run that was recorded; data sets and
compiled programs are shared. Claims are judged and energies compared again with the numbers of the
second run. Where `results/full` still has the first, networks are compared bit by bit as well. What
was found goes to `results/reference/again.json`; where nothing is drawn, under `since` of what
stands there, whose words on energy are those of the last run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking import arithmetic
from whyspiking.contract import network_files
from whyspiking.declared import registry
from whyspiking.declared.claims_file import Claim
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables
from whyspiking.records.tables import Table
from whyspiking.records.whole_files import read_json
from whyspiking.report import first_screen
from whyspiking.running import machine
from whyspiking.stages import collect, provenance
from whyspiking.verdicts import advantage, judge, points, reproduction, rule
from whyspiking.verdicts.described import described
from whyspiking.verdicts.recorded import AGAIN
from whyspiking_maintain import inputs
from whyspiking_maintain.one_run import RUN, run

FOLDER = Path("results/again")
SHARED = ("config", "resources", "exchange/community", "notebooks")
"""What a run in another folder looks for in its own."""
MEASURED = "measured.csv"
"""In the folder of an experiment: all its measurements, as the record would have them."""


def make(share: float, seed: int, whole: Sequence[str] = (), options: Sequence[str] = ()) -> str:
    """Make a random share of the experiments again and hold them against the record.

    Args:
        share: Of the experiments of all talks, in [0, 1].
        seed: Of the choice.
        whole: Talks, or experiments as TALK/EXPERIMENT, that are made again in any case.
        options: For Snakemake.

    Returns:
        What was found, in a line.

    Raises:
        UserError: If the share is none, a talk or experiment unknown, or the run stopped.
    """
    config = inputs.config_of()
    chosen = choose(share, seed, config, whole)
    before = {} if share else read_json(reference.FOLDER / AGAIN, "energies", "verdicts")
    link_project(FOLDER)
    targets = [str(RUN / talk / name / "metrics.csv") for talk, name in chosen]
    overlay = str(Path(f"config/{inputs.SCALE}.yaml").absolute())
    run("--directory", str(FOLDER), "--configfile", overlay, *options, "--", *targets)
    table, same, unlike = compare(chosen, config, FOLDER / RUN)
    tables.write_csv(table, FOLDER / "reproduced.csv")
    resting, changed = verdicts(chosen, FOLDER / RUN)
    words = energies(chosen, config, FOLDER / RUN)
    told = reproduction.summary(table, len(changed))
    differing = table[table["state"] != reproduction.IDENTICAL]
    found = {
        "share": share,
        "seed": seed,
        "whole": whole,
        "experiments": [f"{talk}.{name}" for talk, name in chosen],
        "commit": provenance.git("rev-parse", "HEAD"),
        "machine": {"cpu": machine.processor(), "unit": machine.unit(Path(config["build_folder"]))},
        "arithmetic": {**arithmetic.described(), "compiler": machine.compiler()},
        "told": told,
        "verdicts": {
            "claims": len(resting),
            "touched": touched(resting, differing),
            "changed": changed,
        },
        "energies": _words(words),
        "networks": {"identical": same, "different": unlike},
        "numbers": {key: int(table[key].sum()) for key in ("compared", "identical", "close")},
        "differing": [
            f"{row['talk']}.{row['experiment']}/{row['variant']} seed {row['seed']}: {row['where']}"
            for row in differing.to_dict("records")
        ],
    }
    if not share:
        before["energies"] = _words({**before["energies"]["compared"], **words})
        before["verdicts"]["changed"] += changed
        found = {**before, "since": [*before.get("since", []), found]}
    inputs.write_json(reference.FOLDER / AGAIN, found)
    return f"{told}; networks: {same} identical to the last bit, {len(unlike)} not"


def link_project(folder: Path) -> None:
    """Link what a run in another folder looks for in its own: configuration, data, programs."""
    for name in SHARED:
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(Path.cwd() / name)


def choose(
    share: float, seed: int, config: Mapping[str, Any], whole: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Talk and name of the experiments that are drawn or asked for, in the order of the talks.

    Raises:
        UserError: If the share does not lie in [0, 1], nothing is asked for, or it is unknown.
    """
    if not 0 <= share <= 1 or not (share or whole):
        raise UserError(f"again: the share is {share}; expected a number in (0, 1]")
    known = [
        (talk, experiment.name)
        for talk in registry.available()
        for experiment in registry.load_talk(talk).experiments.values()
        if registry.seeds(experiment, config)
    ]
    drawn = np.random.default_rng(seed).permutation(len(known))
    taken = {known[k] for k in drawn[: max(bool(share), round(share * len(known)))]}
    for one in whole:
        talk, _, name = one.partition("/")
        registry.load_talk(talk)
        own = {(of, x) for of, x in known if of == talk and name in ("", x)}
        if not own:
            raise UserError(f"again: '{one}' is no experiment of the record; correct the name")
        taken |= own
    return [one for one in known if one in taken]


def compare(
    chosen: Sequence[tuple[str, str]],
    config: Mapping[str, Any],
    results: Path,
    first: Path = RUN,
    folder: Path = reference.FOLDER,
) -> tuple[pd.DataFrame, int, list[str]]:
    """Hold experiments of a run against the record, and its networks against those of the first.

    Args:
        chosen: Talk and name of each experiment.
        config: Of the run.
        results: Its folder.
        first: Folder of the run that was recorded; what is not there is not compared.
        folder: The record.

    Returns:
        A row a network, columns of `columns.REPRODUCED`; how many networks have the same arrays to
        the last bit; and the folders of those that do not.
    """
    parts, same, unlike = [], 0, []
    for talk, name in chosen:
        described = registry.load_talk(talk)
        facts = sorted((results / talk / name).glob("*/seed-*/network.json"))
        measured = collect.measured(
            described, [results / talk / name / "metrics.csv"], facts, config["scale"]
        )
        # Numbers are compared as they are written.
        written = results / talk / name / MEASURED
        tables.write_metrics(measured, written)
        recorded = reference.table(folder / talk / "metrics.csv", columns.METRICS)
        parts.append(
            reproduction.compared(reproduction.beside(tables.read_metrics([written]), recorded))
        )
        for path in (fact.parent for fact in facts):
            before = first / path.relative_to(results)
            if not (before / "network.npz").is_file():
                continue
            if _equal(path, before):
                same += 1
            else:
                unlike.append(str(path.relative_to(results)))
    return tables.stacked(parts), same, unlike


def touched(claims: Sequence[Claim], differing: Table) -> int:
    """How many claims have a network of which a number came out otherwise: others could not turn.

    Args:
        claims: Claims.
        differing: Rows of networks; `talk`, `experiment`, `variant`.
    """
    unlike = set(zip(*(differing[key] for key in ("talk", "experiment", "variant")), strict=True))
    return sum(any((claim.talk, *own) in unlike for own in claim.networks) for claim in claims)


def verdicts(
    chosen: Sequence[tuple[str, str]], results: Path, folder: Path = reference.FOLDER
) -> tuple[list[Claim], list[str]]:
    """Judge claims with numbers that were made again; what was not made again is as recorded.

    Args:
        chosen: Talk and name of each experiment.
        results: Folder of the second run, after `compare`.
        folder: The record.

    Returns:
        The claims with a verdict that rest on these experiments; and those of all claims whose
        verdict is another one, with both.
    """
    resting, changed = list[Claim](), list[str]()
    for name in dict.fromkeys(talk for talk, _ in chosen):
        talk, own = registry.load_talk(name), [other for of, other in chosen if of == name]
        recorded, mixed = _rows(name, chosen, results, folder)
        claims = inputs.claims_of(talk)
        before, after = (
            judge.judge_all(rows, claims, talk, inputs.SCALE)["verdict"]
            for rows in (recorded, mixed)
        )
        for claim, first, second in zip(claims, before, after, strict=True):
            judged = first not in (rule.NOT_MEASURED, rule.OUT_OF_SCOPE)
            resting += [claim] * (judged and any(e in own for e, _ in claim.networks))
            if first != second:
                changed.append(f"{claim.id}: {first}, again {second}")
    return resting, changed


def energies(
    chosen: Sequence[tuple[str, str]],
    config: Mapping[str, Any],
    results: Path,
    folder: Path = reference.FOLDER,
) -> dict[str, list[str]]:
    """Compare energies with numbers that were made again, as `verdicts` judges claims.

    Args:
        chosen: Talk and name of each experiment.
        config: Of the run.
        results: Folder of the second run, after `compare`.
        folder: The record.

    Returns:
        Comparison of spikes with a rival that rests on reference networks that were made again ->
        the recorded word, and that of now.
    """
    names, ground = (kind(config["talks"]) for kind in (registry.counted, registry.with_protocol))
    metrics, references = (
        tables.stacked([_rows(name, chosen, results, folder)[1] for name in own])
        for own in (names, ground)
    )
    talks = {name: registry.load_talk(name) for name in names}
    networks = points.points(references, described(metrics, talks), talks, config)
    both = reference.table(folder / "advantage.csv", columns.ADVANTAGE).merge(
        advantage.table(networks, config["energy"]),
        on=["task", "who", "beside", "cost"],
        suffixes=("", "_again"),
    )
    made = {name.removesuffix(points.TRAINED_ON) for talk, name in chosen if talk in ground}
    own = tables.where(both, who="spikes", cost=advantage.MAIN[0], task=sorted(made))
    titles = first_screen.titles()
    return {
        first_screen.name_comparison(titles[row["task"]], row["beside"]): [
            row["over"],
            row["over_again"],
        ]
        for row in own.to_dict("records")
    }


def _words(compared: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """All comparisons with both words; and those whose word is another one, a line each."""
    changed = [f"{name}: {a}, again {b}" for name, (a, b) in compared.items() if a != b]
    return {"compared": compared, "changed": changed}


def _rows(
    name: str, chosen: Sequence[tuple[str, str]], results: Path, folder: Path
) -> tuple[Table, Table]:
    """Recorded rows of a talk; and the same with those that were made again in their place."""
    recorded = reference.table(folder / name / "metrics.csv", columns.METRICS)
    own = [results / name / experiment / MEASURED for of, experiment in chosen if of == name]
    again = [tables.read_metrics(own)] if own else []
    return recorded, pd.concat([*again, recorded]).drop_duplicates(columns.METRICS.names[:10])


def _equal(one: Path, other: Path) -> bool:
    """Whether two networks have the same arrays, bit by bit."""
    a, b = (network_files.load_network(path).arrays for path in (one, other))
    return set(a) == set(b) and all(
        a[key].dtype == b[key].dtype and a[key].tobytes() == b[key].tobytes() for key in a
    )
