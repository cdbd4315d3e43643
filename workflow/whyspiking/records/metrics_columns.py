"""The columns of metrics.csv, which every job of a simulation writes."""

from __future__ import annotations

from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

UNIT_COLUMN = "see column unit"
SCALE = Column("scale", "Scale of the run: smoke, default, full or paper.")
SEED = Column("seed", "Seed of the training, the unit of all intervals.", "integer")
METRIC = Column("metric", "What was measured.")
NETWORK = (TALK, EXPERIMENT, VARIANT, SEED)

METRICS = TableSchema(
    "Every measurement, one a row.",
    SCALE,
    *NETWORK,
    Column("engine", "What simulated: the engine of training, or Brian2."),
    Column(
        "perturbation",
        "What was changed; none for the clean run; part: that on one part of the test set.",
    ),
    Column("locus", "Where it was changed, or the other side of a contrast."),
    Column(
        "strength",
        "Level of the perturbation, in the unit of its definition; number of the part.",
        "number",
    ),
    Column("metric", "What was measured; units and definitions are in `metrics` here."),
    Column("value", "The measurement.", "number", UNIT_COLUMN),
    Column("unit", "Unit of the value."),
    Column("trials", "Number of trials behind the value.", "integer"),
)
