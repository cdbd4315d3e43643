"""The columns of concordance.csv: every published figure and table, and what replicates it here."""

from __future__ import annotations

from whyspiking.records.table_schema import EXPERIMENT, TALK, VARIANT, Column, TableSchema

CONCORDANCE = TableSchema(
    "Published figures and tables of the talks, with the claim that replicates each or the reason "
    "why "
    "none does.",
    TALK,
    Column("publication", "Key of the paper in talk.yaml."),
    Column("doi", "DOI of the paper."),
    Column(
        "figure_or_table",
        "Figure or table of the paper; All or Others: figures that could not be read.",
    ),
    Column("shows", "Content of the figure or table."),
    Column(
        "known_from",
        "How the content is known: from the paper, its caption or title, the authors' code, quoted "
        "from memory, or unknown.",
    ),
    Column("claim", "Claim that replicates the figure or a part of it; empty: none."),
    Column("statement", "The claim in one sentence."),
    EXPERIMENT,
    VARIANT,
    Column("command", "Command that computes the numbers of the experiment."),
    Column(
        "figure_file", "Figure of this repository, relative to the folder of a run; empty: none."
    ),
    Column("published_value", "Published number; empty: none.", "number"),
    Column("source_location", "Place where the number or the statement was read."),
    Column(
        "quoted_from_memory",
        "What was not read at its source: the published number or the statement; empty: nothing.",
    ),
    Column("value", "Number of the reference results.", "number"),
    Column("difference", "Number of the reference results minus published number.", "number"),
    Column("unit", "Unit of the three numbers."),
    Column("verdict", "Verdict on the claim."),
    Column("qualification", "What a reader has to know about the verdict."),
    Column("comment", "Reason why no claim judges the figure; empty: one does."),
)
