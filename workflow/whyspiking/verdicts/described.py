"""What a talk says of the network behind each row, joined to the metrics once."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from whyspiking.declared.registry import Talk
from whyspiking.records.tables import Table

NETWORK = ["talk", "experiment", "variant"]
TOLD = ["role", "recovers", "task", "tau_ms"]


def described(metrics: Table, talks: Mapping[str, Talk]) -> Table:
    """Rows of the metrics table with what talk.yaml tells of their networks.

    Args:
        metrics: Rows of the metrics table.
        talks: By name.

    Returns:
        The rows of networks that the talks have, in order, with these columns more: `role` of the
        variant; the variant that it `recovers`; the `task` that talks share, empty where there is
        none; `tau_ms`, the characteristic time of the talk; `rank`, its place in the order of talks
        and of their talk.yaml.
    """
    rows = [
        (
            *(name, experiment.name, variant.name, variant.role),
            *(variant.recovers or "", experiment.task or "", talk.tau_char_ms),
        )
        for name, talk in talks.items()
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
    ]
    told = pd.DataFrame(rows, columns=pd.Index([*NETWORK, *TOLD]))
    return metrics.merge(told.assign(rank=told.index), on=NETWORK)
