"""One trained network on the bench: simulated unperturbed, then under every condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from whyspiking.battery import conditions, curves
from whyspiking.contract import perturb, places
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.talk import Replication
from whyspiking.contract.trial_subsets import (
    chosen_trials,
    perturbed_limit,
    select_recording,
    select_task,
    side_by_side,
    with_units,
)
from whyspiking.contract.types import (
    Condition,
    ExperimentParameters,
    Network,
    Outcome,
    Progress,
    Recording,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.errors import UserError
from whyspiking.measures import (
    activity,
    counting,
    latency,
    parity,
    parts,
    population,
    scoring,
    timing,
)
from whyspiking.records import tables
from whyspiking.training import controls

ENGINE = "brian2"
CLEAN = Condition()


class Simulator(Protocol):
    """What runs a model: `brian.Machine`, or a stand-in in tests."""

    def run(
        self,
        stimulus: Stimulus,
        values: Mapping[str, NDArray | float],
        *,
        trials: int | None = None,
        seed: int = 0,
    ) -> Recording:
        """Simulate all trials of a stimulus; `seed` is for the model's own random statements."""
        ...


@dataclass
class Bench:
    """One network, simulated without perturbation and ready for all others."""

    replication: Replication[Any]
    params: ExperimentParameters
    variant: str
    network: Network
    machine: Simulator
    model: BrianModel
    config: Mapping[str, Any]
    tau_ms: float
    progress: Progress
    states: Mapping[str, float] | None = None
    """State variables as in `counting.count`; None where they are not known (an ablation)."""

    def __post_init__(self) -> None:
        self.streams = Streams(self.params.seed)
        self.shared = places.common(self.params, self.variant, self.params.seed, ENGINE)
        self.binding = self.replication.bind(self.params, self.network)
        self.task = conditions.test_task(self.replication, self.params, self.streams)
        self.recording, self.outcome = self._run(self.task, self.binding.values)
        self.chosen = chosen_trials(
            scoring.n_trials(self.outcome), perturbed_limit(self.outcome, self.config), self.streams
        )
        self.part = select_task(self.task, self.chosen)
        self.part_score = scoring.score(scoring.select(self.outcome, self.chosen))
        self.chance = scoring.chance(self.outcome)
        self.trains = {**self.task.stimulus.spikes, **self.recording.spikes}
        self.windows = {k: perturb.firing_window(spikes) for k, spikes in self.trains.items()}
        self.single = conditions.single(
            {k: [self.trains[name] for name in names] for k, names in self._locations().items()}
        )

    def rows(
        self, perturbations: Sequence[str], half_step: Simulator | None
    ) -> list[dict[str, Any]]:
        """Everything: unperturbed, under all conditions, and at half the time step if there is one.

        Args:
            perturbations: The common perturbations that the experiment lists.
            half_step: Runs the model at half the time step.
        """
        measured = self.clean_rows() + self.curve_rows(perturbations)
        return measured + (self.step_rows(half_step) if half_step else [])

    def clean_rows(self) -> list[dict[str, Any]]:
        """Everything about the unperturbed network."""
        n = scoring.n_trials(self.outcome)
        values = scoring.measures(self.outcome) | {"normalised_score": 1.0}
        stop_ms = None
        if isinstance(self.outcome, Trials):
            stop_ms = np.where(self.outcome.choices >= 0, self.outcome.decision_ms, np.inf)
            values["t95"] = latency.t95(self.outcome)
            values["speed_area"] = latency.speed_area(self.outcome, self.model.trial_ms)
        counts = counting.count(
            self.trains,
            list(self.task.stimulus.spikes),
            self.binding.layers,
            dt_ms=self.model.dt_ms,
            arrays=self.task.stimulus.arrays,
            stop_ms=stop_ms,
            states=self.states,
        )
        counts["footprint"] = counting.footprint(self.binding.layers, self.binding.values)
        if isinstance(self.outcome, Trials) and counts.get("spikes_to_decision"):
            bits = counting.information(self.outcome)
            values["information_per_spike"] = bits / counts["spikes_to_decision"]
        values |= counts
        values |= self.replication.measures(self.params, CLEAN, self.recording, self.task)
        rows = tables.rows(self.shared, values, n) + self._activity_rows()
        rows += parts.rows(self.shared, self.outcome)
        return rows + self._parity_rows() + self._fresh_rows() + self._information_rows()

    def curve_rows(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Every common condition that the experiment lists, and the talk's own ones."""
        spike_locations = [location for location, trains in self._locations().items() if trains]
        number_locations = [
            x for x in ("weights", "neurons") if conditions.keys_at(x, self.binding)
        ]
        planned = conditions.plan(
            names,
            self.config,
            spike_locations=spike_locations,
            number_locations=number_locations,
            classification=isinstance(self.outcome, Trials),
        )
        measured = self._measured(planned, self._own_conditions(planned))
        return curves.rows_of(self.shared, measured, self.tau_ms, self.chosen.size)

    def _measured(
        self, planned: Sequence[Condition], own: Sequence[Sequence[Condition]]
    ) -> Iterator[curves.Measurement]:
        """Measurements under the common conditions, then under the talk's own."""

        def report(index: int, condition: Condition) -> None:
            share = (1 + index) / (1 + len(planned) + len(own))
            self.progress(share, conditions.describe(condition))

        yield from curves.measured_once(
            planned,
            self._outcomes,
            self.single,
            report,
            clean=self.part_score,
            chance=self.chance,
            trials=self.chosen.size,
        )
        for index, group in enumerate(own, len(planned)):
            report(index, group[0])
            yield group[0], *self._own_values(group)

    def step_rows(self, machine: Simulator) -> list[dict[str, Any]]:
        """Q2: the same trials at half the time step."""
        own = self.params.at_half_step()
        whole = conditions.test_task(self.replication, self.params, self.streams)
        task = select_task(whole, self.chosen)
        values = self.replication.bind(own, self.network).values
        recording = self._recorded(machine, task, values, "clean")
        half = self.replication.decode(own, recording, task)
        change = parity.step_sensitivity(half, scoring.select(self.outcome, self.chosen))
        return tables.rows(self.shared, {"dt_sensitivity": change}, self.chosen.size)

    def anytime(self) -> dict[str, NDArray]:
        """The anytime score for the speed-accuracy figure; nothing for continuous outputs."""
        if not isinstance(self.outcome, Trials):
            return {}
        times = np.linspace(0.0, self.model.trial_ms, latency.ANYTIME_POINTS)
        curve = latency.anytime(self.outcome, times)
        return {"anytime.time_ms": times, f"anytime.{self.variant}.{self.params.seed}": curve}

    def _locations(self) -> dict[str, list[str]]:
        """Populations by the location at which their spikes can be perturbed."""
        return {"input": list(self.task.stimulus.spikes), "hidden": list(self.model.replay)}

    def _run(
        self, task: Task, values: Mapping[str, NDArray | float], purpose: str = "clean"
    ) -> tuple[Recording, Outcome]:
        recording = self._recorded(self.machine, task, values, purpose)
        return recording, with_units(self.replication.decode(self.params, recording, task), task)

    def _recorded(
        self, machine: Simulator, task: Task, values: Mapping[str, NDArray | float], purpose: str
    ) -> Recording:
        seed = self.streams.integer(f"simulation {purpose}")
        return machine.run(task.stimulus, values, trials=int(task.targets.shape[0]), seed=seed)

    def _activity_rows(self) -> list[dict[str, Any]]:
        """Rate, active share and irregularity of every population, shared counts of our own."""
        rows: list[dict[str, Any]] = []
        classes = self.outcome.targets if isinstance(self.outcome, Trials) else None
        # Other events of a group ("group.event") are no population of their own.
        populations = {name: spikes for name, spikes in self.trains.items() if "." not in name}
        for name, spikes in populations.items():
            values = activity.activity(spikes)
            if name not in self.task.stimulus.spikes:
                rng = self.streams.rng(f"population-{name}")
                values |= population.population(spikes, rng, classes)
            rows += tables.rows({**self.shared, "location": name}, values, spikes.n_trials)
        return rows

    def _parity_rows(self) -> list[dict[str, Any]]:
        """Q1: the same trials in the engine of training."""
        some = np.arange(
            min(scoring.n_trials(self.outcome), int(self.config["n_agreement_trials"]))
        )
        task = select_task(self.task, some)
        ours = scoring.select(self.outcome, some)
        theirs = controls.evaluate_variant(
            self.replication, self.params, self.variant, self.network, task
        )
        if theirs is None:
            return []
        described = (self.params, self.variant, self.network, task)
        first_ms = self.replication.reference_first_ms(*described) or {}
        counts = self.replication.reference_counts(*described) or {}
        trains = {name: self.trains[name].select_trials(some) for name in {**first_ms, **counts}}
        values = {
            **parity.compare_outcomes(ours, theirs),
            **parity.compare_first_spikes(trains, first_ms, self.model.dt_ms),
            **parity.compare_rates(trains, counts),
        }
        return tables.rows(self.shared, values, some.size)

    def _fresh_rows(self) -> list[dict[str, Any]]:
        """Accuracy on further unseen samples, where the talk has them."""
        task = None
        if isinstance(self.outcome, Trials):
            task = self.replication.make_task(self.params, "fresh", self.streams)
        if task is None:
            return []
        _, outcome = self._run(task, self.binding.values)
        if not isinstance(outcome, Trials):
            raise UserError(
                f"talk '{self.params.talk}': the tasks `fresh` and `test` use different decoding; "
                "expected the same decoding. Change one of them"
            )
        values = {"accuracy_fresh": scoring.accuracy(outcome)}
        return tables.rows(self.shared, values, scoring.n_trials(outcome))

    def _information_rows(self) -> list[dict[str, Any]]:
        """T2 of the input and of the hidden spikes."""
        if not isinstance(self.outcome, Trials):
            return []
        n, n_classes = scoring.n_trials(self.outcome), self.outcome.n_classes
        some = chosen_trials(n, int(self.config["n_decoder_trials"]), self.streams)
        rows = []
        for location, names in self._locations().items():
            trains = [self.trains[name].select_trials(some) for name in names]
            if trains and some.size >= 10 * n_classes:
                rng, labels = self.streams.rng(f"decoder-{location}"), self.outcome.targets[some]
                value = timing.timing_information(
                    side_by_side(trains), labels, n_classes, self.tau_ms, rng
                )
                place = {**self.shared, "location": location}
                rows += tables.rows(place, {"timing_information": value}, some.size)
        return rows

    def _outcomes(self, condition: Condition) -> list[Outcome]:
        """One outcome per draw of a common condition."""
        draws = range(conditions.draws(condition, self.config))
        if condition.perturbation in perturb.ON_NUMBERS:
            rngs = [self._rng(condition, draw) for draw in draws]
            changed = [conditions.perturb_values(self.binding, condition, rng) for rng in rngs]
            return [self._run(self.part, values)[1] for values in changed]
        # All draws are simulated in one go, as further trials.
        repeated = np.tile(np.arange(self.chosen.size), len(draws))
        task = select_task(self.part, repeated)
        values = dict(self.binding.values)
        inputs = {name: name for name in self.task.stimulus.spikes}
        if condition.location != "input":
            inputs = {name: replay.input for name, replay in self.model.replay.items()}
            for replay in self.model.replay.values():
                values |= replay.silence
        spikes = {
            **task.stimulus.spikes,
            **{into: self._perturbed(name, condition, draws) for name, into in inputs.items()},
        }
        task = replace(task, stimulus=replace(task.stimulus, spikes=spikes))
        _, outcome = self._run(task, values)
        n = self.chosen.size
        return [scoring.select(outcome, np.arange(k * n, (k + 1) * n)) for k in draws]

    def _perturbed(self, population: str, condition: Condition, draws: range) -> Spikes:
        clean = self.trains[population].select_trials(self.chosen)
        pieces = [
            conditions.perturb_spikes(
                clean,
                condition,
                self._rng(condition, draw, population),
                tau_ms=self.tau_ms,
                labels=self.part.targets,
                window=self.windows[population],
            )
            for draw in draws
        ]
        joined = perturb.concatenate(pieces)
        # Where inputs keep their exact time, a channel has room for one spike per trial.
        return perturb.earliest(joined) if self.model.sub_step else joined

    def _own_conditions(self, planned: Sequence[Condition]) -> list[list[Condition]]:
        """The talk's own conditions, the draws of each together."""
        common = {conditions.describe(condition) for condition in planned}
        groups: dict[str, list[Condition]] = {}
        for condition in self.replication.conditions(self.params):
            groups.setdefault(conditions.describe(condition), []).append(condition)
        if repeated := sorted(common & set(groups)):
            raise UserError(
                f"talk '{self.params.talk}': its condition '{repeated[0]}' is also one of the "
                "common robustness tests. Rename it, or remove it from `robustness_tests` in "
                "talk.yaml"
            )
        return list(groups.values())

    def _own_values(self, group: Sequence[Condition]) -> tuple[dict[str, float], int]:
        """Metrics of one of the talk's own conditions, mean over its draws; number of trials."""
        outcomes, measured = [], []
        for condition in group:
            task, recording = self._under(condition)
            outcomes.append(self.replication.decode(self.params, recording, task))
            measured.append(self.replication.measures(self.params, condition, recording, task))
        values = curves.mean_measures(outcomes, self.part_score, self.chance)
        values |= {name: float(np.mean([draw[name] for draw in measured])) for name in measured[0]}
        return values, scoring.n_trials(outcomes[0])

    def _under(self, condition: Condition) -> tuple[Task, Recording]:
        """Task and recording of one of the talk's own conditions."""
        rng = self._rng(condition, condition.draw)
        clean = select_recording(self.recording, self.chosen)
        changed = self.replication.perturb_recording(self.params, condition, clean, rng)
        if changed is not None:
            return self.part, changed
        task, binding = self.replication.vary(self.params, condition, self.part, self.binding, rng)
        purpose = f"{conditions.describe(condition)} {condition.draw}"
        return task, self._run(task, binding.values, purpose)[0]

    def _rng(self, condition: Condition, draw: int, population: str = "") -> np.random.Generator:
        return self.streams.rng(f"battery {conditions.describe(condition)} {population} {draw}")
