"""Put all talks side by side, in tables that the report prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.declared import registry
from whyspiking.records import columns, datapackage, tables
from whyspiking.records.tables import Table
from whyspiking.stages import collect, provenance
from whyspiking.verdicts import (
    advantage,
    biology,
    common_ground,
    costs,
    floors,
    frontiers,
    literature,
    points,
    reproduction,
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
    """Write the joint tables; returns how many numbers are those of the record, in a line."""
    held = [collect.held_of(name, config["scale"], folder / name) for name in talks]
    metrics = tables.stacked([own.metrics for own in held])
    reproduced = tables.stacked([own.table for own in held])
    references = tables.read_metrics([folder / name / "metrics.csv" for name in ground])
    found = joint(metrics, references, talks, config)
    for file, table in {**found, "reproduced.csv": reproduced}.items():
        tables.write_csv(table, folder / file)
    verdicts = [tables.read(folder / name / "verdicts.csv", columns.VERDICTS) for name in talks]
    changed = sum(own.changed(rows) for own, rows in zip(held, verdicts, strict=True))
    why_not = next((own.why_not for own in held if own.why_not), "")
    return reproduction.summary(reproduced, changed, why_not)


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
        "parity.csv": costs.parity(metrics, config["parity"]),
        "biology.csv": biology.beside(metrics),
        "shared.csv": common_ground.matrix(metrics, talks, config),
        "frontiers.csv": frontiers.table(networks, config["energy"]),
        "advantage.csv": read,
        "floors.csv": floors.table(ground),
        "literature.csv": literature.table(networks, read, ground, config["energy"]),
    }
