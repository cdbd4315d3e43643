"""The columns of metrics.csv, which every job of a simulation writes."""

from __future__ import annotations

from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

UNIT_COLUMN = "see column unit"
SCALE = Column("scale", "Scale of the run: smoke, default, full or paper.")
SEED = Column("seed", "Seed of the training. Intervals are computed over seeds.", "integer")
METRIC = Column("metric", "What was measured.")
NETWORK = (TALK, EXPERIMENT, VARIANT, SEED)

METRICS = TableSchema(
    "All measurements, one per row.",
    SCALE,
    *NETWORK,
    Column("engine", "Program that simulated the network: training code or Brian2."),
    Column(
        "perturbation",
        "Perturbation of the network or its input; none: the unperturbed network; part: one part "
        "of "
        "the test set.",
    ),
    Column("location", "What the perturbation acts on, or the population that is measured."),
    Column(
        "strength",
        "Strength of the perturbation in the unit of its definition, or number of the part.",
        "number",
    ),
    Column("metric", "What was measured; `metrics` in datapackage.json has the definitions."),
    Column("value", "The measurement.", "number", UNIT_COLUMN),
    Column("unit", "Unit of the value."),
    Column("n_trials", "Number of trials from which the value was computed.", "integer"),
)
