"""The table of "why spiking" measures: the same columns for every experiment of every talk.

A cell without a number gives its reason as a letter, explained below the table.
"""

from __future__ import annotations

from markupsafe import Markup

from whyspiking.records.tables import Table
from whyspiking.report.html import macros

COLUMNS = (
    ("T1", "timing index: score above chance lost when spike times are redrawn", "one"),
    ("T2", "timing information: gain of a fresh decoder of times over one of counts", "one"),
    ("T3", "jitter that costs half of the score above chance", "one"),
    ("L2", "time to 95 % of the final score above chance", "one"),
    ("L3", "speed-accuracy area; 1: all is known at once", "one"),
    (
        "L4",
        "speed-accuracy area minus that of the control, asked at every time on the input so far",
        "each",
    ),
    ("E1", "energy of the control over that of the spiking network, range over cost models", "E1"),
    ("s", "synaptic events per synapse and trial, beside the break-even densities s*", "s"),
    ("E2", "information about the target, bits per spike up to the decision", "one"),
    ("R1", "robustness area, from the most to the least harmful perturbation", "range"),
    ("R3", "robustness area minus that of the control, range over perturbations", "range"),
    ("G1", "parameters of the control over those of the spiking network at equal score", "each"),
    (
        "M3",
        "cosine of the rule's update with the gradient, less that with permuted labels",
        "each",
    ),
    ("Q1", "score in Brian2 minus score in the engine of training", "one"),
)
"""Heading, meaning, and which macro writes the cell."""


def measures_table(measures: Table) -> Markup:
    """T, L, E, R, G, M and Q of every experiment, or the reason why not.

    Args:
        measures: Rows of measures.csv.
    """
    rows, reasons = [], {}
    for (talk, experiment), own in measures.groupby(["talk", "experiment"], sort=False):
        points = {name: part.to_dict("records") for name, part in own.groupby("measure")}
        rows.append((talk, experiment, points))
        for head, _, _ in COLUMNS:
            why = points[head][0]["why"]
            if why:
                reasons.setdefault(why, chr(ord("a") + len(reasons)))
    return macros("measures").measures_table(COLUMNS, rows, reasons)
