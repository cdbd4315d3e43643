"""The networks whose frontiers are drawn: trained references, those built by hand, the methods.

References and built networks are measured where the protocol is. Methods of the talks are told of
on the tasks that they share with it; of those without spikes nothing is counted. All others are
charged by one formula (`measures.accounting`) and one clock, that of the references, whatever step
a method was simulated with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from whyspiking.contract.counts import Counts
from whyspiking.declared import protocol_file, registry
from whyspiking.declared.registry import PROTOCOL, Talk
from whyspiking.errors import UserError
from whyspiking.records import tables
from whyspiking.records.frontier_columns import COUNTED, POINTS
from whyspiking.records.tables import Table
from whyspiking.tasks.parameters import SharedTaskParameters
from whyspiking.verdicts import common_ground, shared_trials
from whyspiking.verdicts.frontiers import BUILT, LIF, RULE, TRAINED

TRAINED_ON, PRICE = "_trained", "spike_penalty_"
"""Behind the task in an experiment with references; before the price in their `perturbation`."""
OF_A_UNIT = 2
"""Numbers stored for each: a time constant, a threshold."""
READ = {"sigmoid": 2, "gru": 4}
"""Kind of units that tell changes -> numbers that one reads in every step beside its state: the sum
of what it holds of others, one a gate, and what it told last."""
UNLEAKY = ("static", "units")
"""Kinds of units, trained and built, that do not leak: an update of theirs multiplies nothing."""


def points(
    ground: Table, metrics: Table, talks: Mapping[str, Talk], config: Mapping[str, Any]
) -> Table:
    """All networks of which a frontier is made, or that are held against one.

    Args:
        ground: Rows of the metrics table where the protocol is; none: there is nothing to draw.
        metrics: Those of all talks.
        talks: Talk by name.
        config: The run configuration.

    Returns:
        A table with the columns of `columns.POINTS`.

    Raises:
        UserError: If what a network built by hand takes was not counted.
    """
    if ground.empty:
        return POINTS.table([])
    own = registry.load_talk(ground["talk"].iloc[0])
    protocol, rows = protocol_file.load(own.folder / PROTOCOL), list[dict[str, Any]]()
    for task, said in protocol.tasks.items():
        params = SharedTaskParameters.of(registry.params(own.experiments[task], config))
        steps = round(params.trial_ms / params.dt_ms)
        answers = params.n_output * round(protocol.training[task].answer_ms / params.dt_ms)
        kinds = {
            name: tuned[task].unit_model
            for name, tuned in protocol.families.items()
            if task in tuned
        }
        here: Table = tables.where(ground, experiment=task, perturbation="none", location="")
        networks = [
            *_trained(tables.where(ground, experiment=task + TRAINED_ON), kinds, steps, answers),
            *_built(here, said.hand_designed, steps),
            *_rules([*common_ground.entries(metrics, talks, task)], steps, config),
        ]
        rows += [
            {"task": task, "chance": said.chance, "spike_penalty": 0.0, "counterpart": ""} | row
            for row in networks
        ]
    table = POINTS.table(rows)
    # Zeros are left out of the metrics; of what sends no spikes nothing was counted.
    counted = [column.name for column in COUNTED]
    known = table["n_parameters"].notna()
    table.loc[known, counted] = table.loc[known, counted].fillna(0.0)
    return table


def _trained(
    rows: Table, kinds: Mapping[str, str], steps: int, answers: int
) -> Iterator[dict[str, Any]]:
    """References: a row a family, price, size and seed; what was not counted was not there.

    Args:
        rows: Of the metrics table.
        kinds: Family -> kind of its units.
        steps: Of a trial.
        answers: Updates of the readout in it: channels times steps of the answer.
    """
    rows = rows[rows["perturbation"].str.startswith(PRICE) & (rows["engine"] == "jax")]
    by = ["variant", "perturbation", "strength", "seed"]
    for (family, price, units, seed), network in rows.groupby(by, sort=False):
        known, kind = _values(network), kinds.get(family, "")
        # The readout of what tells changes holds a sum, too. Half of a number that waits in a
        # buffer, which is written as well.
        read = READ[kind] * units * steps + answers if kind in READ else 0.0
        yield _leaking(known, kind) | {
            "buffered_values": known.get("buffered_values", 0.0) + read / 2,
            "family": family,
            "network_type": TRAINED,
            "n_hidden": units,
            "spike_penalty": float(price.removeprefix(PRICE)),
            "seed": seed,
            "validation_accuracy": known["validation_accuracy"],
            "test_accuracy": known["accuracy"],
        }


def _built(
    rows: Table, said: Mapping[str, protocol_file.Built], steps: int
) -> Iterator[dict[str, Any]]:
    """Networks built by hand: a row a seed of the data, on which each is right otherwise."""
    for seed, own in rows.groupby("seed"):
        yield from (row | {"seed": seed} for row in built_by_hand(own, said, steps))


def built_by_hand(
    rows: Table, said: Mapping[str, protocol_file.Built], steps: int
) -> Iterator[dict[str, Any]]:
    """Networks built by hand: means over seeds; nobody chose them, so validation is test."""
    for variant, built in said.items():
        own = shared_trials.preferred(tables.where(rows, variant=variant))
        if own.empty:
            continue
        known, spikes = _values(own), built.unit_type == "spikes"
        if spikes:
            known |= _spiking(known, known["neuron_updates"], steps)
        if "updates_clock_driven" not in known:
            raise UserError(
                f"{own['talk'].iloc[0]}/{own['experiment'].iloc[0]}/{variant}: what it takes was "
                "not counted; expected the columns of frontiers.csv among its metrics; run or "
                "record the experiment again"
            )
        yield _leaking(known, built.unit_type) | {
            "family": LIF if spikes else variant,
            "network_type": BUILT,
            "n_hidden": known["updates_clock_driven"] / steps,
            "validation_accuracy": known["accuracy"],
            "test_accuracy": known["accuracy"],
        }


def _leaking(known: Mapping[str, float], kind: str) -> dict[str, float]:
    """What was counted, without the multiplication of an update where units do not leak."""
    count = defaultdict(float, known)  # what was not counted was not there
    return {**known} | {
        f"multiplications_{end}": count[f"multiplications_{end}"] - count[f"updates_{end}"]
        for end in ("event_driven", "clock_driven")
        if kind in UNLEAKY
    }


def _rules(
    entries: list[common_ground.Entry], steps: int, config: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Methods of the talks: a row a seed; what sends no spikes has accuracies only."""
    for entry in entries:
        values = registry.params(entry.experiment, config, 0, entry.variant.name).values
        clocked = steps * float(values["n_hidden"] + values["n_output"])
        row = {
            "family": common_ground.label(entry.talk, entry.variant.name),
            "network_type": RULE,
            "counterpart": _counterpart(entry, entries),
            "n_hidden": values["n_hidden"],
        }
        clean: Table = tables.where(entry.rows, perturbation="none", location="")
        for seed, rows in shared_trials.preferred(clean).groupby("seed"):
            known = _values(rows)
            counted = {}
            if entry.spikes:
                counted = _spiking(known, clocked, steps, _states(entry, entries))
            told = {
                "validation_accuracy": known["accuracy"],
                "test_accuracy": known["accuracy"],
                "seed": seed,
            }
            yield counted | row | told


