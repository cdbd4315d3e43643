"""Claims and rows of the metrics table, made up to be judged."""

import pandas as pd

from whyspiking.records import columns, tables
from whyspiking.verdicts.judge import Claim

SOURCE = {"paper": "p2021", "where": "Table 1"}
DIFFERENCE = {
    "test": "difference",
    "versus": {"variant": "mlp"},
    "accept": {"full": [0.0, None]},
    "source": SOURCE,
}


def claim(**changes) -> Claim:
    base = {
        "id": "goeltz.yinyang.accuracy",
        "role": "key",
        "origin": "published",
        "says": "It works well.",
        "source": {**SOURCE, "value": 0.959},
        "metric": "accuracy",
        "where": {"experiment": "yinyang", "variant": "spiking"},
        "test": "value",
        "better": "larger",
        "accept": {"full": [0.95, None]},
    }
    return Claim(**{**base, **changes})


def rows(values, metric="accuracy", scale="default", trials=100_000, **place):
    common = {
        "scale": scale,
        "talk": "goeltz",
        "experiment": "yinyang",
        "variant": "spiking",
        "engine": "brian2",
        "perturbation": "none",
        "locus": "",
        "strength": 0.0,
        **place,
    }
    return [
        row
        for seed, value in enumerate(values)
        for row in tables.rows({**common, "seed": seed}, {metric: value}, trials)
    ]


def table(*parts) -> pd.DataFrame:
    return pd.DataFrame([row for part in parts for row in part], columns=columns.METRICS.names)
