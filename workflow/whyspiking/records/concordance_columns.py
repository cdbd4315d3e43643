"""The columns of concordance.csv: every published figure and table, and what replicates it here."""

from __future__ import annotations

from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

CONCORDANCE = TableSchema(
    "Every published figure and table that is known: what replicates it, or why nothing does.",
    TALK,
    Column("paper", "Paper, by its name in talk.yaml."),
    Column("doi", "Its DOI."),
    Column("place", "Figure or table of the paper; All or Others: those that could not be read."),
    Column("shows", "What it shows."),
    Column(
        "known",
        "How that is known: seen in the paper, by its caption or title, by the authors' code, "
        "recalled, or unknown.",
    ),
    Column("claim", "Claim that replicates it, or a part of it; empty: none, `why` says why."),
    Column("says", "What is claimed."),
    EXPERIMENT,
    VARIANT,
    Column("command", "What makes the numbers of the experiment again."),
    Column("figure", "Figure here, as an address from the folder of a run; empty: none is drawn."),
    Column("published", "Published number; empty: none.", "number"),
    Column("where", "Where that number, or what is claimed, was read."),
    Column("recalled", "What of that was recalled and not read: number or statement; empty: none."),
    Column("value", "Recorded number.", "number"),
    Column("difference", "Recorded number minus published one.", "number"),
    Column("unit", "Unit of the three."),
    Column("verdict", "Verdict on the claim."),
    Column("label", "The same as pages word it: at which size, on which data, of which networks."),
    Column("why", "Why no claim judges it; empty: one does."),
)
