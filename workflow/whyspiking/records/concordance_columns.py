"""The columns of concordance.csv: published figures and tables, and what replicates them here."""

from __future__ import annotations

from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

CONCORDANCE = TableSchema(
    "Every published figure and table that a claim replicates, and how it is made here.",
    TALK,
    Column("paper", "Paper, by its name in talk.yaml."),
    Column("doi", "Its DOI."),
    Column("place", "Figure or table of the paper."),
    Column("claim", "Claim that replicates it, or a part of it."),
    Column("says", "What is claimed."),
    EXPERIMENT,
    VARIANT,
    Column("command", "What makes the numbers of the experiment again."),
    Column("figure", "Figure here, as an address from the folder of a run; empty: none is drawn."),
    Column("published", "Published number; empty: none.", "number"),
    Column("value", "Recorded number.", "number"),
    Column("unit", "Unit of both."),
    Column("verdict", "Verdict on the claim."),
    Column("label", "The same as pages word it: at which size, on which data, of which networks."),
)