def _counterpart(entry: common_ground.Entry, entries: list[common_ground.Entry]) -> str:
    """The network of the same experiment that is trained end to end, if this one is not."""
    whole = [e for e in entries if e.experiment is entry.experiment and not _is_local(e)]
    if not _is_local(entry) or not whole:
        return ""
    return common_ground.label(whole[0].talk, whole[0].variant.name)


def _is_local(entry: common_ground.Entry) -> bool:
    rule = common_ground.rule_of(entry)
    return rule is None or rule.local


def _values(rows: Table) -> dict[str, float]:
    """Metric -> its mean."""
    return rows.groupby("metric")["value"].mean().to_dict()


def _states(entry: common_ground.Entry, entries: list[common_ground.Entry]) -> tuple[float, float]:
    """State variables beyond the membrane per update of a neuron, by events and clocked.

    Where they were not counted (ablations), those of the spiking network of the same experiment,
    which has the same neurons.
    """
    same = (e for e in entries if e.experiment is entry.experiment and e.variant.role == "spiking")
    for e in (entry, *same):
        events, clocked = (
            e.mean(f"state_updates{end}") / e.mean(f"neuron_updates{end}") for end in ("_event", "")
        )
        if np.isfinite([events, clocked]).all():
            return events, clocked
    return 0.0, 0.0


def _spiking(
    known: Mapping[str, float],
    clocked: float,
    steps: int,
    more: tuple[float, float] = (0.0, 0.0),
) -> dict[str, float]:
    """What a network with spikes takes, as Brian2 counted it.

    Args:
        known: Metric -> value.
        clocked: Updates of its units, one in every step of the task.
        steps: Of a trial.
        more: Further state variables per update, by events and clocked, each a multiplication.
    """
    # A method that was simulated in finer steps has more events than the clock has ticks.
    events = min(known["neuron_updates_event"], clocked)
    made = Counts(
        acs=known["syn_events"],
        macs=0.0,
        updates_event_driven=events,
        updates_clock_driven=clocked,
        multiplications_event_driven=min(events * (1 + more[0]), clocked * (1 + more[1])),
        multiplications_clock_driven=clocked * (1 + more[1]),
        binary_messages=known["spikes"],
        graded_messages=0.0,
    )
    stored = known["synapses"] + OF_A_UNIT * clocked / steps
    return made.means() | {"n_messages": known["spikes_hidden"], "n_parameters": stored}
