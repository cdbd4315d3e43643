"""The tasks that all talks are set: every method, or why there is none.

Who takes part, the talks say (`shared_task`, `excluded_tasks`); what all have in common, the task
says (`task.yaml`). What they are held against are the references of the same tasks
(`verdicts.advantage`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared import registry, shared_tasks
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import presentations
from whyspiking.declared.variants import Variant
from whyspiking.measures import statistics
from whyspiking.records import columns, labels, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts import shared_trials

METHODS = ("spiking", "rate", "ablation")
"""Roles of the networks that a talk trains by its own rules."""
METHOD, ABSENT = "measured", "absent"


@dataclass(frozen=True)
class Entry:
    """A method that was trained on a shared task.

    Attributes:
        talk: The talk that trained it.
        experiment: The experiment of that talk on the task.
        variant: The variant.
        rows: Rows of the metrics table for the variant.
    """

    talk: Talk
    experiment: Experiment
    variant: Variant
    rows: Table

    @property
    def spikes(self) -> bool:
        """Whether it sends spikes."""
        return self.variant.role != "rate" and self.experiment.simulated

    def clean(self, metric: str) -> Table:
        """Rows of a metric of the clean run, by seed; none where it was not measured."""
        rows = tables.where(self.rows, metric=metric, perturbation="none", location="")
        return shared_trials.preferred(rows.dropna(subset=["value"])).sort_values("seed")

    def mean(self, metric: str) -> float:
        """That metric over seeds; nan where it was not measured."""
        return float(self.clean(metric)["value"].mean())

    @property
    def place(self) -> dict[str, str]:
        """Columns of the metrics table that name the variant."""
        return {
            "talk": self.talk.name,
            "experiment": self.experiment.name,
            "variant": self.variant.name,
        }


def matrix(metrics: Table, talks: Mapping[str, Talk], config: Mapping[str, Any]) -> pd.DataFrame:
    """All methods on all shared tasks, and the reasons of those without.

    Args:
        metrics: Rows of the metrics table, all talks, as `described`.
        talks: Talk by name.
        config: The run configuration.

    Returns:
        A table with the columns of `columns.SHARED`.
    """
    rows: list[dict[str, Any]] = []
    for name in shared_tasks.shared_tasks():
        trained = list(entries(metrics, talks, name))
        rows += [{"task": name, **_described(entry, config), "comment": ""} for entry in trained]
        rows += [
            {"task": name, **row}
            for row in _absent(name, {e.talk.name for e in trained}, talks, config["scale"])
        ]
    return columns.SHARED.table(rows)


def label(talk: Talk, variant: str) -> str:
    """How tables and figures call a method."""
    return talk.surname + (f" ({labels.variant(variant)})" if variant != "spiking" else "")


def entries(metrics: Table, talks: Mapping[str, Talk], task: str) -> Iterator[Entry]:
    """Every method that was trained on one shared task and has an accuracy."""
    for _, rows in tables.where(metrics, task=task, role=list(METHODS)).groupby("rank"):
        talk, experiment, variant = rows.iloc[0][["talk", "experiment", "variant"]]
        known = talks[talk].experiments[experiment]
        entry = Entry(talks[talk], known, known.variants[variant], rows)
        if len(entry.clean("accuracy")):
            yield entry


# ---- what stands in each row ---------------------------------------------------------------------


def _described(entry: Entry, config: Mapping[str, Any]) -> dict[str, Any]:
    measured = entry.clean("accuracy")
    seeds, scores, trials = (measured[name].to_list() for name in ("seed", "value", "n_trials"))
    extra, task = (0.0, np.inf), shared_tasks.shared_tasks()[str(entry.experiment.task)]
    if task.same_trials and len(scores) > 1:
        extra = shared_trials.variance(entry.rows, "accuracy", seeds, entry.place) or (
            statistics.binomial_variance(scores, trials),
            np.inf,
        )
    accuracy = statistics.logit_interval(scores, trials, *extra)
    variant, experiment = entry.variant, entry.experiment
    values = registry.params(experiment, config, 0, variant.name).values
    return {
        "status": METHOD,
        **entry.place,
        "variant_role": variant.role,
        "description": variant.description,
        "accuracy": accuracy.mean,
        "ci_low": accuracy.low,
        "ci_high": accuracy.high,
        "n_seeds": accuracy.seeds,
        "spikes_hidden": entry.mean("spikes_hidden"),
        "train_cpu_seconds": entry.mean("train_cpu_seconds"),
        "n_samples_shown": presentations(values),
        "n_settings_tried": len(shared_tasks.settings(experiment.tuned.get(variant.name, []))),
        **_rule(entry, values),
    }


def rule_of(entry: Entry) -> Rule | None:
    """The declared rule by which a method learns."""
    place = (entry.experiment.name, entry.variant.name)
    return next((rule for rule in entry.talk.learning_rules if place in rule.learners), None)


def _rule(entry: Entry, values: Mapping[str, Any]) -> dict[str, Any]:
    """Memory of the rule that trains a network, and the signals that it needs."""
    rule = rule_of(entry)
    if rule is None:
        names = (
            "learning_rule",
            "memory_synapse",
            "memory_neuron",
            "memory_shared",
            "is_local",
            "signals",
        )
        return dict.fromkeys(names, "")
    signals = (
        f"{s.description} ({s.recipient}, {'online' if s.online else 'later'})"
        for s in rule.signals
    )
    return {
        "learning_rule": rule.name,
        "memory_synapse": rule.memory.synapse,
        "memory_neuron": rule.memory.neuron,
        "memory_shared": rule.memory.shared,
        "n_memory": _numbers(rule, entry, values),
        "is_local": "yes" if rule.local else "no",
        "signals": "; ".join(signals) or "none",
    }


def _numbers(rule: Rule, entry: Entry, values: Mapping[str, Any]) -> float:
    """Numbers that a rule keeps in a network; nan where they grow with steps and it has none."""
    n_in, n, n_out = (values[name] for name in ("n_input", "n_hidden", "n_output"))
    counted = entry.mean("synapses")
    synapses = counted if np.isfinite(counted) else n * (n_in + n_out)
    # A trial may go on when the window of its input is over.
    lasts = values["trial_ms"] if "trial_ms" in values else values["window_ms"]
    steps = values.get("n_steps", lasts / (entry.experiment.input_step_ms or np.nan))
    return rule.numbers({"S": synapses, "N": n, "T": steps, "K": n_out})


# ---- who has no result --------------------------------------------------------------------------


def _absent(
    name: str, present: Collection[str], talks: Mapping[str, Talk], scale: str
) -> Iterator[dict[str, Any]]:
    """A row for every talk without a result on a task."""
    for talk in talks.values():
        if talk.name not in present:
            yield {
                "status": ABSENT,
                "talk": talk.name,
                "n_seeds": 0,
                "n_samples_shown": 0,
                "n_settings_tried": 0,
                "comment": talk.excluded_tasks.get(
                    name, f"a run at scale {scale} has no network of this talk"
                ),
            }
