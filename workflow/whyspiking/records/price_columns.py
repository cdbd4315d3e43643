"""The columns of prices.csv: what every method costs on the shared tasks."""

from __future__ import annotations

from whyspiking.records.table_schema import AT, EXPERIMENT, TALK, VARIANT, Column, TableSchema

_ENDS = ("least", "median", "largest")


def _beside(name: str, says: str, unit: str) -> tuple[Column, Column]:
    """A number of the method, and the same of its control."""
    control = Column(f"control_{name}", "The same of that control.", "number", unit)
    return Column(name, says, "number", unit), control


PRICES = TableSchema(
    "What every method costs on the shared tasks, beside the smallest control of equal accuracy.",
    Column("task", "Shared task."),
    AT,
    Column("kind", "method, or twin: a method but for its spikes."),
    TALK,
    EXPERIMENT,
    VARIANT,
    Column(
        "control",
        "The matched control of any size with the fewest parameters that is told no more and is "
        "not less accurate; where all are less accurate, the matched control.",
    ),
    Column(
        "control_is",
        "That control beside the method: equal within delta, better (in both cases smaller ones "
        "are less accurate); smallest (as good or better, but no smaller one was trained, which "
        "might do as well); worse (all are).",
    ),
    *_beside("accuracy", "On test data, mean over seeds.", "fraction"),
    *_beside("parameters", "Numbers that training sets; if not recorded, weights.", "1"),
    Column("energy", "cheaper or dearer than the control under every cost model, or depends."),
    *(
        Column(f"energy_{end}", f"The {end} energy of the control over its own.", "number", "1")
        for end in _ENDS
    ),
    *(Column(f"energy_{end}_model", f"Cost model of the {end}.") for end in _ENDS),
    Column(
        "counted",
        "Whether sentences count that energy: yes, no spikes, no energy, not above chance (with "
        "the whole interval), no smaller control (`control_is`: smallest); empty: a twin.",
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
