"""The columns of prices.csv: what every method costs on the shared tasks."""

from __future__ import annotations

from whyspiking.records.table_schema import AT, EXPERIMENT, TALK, VARIANT, Column, TableSchema

_ENDS = ("least", "median", "largest")


def _beside(name: str, says: str, unit: str) -> tuple[Column, Column]:
    """A number of the method, and the same of its control."""
    control = Column(f"control_{name}", "The same of that control.", "number", unit)
    return Column(name, says, "number", unit), control


PRICES = TableSchema(
    "What every method costs on the shared tasks, beside equally accurate networks without spikes.",
    Column("task", "Shared task."),
    AT,
    Column("kind", "method, or twin: a method but for its spikes."),
    TALK,
    EXPERIMENT,
    VARIANT,
    Column(
        "control",
        "Of the networks without spikes that are told no more and are equally accurate (matched "
        "controls of any size, graded twins) that with the fewest parameters; where none is, the "
        "matched control.",
    ),
    Column(
        "control_is",
        "That control beside the method, by the means: equal within delta and half-way from "
        "guessing to the best on the task; else better or worse.",
    ),
    *_beside("accuracy", "On test data, mean over seeds.", "fraction"),
    *_beside("parameters", "Numbers that training sets; if not recorded, weights.", "1"),
    Column(
        "energy",
        "cheaper or dearer, under every cost model, than whichever equal network needs least under "
        "it, or depends; where none is equal, than the control.",
    ),
    *(
        Column(f"energy_{end}", f"The {end} energy of these over its own.", "number", "1")
        for end in _ENDS
    ),
    *(Column(f"energy_{end}_model", f"Cost model of the {end}.") for end in _ENDS),
    Column(
        "counted",
        "Whether sentences count that energy: yes, no spikes, one network, no network without "
        "spikes of equal accuracy, no energy; empty: a twin.",
    ),
    *_beside("decision_ms", "Mean time of the decision, in time of the task.", "ms"),
    *_beside(
        "state",
        "Numbers kept from step to step: variables of all neurons; of what is told everything at "
        "once, its inputs.",
        "numbers",
    ),
    Column("spikes_hidden", "Hidden spikes per sample, in Brian2.", "number", "spikes/trial"),
    Column(
        "bits",
        "Bits that hidden neurons send: spikes times the address; values with theirs.",
        "number",
        "bits/trial",
    ),
    *_beside("train_cpu_seconds", "CPU time of one training.", "s"),
    Column(
        "jitter_ms",
        "Jitter of input spikes at which half of the accuracy above chance is left, median over "
        "seeds, in ms of the task; inf: beyond the levels tried.",
        "number",
        "ms",
    ),
    Column("deletion", "Share of input spikes lost, likewise.", "number", "fraction"),
    Column("why", "Why something is not known; empty where all is."),
)
