"""Collect what the jobs of one talk measured, and judge its claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.battery import as_trained
from whyspiking.contract import network_files
from whyspiking.declared import registry
from whyspiking.declared.claims_file import Claim
from whyspiking.declared.registry import Talk
from whyspiking.records import columns, reference, tables
from whyspiking.verdicts import comparison, contrasts, judge, overview
from whyspiking.verdicts.described import described


def collect_talk(
    talk: str,
    metrics: Sequence[str | Path],
    facts: Sequence[str | Path],
    scale: str,
    folder: Path,
    changed: Mapping[str, str] | None = None,
) -> None:
    """Stack the tables of one talk, add metrics of two networks, judge its claims.

    Args:
        talk: Its name.
        metrics: Metrics tables of its simulations.
        facts: The network.json files of its networks; what each answered lies beside them.
        scale: Scale of the run.
        folder: Where the tables of the talk go.
        changed: Experiments with parameters that the run has changed -> which ones, in words.
    """
    described = registry.as_measured(registry.load_talk(talk), folder)
    table = measured(described, metrics, facts, scale)
    tables.write_metrics(table, folder / "metrics.csv")
    reference_folder = folder.parents[1] / reference.FOLDER.name
    compared = comparison.compare_results(folder.parent, reference_folder, [talk], scale)[talk]
    summarise_talk(compared.metrics, described, folder)
    tables.write_csv(compared.numbers, folder / "reproduced.csv")

    history: list[dict[str, Any]] = []
    unavailable: dict[tuple[str, str], str] = {}
    for path in map(Path, facts):
        network = network_files.load_network(path.parent)
        experiment, variant, seed = path.parts[-4:-1]
        own = {
            "experiment": experiment,
            "variant": variant,
            "seed": int(seed.removeprefix("seed-")),
        }
        history += [{**own, **entry} for entry in network.history]
        if "unavailable" in network.info:
            unavailable[experiment, variant] = network.info["unavailable"]
    tables.write_csv(columns.HISTORY.table(history), folder / "history.csv")

    registered = judge.load(described.folder / "claims.yaml", described)
    registered = [claim.on(compared.find_data(claim)) for claim in registered]
    verdicts = judge.judge_all(
        compared.metrics, registered, described, scale, unavailable=unavailable
    )
    tables.write_csv(_mark_changed(verdicts, registered, changed or {}), folder / "verdicts.csv")


def _mark_changed(
    verdicts: pd.DataFrame, claims: Sequence[Claim], changed: Mapping[str, str]
) -> pd.DataFrame:
    """Say of every verdict which changed parameters its networks have."""
    experiments = {claim.id: dict.fromkeys(name for name, _ in claim.networks) for claim in claims}
    qualifications = [
        "; ".join(filter(None, [*(changed[n] for n in experiments[claim] if n in changed), said]))
        for claim, said in zip(verdicts["claim"], verdicts["qualification"], strict=True)
    ]
    return verdicts.assign(qualification=qualifications)


def measured(
    talk: Talk,
    metrics: Sequence[str | Path],
    facts: Sequence[str | Path],
    scale: str,
) -> pd.DataFrame:
    """All rows of the metrics table of some experiments of a talk; arguments as `collect_talk`."""
    return contrasted(stacked(talk, metrics, facts, scale), talk)


def stacked(
    talk: Talk, metrics: Sequence[str | Path], facts: Sequence[str | Path], scale: str
) -> pd.DataFrame:
    """What was measured network by network, in both engines; arguments as `collect_talk`."""
    table = tables.read_metrics(metrics)
    trained = [row for path in facts for row in as_trained.rows(talk, Path(path).parent, scale)]
    return pd.concat([pd.DataFrame(trained), table], ignore_index=True) if trained else table


def contrasted(table: pd.DataFrame, talk: Talk) -> pd.DataFrame:
    """Add the metrics that compare two networks to rows of the metrics table, and sort them."""
    recovered = contrasts.compute_recovered_losses(described(table, {talk.name: talk}))
    table = tables.stacked([table, recovered])
    return table.sort_values(columns.METRICS.names[:10], kind="stable")


def summarise_talk(metrics: pd.DataFrame, talk: registry.Talk, folder: Path) -> None:
    """Write measures.csv, whose numbers the page of a talk prints."""
    tables.write_csv(overview.measures(metrics, talk), folder / "measures.csv")
