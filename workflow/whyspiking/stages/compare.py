"""Put all talks side by side, in tables that the report prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.declared import registry
from whyspiking.records import columns, datapackage, reference, tables
from whyspiking.records.tables import Table
from whyspiking.stages import provenance
from whyspiking.verdicts import (
    advantage,
    biology,
    common_ground,
    comparison,
    costs,
    floors,
    frontiers,
    literature,
    points,
)
from whyspiking.verdicts.described import described


def compare_talks(
    talks: Sequence[str], config: Mapping[str, Any], folder: Path, ground: Sequence[str] = ()
) -> None:
    """Put all talks side by side, and say how it all was made.

    Args:
        talks: Names of the talks, in the order of the report.
        config: The run configuration.
        folder: `results/<scale>`; the tables of each talk lie in the folder of its name.
        ground: Folder with the reference networks, if it is in the run; it is no talk.
    """
    reproduced = summarise(talks, config, folder, ground)
    provenance.write({**config, "talks": list(talks)}, folder, reproduced)
    datapackage.write(folder)


def summarise(
    talks: Sequence[str], config: Mapping[str, Any], folder: Path, ground: Sequence[str] = ()
) -> str:
    """Write the joint tables; returns how many numbers are equal to the reference results."""
    reference_folder = folder.parent / reference.FOLDER.name
    compared = comparison.compare_results(folder, reference_folder, talks, config["scale"])
    metrics = tables.stacked([talk.metrics for talk in compared.values()])
    reproduced = tables.stacked([talk.networks for talk in compared.values()])
    references = tables.read_metrics([folder / name / "metrics.csv" for name in ground])
    found = joint(metrics, references, talks, config)
    for file, table in {**found, "reproduced.csv": reproduced}.items():
        tables.write_csv(table, folder / file)
    n_changed = 0
    for name, talk in compared.items():
        verdicts = tables.read(folder / name / "verdicts.csv", columns.VERDICTS)
        n_changed += len(comparison.list_changed_verdicts(verdicts, talk.verdicts))
    why_not = next((talk.why_not for talk in compared.values() if talk.why_not), "")
    return comparison.summarise(reproduced, n_changed, why_not)


def joint(
    metrics: Table,
    ground: Table,
    names: Sequence[str],
    config: Mapping[str, Any],
) -> dict[str, pd.DataFrame]:
    """All that is computed from the metrics of all talks, by file.

    Args:
        metrics: Rows of the metrics tables of all talks.
        ground: Those of the reference networks; none where they are not in the run.
        names: Names of the talks, in the order of the rows.
        config: The run configuration.
    """
    talks = {name: registry.load_talk(name) for name in names}
    metrics = described(metrics, talks)
    networks = points.points(ground, metrics, talks, config)
    read = advantage.table(networks, config["energy"])
    return {
        "costs.csv": costs.costs(metrics),
        "agreement.csv": costs.parity(metrics, config["agreement"]),
        "biology.csv": biology.beside(metrics),
        "shared.csv": common_ground.matrix(metrics, talks, config),
        "frontiers.csv": frontiers.table(networks, config["energy"]),
        "advantage.csv": read,
        "baselines.csv": floors.table(ground),
        "literature.csv": literature.table(networks, read, ground, config["energy"]),
    }
