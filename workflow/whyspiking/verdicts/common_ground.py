"""The tasks that all talks are set: every method beside its matched control and the best floor.

Who takes part, the talks say (`shared`, `takes_no_part`); what is matched and what a floor is, the
task says (`shared_tasks.yaml`). A comparison is paired by seed. It says "equal within delta" where
two one-sided tests exclude a difference of delta, else "better" or "worse" where a two-sided one
excludes none; both are corrected for the number of comparisons on the task (Holm). One seed
decides nothing. Sentences count a comparison only where one of the two has come half-way from
guessing to the best on its task: chance beside chance says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared import learning_rules, registry, shared_tasks
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk
from whyspiking.declared.shared_tasks import SharedTask, presentations
from whyspiking.declared.variants import Variant
from whyspiking.measures import statistics
from whyspiking.measures.statistics import Interval
from whyspiking.records import columns, tables
from whyspiking.records.tables import Table
from whyspiking.verdicts import shared_trials

BETTER, EQUAL, WORSE, UNDECIDED = "better", "equal within delta", "worse", "undecided"
NO_CONTROL, NO_FLOOR = "no matched control", "no floor"
VERDICTS = (BETTER, EQUAL, WORSE, UNDECIDED, NO_CONTROL)
YES, ONE_NETWORK, FAR = "yes", "one network", "neither half-way from guessing to the best"
"""Whether sentences count a comparison, or why not."""
METHODS = ("spiking", "rate", "ablation")
"""Roles of the networks that a talk trains by its own rules."""
METHOD, CONTROL, FLOOR, OTHER, ABSENT = "method", "control", "floor", "other", "absent"
TWIN = "twin"
"""Equal to a method in everything but what neurons send: a value in place of a spike."""
ALPHA = 0.05
ABOVE = {BETTER: "yes", UNDECIDED: UNDECIDED}
"""Verdict on a method beside the best floor -> whether it is above it; if no other, it is not."""


@dataclass(frozen=True)
class Entry:
    """One variant, network or floor, that was trained on a shared task.

    Attributes:
        task: The shared task.
        talk: The talk that trained the variant.
        experiment: The experiment of that talk on the task.
        variant: The variant.
        at: The task's own value; nan where it has none.
        rows: Rows of the metrics table for the variant.
        scores: Seed -> accuracy.
        trials: Seed -> number of test trials.
    """

    task: SharedTask
    talk: Talk
    experiment: Experiment
    variant: Variant
    at: float
    rows: Table
    scores: Mapping[int, float]
    trials: Mapping[int, int]

    @property
    def kind(self) -> str:
        """Role in the comparison: method, its twin, control, floor or other."""
        if self.variant.role in METHODS:
            return METHOD
        if self.variant.twin_of:
            return TWIN
        if self.variant.name in self.task.matched:
            return CONTROL
        return FLOOR if self.variant.name in self.task.floors else OTHER

    @property
    def accuracy(self) -> float:
        """Mean over seeds."""
        return float(np.mean(list(self.scores.values())))

    def mean(self, metric: str) -> float:
        """A metric of the clean run, over seeds; nan where it was not measured."""
        rows = tables.where(self.rows, metric=metric, perturbation="none", locus="")
        return float(shared_trials.preferred(rows)["value"].mean())

    @property
    def place(self) -> dict[str, str]:
        """Columns of the metrics table that name the variant."""
        names = {"talk": self.talk.name, "experiment": self.experiment.name}
        return {**names, "variant": self.variant.name}


def matrix(metrics: Table, talks: Mapping[str, Talk], config: Mapping[str, Any]) -> pd.DataFrame:
    """All methods, controls and floors on all shared tasks, and the reasons of those without.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
        config: The run configuration; `shared.delta`, and its scale.

    Returns:
        A table with the columns of `columns.SHARED`.
    """
    rows: list[dict[str, Any]] = []
    for name, task in shared_tasks.shared_tasks().items():
        trained = entries(metrics, talks, name)
        compared = _compared(trained, config["shared"]["delta"])
        for entry in trained:
            own = _described(entry, config)
            rows.append({"task": name, **own, **compared.get(id(entry), {}), "why": ""})
        rows += [{"task": name, **row} for row in _absent(name, task, trained, talks, config)]
    return columns.SHARED.table(rows)


def entries(metrics: Table, talks: Mapping[str, Talk], task: str) -> list[Entry]:
    """Everything that was trained on one shared task and has an accuracy, by its own value."""
    trained = []
    for talk, experiment in taking_part(talks, task):
        here: Table = tables.where(metrics, talk=talk.name, experiment=experiment.name)
        for variant in experiment.variants.values():
            rows: Table = tables.where(here, variant=variant.name)
            scores, trials = _accuracies(rows)
            if scores:
                made = shared_tasks.shared_tasks()[task], talk, experiment, variant
                at = value_of(experiment, str(rows["scale"].iloc[0]))
                trained.append(Entry(*made, at, rows, scores, trials))
    return sorted(trained, key=lambda entry: (not math.isnan(entry.at), entry.at))


def taking_part(talks: Mapping[str, Talk], task: str) -> list[tuple[Talk, Experiment]]:
    """The experiments that share a task, each with its talk."""
    return [
        (talk, experiment)
        for talk in talks.values()
        for experiment in talk.experiments.values()
        if experiment.task == task
    ]


def value_of(experiment: Experiment, scale: str) -> float:
    """An experiment's own value of its shared task at a scale; nan where the task has none."""
    own = shared_tasks.shared_tasks()[str(experiment.task)].own
    if own is None:
        return math.nan
    changed = experiment.changes(scale).get(own.parameter)
    return float(experiment.published[own.parameter] if changed is None else changed["value"])


