"""Put all talks side by side, in tables that the report prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.declared import registry
from whyspiking.records import datapackage, tables
from whyspiking.stages import provenance
from whyspiking.verdicts import (
    axes,
    biology,
    common_ground,
    costs,
    memory_span,
    programme,
    score_curves,
    tolerance,
)


def compare_talks(talks: Sequence[str], config: Mapping[str, Any], folder: Path) -> None:
    """Put all talks side by side, and say how it all was made.

    Args:
        talks: Names of the talks, in the order of the report.
        config: The run configuration.
        folder: `results/<scale>`; the tables of each talk lie in the folder of its name.
    """
    summarise(talks, config, folder)
    provenance.write({**config, "talks": list(talks)}, folder)
    datapackage.write(folder)


def summarise(names: Sequence[str], config: Mapping[str, Any], folder: Path) -> None:
    """Write the joint tables: the numbers that the report prints of all talks."""
    for file, table in joint(names, config, folder, exhibits=folder).items():
        tables.write_csv(table, folder / file)


def joint(
    names: Sequence[str],
    config: Mapping[str, Any],
    folder: Path,
    exhibits: Path | None = None,
) -> dict[str, pd.DataFrame]:
    """All that is computed from the metrics of all talks, by file.

    Args:
        names: Names of the talks, in the order of the rows.
        config: The run configuration.
        folder: The tables of each talk lie in the folder of its name.
        exhibits: The same of the exhibits; None where none are kept, and with them no scores along
            time.
    """
    metrics = tables.read_metrics([folder / name / "metrics.csv" for name in names])
    talks = {name: registry.load_talk(name) for name in names}
    shared = common_ground.matrix(metrics, talks, config)
    return {
        "axes.csv": axes.contrasts(metrics, config),
        "costs.csv": costs.costs(metrics, talks),
        "parity.csv": costs.parity(metrics, talks, config["parity"]),
        "limits.csv": tolerance.limits(metrics, talks),
        "biology.csv": biology.beside(metrics, talks),
        "curves.csv": score_curves.curves(metrics, talks, exhibits),
        "shared.csv": shared,
        "span.csv": memory_span.spans(metrics, talks),
        "programme.csv": programme.of(shared, metrics, talks, config),
    }
