"""What a talk says of the network behind each row, joined to the metrics once."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.records.tables import Table

NETWORK = ["talk", "experiment", "variant"]
TOLD = ["role", "kind", "trained_as", "share", "recovers", "task"]


def described(metrics: Table, talks: Mapping[str, Talk]) -> Table:
    """Rows of the metrics table with what talk.yaml tells of their networks.

    Args:
        metrics: Rows of the metrics table.
        talks: By name.

    Returns:
        The rows of networks that the talks have, in order, with these columns more: `role` of the
        variant; `kind` of the experiment's answers; `trained_as`, the variant that the talk knows,
        and `share` of its size; the variant that it `recovers`; the `task` that talks share, empty
        where there is none; `rank`, its place in the order of talks and of their talk.yaml.
    """
    rows = [
        (
            *(name, experiment.name, variant.name, variant.role, experiment.kind),
            *(variant.trained_as, variant.smaller[1] if variant.smaller else 1.0),
            *(variant.recovers or "", experiment.task or ""),
        )
        for name, talk in talks.items()
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
    ]
    told = pd.DataFrame(rows, columns=pd.Index([*NETWORK, *TOLD]))
    return metrics.merge(told.assign(rank=told.index), on=NETWORK)