def _accuracies(rows: Table) -> tuple[dict[int, float], dict[int, int]]:
    clean = tables.where(rows, metric="accuracy", perturbation="none", locus="")
    clean = shared_trials.preferred(clean[clean["value"].notna()])
    seeds = clean["seed"].astype(int)
    return (
        dict(zip(seeds, clean["value"].astype(float), strict=True)),
        dict(zip(seeds, clean["trials"].astype(int), strict=True)),
    )


# ---- comparisons --------------------------------------------------------------------------------


def _compared(trained: Sequence[Entry], delta: float) -> dict[int, dict[str, Any]]:
    """Every method against its control, the best floor, its twin and the control of the other size.

    Returns:
        Identity of the method's entry -> columns of its row.
    """
    methods = [entry for entry in trained if entry.kind == METHOD]
    rows: dict[int, dict[str, Any]] = {id(entry): {} for entry in methods}
    opponents = {"control": matched, "floor": _floor, "twin": _twin, "beside": _beside}
    for name, find in opponents.items():
        others = [find(entry, trained) for entry in methods]
        gains = [difference(*pair) for pair in zip(methods, others, strict=True)]
        judged = decide(gains, delta)
        for entry, other, gain, tests in zip(methods, others, gains, judged, strict=True):
            shown = {"difference": gain.mean, "low": gain.low, "high": gain.high}
            verdict = "" if other is None else tests["verdict"]
            row = {name: "" if other is None else other.variant.name, f"{name}_verdict": verdict}
            rows[id(entry)] |= row | {f"{name}_{key}": x for key, x in shown.items()}
            if name == "control":
                rows[id(entry)] |= {**tests, "verdict": verdict or NO_CONTROL}
    for entry in methods:
        row = rows[id(entry)]
        row["counted"] = _counted(entry, matched(entry, trained), trained)
        row["difference"] = row["control_difference"]
        row |= {f"difference_{end}": row[f"control_{end}"] for end in ("low", "high")}
        over = ABOVE.get(row["floor_verdict"], "no")
        row["above_floor"] = over if row["floor"] else NO_FLOOR
    return rows


def _counted(entry: Entry, control: Entry | None, trained: Sequence[Entry]) -> str:
    """Whether sentences count the comparison of a method with its control, or why not."""
    if control is None:
        return NO_CONTROL
    if min(len(entry.scores), len(control.scores)) < 2:
        return ONE_NETWORK
    return YES if any(half_way(x, trained) for x in (entry, control)) else FAR


def half_way(entry: Entry, trained: Sequence[Entry]) -> bool:
    """Whether a network has come half-way from guessing to the best of all on its task."""
    best = max(other.accuracy for other in trained if _same(other.at, entry.at))
    return 2 * entry.accuracy >= best + entry.task.chance


def matched(entry: Entry, trained: Sequence[Entry]) -> Entry | None:
    """The control given the same input at the same time resolution, or the next less precise one.

    Where all are more precise it is the least of them.
    """
    steps = entry.task.matched
    own = [e for e in trained if e.kind == CONTROL and _same(e.at, entry.at)]
    coarser = [e for e in own if steps[e.variant.name] >= entry.experiment.input_step_ms]
    if coarser:
        return min(coarser, key=lambda e: steps[e.variant.name])
    return max(own, key=lambda e: steps[e.variant.name], default=None)


def _twin(entry: Entry, trained: Sequence[Entry]) -> Entry | None:
    """The more accurate of its twins: the one that is harder to beat."""
    own = [
        e
        for e in trained
        if e.experiment is entry.experiment and e.variant.twin_of == entry.variant.name
    ]
    return max(own, key=lambda e: e.accuracy, default=None)


def _beside(entry: Entry, trained: Sequence[Entry]) -> Entry | None:
    """The control of the other equal size: equal parameters where `matched` has equal units."""
    control = matched(entry, trained)
    name = "" if control is None else entry.task.beside.get(control.variant.name, "")
    own = (e for e in trained if e.variant.name == name and _same(e.at, entry.at))
    return next(own, None)


def _floor(entry: Entry, trained: Sequence[Entry]) -> Entry | None:
    own = [e for e in trained if e.kind == FLOOR and _same(e.at, entry.at)]
    return max(own, key=lambda e: e.accuracy, default=None)


def _same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def difference(ours: Entry, theirs: Entry | None) -> Interval:
    """Accuracy of one less that of another, paired by seed; nan of no seed where there is none.

    Where networks of all seeds are tested on the same trials, the interval covers other ones too.
    """
    seeds = sorted(set(ours.scores) & set(theirs.scores)) if theirs else []
    if theirs is None or not seeds:
        return Interval(np.nan, np.nan, np.nan, 0)
    extra = None
    if ours.task.same_trials and len(seeds) > 1:
        both = pd.concat([ours.rows, theirs.rows], ignore_index=True)
        extra = shared_trials.variance(both, "accuracy", seeds, ours.place, theirs.place)
    values = statistics.compared(ours.scores, theirs.scores)
    return statistics.t_interval(values, 0.95, *(extra or (0.0, np.inf)))


def decide(differences: Sequence[Interval], delta: float) -> Sequence[Mapping[Any, Any]]:
    """Verdicts on differences, with their p values before and after Holm's correction.

    Args:
        differences: Mean and interval each; one of fewer than two seeds decides nothing and is not
            counted.
        delta: Smaller differences count as equal.
    """
    differ = [float(np.minimum(1.0, 2 * min(_one_sided(x, x.mean, -x.mean)))) for x in differences]
    equal = [max(_one_sided(x, delta - x.mean, delta + x.mean)) for x in differences]
    tests = pd.DataFrame({"p_value": differ, "p_holm": statistics.holm(differ)})
    tests = tests.assign(p_equal=equal, p_equal_holm=statistics.holm(equal))
    signs = np.array([x.mean for x in differences]) > 0
    tests["verdict"] = np.select(
        [tests["p_equal_holm"] < ALPHA, tests["p_holm"] < ALPHA],
        [EQUAL, np.where(signs, BETTER, WORSE)],
        UNDECIDED,
    )
    return tests.to_dict("records")


def _one_sided(x: Interval, *gaps: float) -> list[float]:
    """The p values of gaps between an estimate and what it should exceed; nan of one seed."""
    return [statistics.p_above(gap, x.error, x.degrees) if x.seeds > 1 else np.nan for gap in gaps]


# ---- what else stands in each row ----------------------------------------------------------------


def _described(entry: Entry, config: Mapping[str, Any]) -> dict[str, Any]:
    scores = [entry.scores[seed] for seed in sorted(entry.scores)]
    trials = [entry.trials[seed] for seed in sorted(entry.scores)]
    extra = None
    if entry.task.same_trials and len(scores) > 1:
        extra = shared_trials.variance(entry.rows, "accuracy", list(entry.scores), entry.place)
        extra = extra or (statistics.binomial_variance(scores, trials), np.inf)
    accuracy = statistics.logit_interval(scores, trials, 0.95, *(extra or (0.0, np.inf)))
    variant, experiment = entry.variant, entry.experiment
    values = registry.params(experiment, config, 0, variant.name).values
    # What only fits a readout looks at every sample once.
    shown = values["n_train"] if variant.is_ == "random" else presentations(values)
    return {
        "at": entry.at,
        "kind": entry.kind,
        **entry.place,
        "role": variant.role,
        "says": variant.says,
        "accuracy": accuracy.mean,
        "low": accuracy.low,
        "high": accuracy.high,
        "seeds": accuracy.seeds,
        "spikes_hidden": entry.mean("spikes_hidden"),
        "train_cpu_seconds": entry.mean("train_cpu_seconds"),
        "presentations": shown,
        "tried": _tried(entry),
        "input_step_ms": entry.task.matched.get(variant.name, experiment.input_step_ms),
        **_rule(entry, values),
    }


def _tried(entry: Entry) -> int:
    """Settings that were tried for it on validation data."""
    grid = entry.experiment.tuned.get(entry.variant.name)
    return 0 if grid is None else shared_tasks.settings(grid)


def _rule(entry: Entry, values: Mapping[str, Any]) -> dict[str, Any]:
    """Memory of the rule that trains a network, and the signals that it needs."""
    place = (entry.experiment.name, entry.variant.name)
    rule = next((rule for rule in entry.talk.learning if place in rule.learners), None)
    if rule is None:
        names = ("rule", "memory_synapse", "memory_neuron", "memory_shared", "local", "signals")
        return {**dict.fromkeys(names, ""), "memory": np.nan}
    kept = rule.memory
    signals = (f"{s.what} ({s.to}, {'online' if s.online else 'later'})" for s in rule.signals)
    return {
        "rule": rule.name,
        "memory_synapse": kept.synapse,
        "memory_neuron": kept.neuron,
        "memory_shared": kept.shared,
        "memory": _numbers(rule, entry, values),
        "local": "yes" if rule.local else "no",
        "signals": "; ".join(signals) or "none",
    }


def _numbers(rule: Rule, entry: Entry, values: Mapping[str, Any]) -> float:
    """Numbers that a rule keeps in a network; nan where they grow with steps and it has none."""
    step = entry.experiment.input_step_ms
    if rule.grows_with("T") and not step:
        return np.nan
    numeric = {name: x for name, x in values.items() if isinstance(x, int | float)}
    duration = learning_rules.evaluate(entry.task.lasts_ms, numeric)
    n_in, n, n_out = (values[name] for name in ("n_input", "n_hidden", "n_output"))
    counted = entry.mean("synapses")
    synapses = counted if np.isfinite(counted) else n * (n_in + n_out)
    steps = duration / step if step else 1.0
    return rule.numbers({"S": synapses, "N": n, "T": steps, "K": n_out})


# ---- who has no result --------------------------------------------------------------------------


def _absent(
    name: str,
    task: SharedTask,
    trained: Sequence[Entry],
    talks: Mapping[str, Talk],
    config: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """A row for every cell without a result: talk, and own value where others have results."""
    methods = [entry for entry in trained if entry.kind == METHOD]
    measured = dict.fromkeys(entry.at for entry in methods) or {math.nan: None}
    for talk in talks.values():
        blank = {"kind": ABSENT, "talk": talk.name, "seeds": 0, "presentations": 0, "tried": 0}
        if name in talk.takes_no_part:
            yield {**blank, "at": math.nan, "why": talk.takes_no_part[name]}
            continue
        own = [experiment for _, experiment in taking_part({talk.name: talk}, name)]
        for at in measured:
            if any(entry.talk is talk and _same(entry.at, at) for entry in methods):
                continue
            fitting = [e for e in own if math.isnan(at) or _same(value_of(e, config["scale"]), at)]
            why = f"no network of it in a run at scale {config['scale']}"
            if not fitting and task.own is not None:
                why = f"not set with {task.own.parameter} {at:g} {task.own.unit}"
            place = {"experiment": fitting[0].name} if fitting else {}
            yield {**blank, **place, "at": at, "why": why}
