"""The probe loop on a toy talk whose every answer is known, with a stand-in for the simulator.

Toy: class k is coded by channel k firing first among K channels; the hidden layer repeats the input
1 ms later; output k fires 1 ms after hidden k if its weight is above the threshold. The choice is
the first output. So times decide everything and counts nothing.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from whyspiking import battery, conditions, contrasts, counterpart, scoring, subsets, tables
from whyspiking.contract import (
    Binding,
    BrianModel,
    Condition,
    Layer,
    Network,
    Outcome,
    Params,
    Recording,
    Replay,
    Stimulus,
    Task,
    Traces,
    Trials,
)
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.registry import Experiment, Talk, Variant
from whyspiking.spikes import Spikes

K, DURATION, DELAY, TAU = 4, 20.0, 1.0, 2.0
CONFIG = {
    "trials": 60,
    "draws": 2,
    "parity_trials": 50,
    "decoder_trials": 400,
    "jitter": [0.01, 4.0],
    "shuffle_window": [0.5, 1.0],
    "delete": [0.2, 1.0],
    "insert": [0.5],
    "quantise": [8, 2],
    "clip": [0.5],
    "mismatch": [0.1, 0.4],
}
SPIKES_ONLY = ("jitter", "shuffle", "delete")


class ToyMachine:
    """Computes the toy in numpy; keeps what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Stimulus, dict]] = []

    def run(self, stimulus, values, *, trials=None, seed=0) -> Recording:
        self.calls.append((stimulus, dict(values)))
        first = stimulus.spikes["input"].first_ms()
        hidden = first + DELAY
        if values["hidden.v_th"].min() > 1e6:
            hidden = np.full_like(hidden, np.inf)
        driven = hidden
        if "replay" in stimulus.spikes:
            driven = np.minimum(hidden, stimulus.spikes["replay"].first_ms())
        weights = values["s_out.w"].reshape(K, K).diagonal()
        output = np.where(weights > 0.25, driven + DELAY, np.inf)
        return Recording(
            {
                "hidden": Spikes.from_first_spikes(hidden, DURATION),
                "output": Spikes.from_first_spikes(output, DURATION),
            }
        )


class ToyTalk:
    """What a folder under replications exports, as methods."""

    own: tuple[Condition, ...] = ()
    fresh = True

    def make_task(self, params, split, streams):
        if split == "fresh" and not self.fresh:
            return None
        rng = streams.rng(f"data-{split}")
        n = {"test": 200, "fresh": 80}[split]
        targets = rng.integers(K, size=n)
        times = rng.uniform(6, 12, (n, K))
        times[np.arange(n), targets] = rng.uniform(2, 4, n)
        features = np.exp(-times / 5)
        spikes = Spikes.from_first_spikes(times, DURATION)
        return Task(Stimulus({"input": spikes}), targets, K, features)

    def train(self, params, variant, streams, parents, progress):
        raise NotImplementedError

    def evaluate(self, params, variant, network, task) -> Outcome:
        if variant == "mlp":
            features = counterpart.seen(network, task.features)
            choices = counterpart.forward(network.arrays, features)[-1].argmax(axis=1)
            return Trials(task.targets, choices, np.zeros(choices.size), K)
        first = task.stimulus.spikes["input"].first_ms()
        return Trials(task.targets, first.argmin(axis=1), first.min(axis=1) + 2 * DELAY + 0.25, K)

    def reference_first_ms(self, params, variant, network, task):
        return {"hidden": task.stimulus.spikes["input"].first_ms() + DELAY + 0.125}

    def to_brian(self, params):
        return BrianModel(
            name="toy",
            definition={},
            construct=lambda inputs: [],
            inputs={"input": K, "replay": K},
            dt_ms=0.5,
            trial_ms=DURATION,
            max_trials=100,
            record_spikes=("hidden", "output"),
            replay={"hidden": Replay("replay", {"hidden.v_th": np.float64(1e9)})},
            sub_step=True,
        )

    def bind(self, params, network):
        weights = network.arrays["w"]
        return Binding(
            values={
                "s_in.w": np.eye(K).ravel(),
                "s_out.w": weights.ravel(),
                "hidden.v_th": np.ones(K),
            },
            layers={
                "s_in.w": Layer("input", "hidden", np.eye(K)),
                "s_out.w": Layer("hidden", "output", weights, "readout"),
            },
        )

    def decode(self, params, recording, task) -> Outcome:
        first = recording.spikes["output"].first_ms()
        decision = first.min(axis=1)
        choices = np.where(np.isfinite(decision), first.argmin(axis=1), -1)
        return Trials(task.targets, choices, decision, K)

    def conditions(self, params):
        return self.own

    def vary(self, params, condition, task, binding, rng):
        shift = condition.strength * rng.choice([1.0, 1.0])
        first = task.stimulus.spikes["input"].first_ms() + shift
        stimulus = Stimulus({"input": Spikes.from_first_spikes(first, DURATION)})
        return replace(task, stimulus=stimulus), binding

    def measures(self, params, condition, recording, task):
        return {"frequency_error": condition.strength}

    def exhibits(self, params, networks, simulate, streams):
        network = networks["spiking", 0]
        recording = simulate(network, self.make_task(params, "test", streams))
        return {"first": recording.spikes["hidden"].first_ms()}

    def figures(self, results):
        return {}


class ToyThreshold(ToyMachine):
    """The toy with a scalar threshold allowed, as `silence` may give one."""

    def run(self, stimulus, values, *, trials=None, seed=0) -> Recording:
        fixed = {**values, "hidden.v_th": np.atleast_1d(values["hidden.v_th"])}
        return super().run(stimulus, fixed, trials=trials, seed=seed)


PARAMS = Params("toy", "first", "default", {})


def experiment(names=SPIKES_ONLY) -> Experiment:
    roles = {"spiking": "spiking", "ablated": "ablation", "mlp": "control", "linear": "control"}
    return Experiment(
        talk="toy",
        name="first",
        title="Toy",
        kind="classification",
        data_key="toy",
        provenance="synthetic",
        battery=tuple(names),
        published={},
        units={},
        sources={},
        scaled={},
        variants={name: Variant(name, role, "A network.", ()) for name, role in roles.items()},
    )


def talk(names=SPIKES_ONLY) -> Talk:
    return Talk(
        name="toy",
        title="Toy talk",
        speaker="Nobody",
        question="Why?",
        papers={},
        tau_char_ms=TAU,
        tau_char_what="delay",
        experiments={"first": experiment(names)},
        folder=Path(),
    )


def spiking_network() -> Network:
    return Network({"w": np.eye(K)}, {"engine": "numpy"})


def mlp() -> Network:
    arrays = {"w0": np.eye(K), "b0": np.zeros(K), "w1": np.eye(K), "b1": np.zeros(K)}
    return Network(arrays, {"engine": "jax"})


def probe(names=SPIKES_ONLY, networks=None, toy: Any = None, machine=None, **options):
    machine = ToyThreshold() if machine is None else machine
    networks = {("spiking", 0): spiking_network()} if networks is None else networks
    rows, arrays = battery.probe(
        toy or cast("Any", ToyTalk()),
        PARAMS,
        experiment(names),
        networks,
        CONFIG,
        machine,
        lambda share, news: None,
        tau_char_ms=TAU,
        **options,
    )
    table = pd.DataFrame(rows, columns=list(tables.METRICS_COLUMNS))
    return tables.check_metrics(table, "test"), arrays, machine


def value(table, metric, **place) -> float:
    found = tables.where(table, metric=metric, **{"perturbation": "none", "locus": "", **place})
    assert len(found) == 1, f"{metric} {place}: {len(found)} rows"
    return float(found["value"].iloc[0])


@pytest.fixture(scope="module")
def probed():
    return probe((*SPIKES_ONLY, "shuffle_window", "swap_trials", "insert", "quantise", "mismatch"))


def test_the_clean_run(probed):
    table, arrays, _ = probed
    assert value(table, "accuracy") == value(table, "score") == 1.0
    assert value(table, "undecided") == 0.0
    assert value(table, "normalised_score") == 1.0
    assert value(table, "accuracy_fresh") == 1.0
    assert 4.0 < value(table, "decision_time") < 6.0
    assert value(table, "decision_time") < value(table, "t95") < 6.0
    assert value(table, "speed_area") == pytest.approx(1 - value(table, "decision_time") / 20, 0.01)
    assert value(table, "spikes") == 8.0
    assert value(table, "syn_events") == 8.0
    assert value(table, "density") == 1.0
    assert value(table, "neuron_updates") == 8 * 40
    # Every input and hidden neuron has one target and its own time: one update each.
    assert value(table, "neuron_updates_event") == pytest.approx(8.0, abs=0.6)
    # Only the deciding input and its hidden neuron fire before the decision: 2 bit in 2 spikes.
    assert value(table, "spikes_to_decision") == 2.0
    assert value(table, "events_to_decision") == 2.0
    assert value(table, "information_per_spike") == pytest.approx(1.0, rel=0.03)
    assert arrays["anytime.spiking.0"][[0, -1]].tolist() == [0.25, 1.0]
    assert arrays["first"].shape == (200, K)


def test_activity_of_every_population(probed):
    table, _, _ = probed
    for name in ("input", "hidden", "output"):
        # Every neuron fires once in 20 ms.
        assert value(table, "rate_hz", locus=name) == pytest.approx(50.0)
        assert value(table, "active_share", locus=name) == 1.0
        assert np.isnan(value(table, "isi_cv", locus=name))


def test_trials_behind_each_row(probed):
    table, _, _ = probed
    assert tables.where(table, metric="accuracy", perturbation="none")["trials"].tolist() == [200]
    assert tables.where(table, metric="accuracy_fresh")["trials"].tolist() == [80]
    perturbed = tables.where(table, perturbation="jitter", metric="score")
    assert set(perturbed["trials"]) == {60}


def test_no_two_rows_share_a_key(probed):
    table, _, _ = probed
    keys = [c for c in tables.METRICS_COLUMNS if c not in ("value", "unit", "trials")]
    assert not table.duplicated(keys).any()


def test_parity_against_the_other_engine(probed):
    table, _, _ = probed
    assert value(table, "equal_decisions") == 1.0
    assert value(table, "score_difference") == 0.0
    assert value(table, "spike_time_error") == pytest.approx(0.25)
    assert value(table, "spike_time_error_hidden") == pytest.approx(0.125)
    assert value(table, "equal_spike_sets") == 1.0


@pytest.mark.parametrize("locus", ["input", "hidden"])
def test_a_timing_code_is_seen_as_one(probed, locus):
    table, _, _ = probed
    # With redrawn times each of four outputs is first equally often.
    assert value(table, "timing_index", perturbation="shuffle", locus=locus) == pytest.approx(
        1.0, abs=0.15
    )
    assert value(table, "timing_information", locus=locus) > 0.9
    small = value(table, "score", perturbation="jitter", locus=locus, strength=0.01)
    large = value(table, "score", perturbation="jitter", locus=locus, strength=4.0)
    assert small > 0.95
    assert large < 0.7
    sigma50 = value(table, "sigma50", perturbation="jitter", locus=locus)
    assert 0.02 < sigma50 <= 4.0 * TAU or sigma50 == np.inf


@pytest.mark.parametrize("locus", ["input", "hidden"])
def test_swapping_trials_of_a_class_keeps_what_single_neurons_tell(probed, locus):
    table, _, _ = probed
    assert value(table, "score", perturbation="swap_trials", locus=locus, strength=1.0) == 1.0


@pytest.mark.parametrize("locus", ["input", "hidden"])
def test_deleting_everything_decides_nothing(probed, locus):
    table, _, _ = probed
    place = {"perturbation": "delete", "locus": locus, "strength": 1.0}
    assert value(table, "undecided", **place) == 1.0
    assert value(table, "normalised_score", **place) == pytest.approx(-1 / 3)
    # Losing 20 % of the spikes loses the deciding one in a fifth of the trials.
    place["strength"] = 0.2
    assert value(table, "score", **place) == pytest.approx(0.8, abs=0.12)
    area = value(table, "robustness_area", perturbation="delete", locus=locus)
    parts = tables.where(table, metric="normalised_score", perturbation="delete", locus=locus)
    assert area == pytest.approx(parts["value"].mean())


def test_weights_and_neurons_are_perturbed_where_they_are(probed):
    table, _, machine = probed
    assert value(table, "score", perturbation="quantise", locus="weights", strength=8.0) == 1.0
    assert value(table, "bits95", perturbation="quantise", locus="weights") == 2
    loci = set(tables.where(table, perturbation="mismatch")["locus"])
    assert loci == {"weights", "neurons"}
    changed = [values for _, values in machine.calls if not np.all(values["hidden.v_th"] == 1.0)]
    spread = [v["hidden.v_th"] for v in changed if v["hidden.v_th"].max() < 1e6]
    # Two levels of two draws each.
    assert len(spread) == 4
    assert len({tuple(v) for v in spread}) == 4


def test_hidden_replay_silences_the_population_and_keeps_the_input(probed):
    _, _, machine = probed
    replayed = [(s, v) for s, v in machine.calls if "replay" in s.spikes]
    assert replayed
    for stimulus, values in replayed:
        assert values["hidden.v_th"].min() == 1e9
        assert stimulus.spikes["input"].n_trials == stimulus.spikes["replay"].n_trials == 120
        # The model keeps exact times: one spike per channel and trial at most.
        assert stimulus.spikes["replay"].counts().max() <= 1


def test_draws_are_independent_and_reproducible(probed):
    table, _, machine = probed
    jittered = next(
        s.spikes["input"] for s, _ in machine.calls[2:] if s.spikes["input"].n_trials == 120
    )
    first, second = (jittered.select_trials(range(k, k + 60)).first_ms() for k in (0, 60))
    assert not np.allclose(first, second)
    again, _, _ = probe(tuple(dict.fromkeys(SPIKES_ONLY)))
    place = {"perturbation": "jitter", "locus": "hidden", "strength": 4.0}
    assert value(again, "score", **place) == value(table, "score", **place)


def test_own_conditions_average_their_draws():
    toy = ToyTalk()
    toy.own = (
        Condition("shift", "input", 3.0, 0),
        Condition("shift", "input", 3.0, 1),
        Condition("shift", "input", 30.0, 0),
    )
    table, _, _ = probe((), toy=toy)
    place = {"perturbation": "shift", "locus": "input"}
    assert value(table, "score", **place, strength=3.0) == 1.0
    assert value(table, "undecided", **place, strength=30.0) == 1.0
    assert value(table, "frequency_error", **place, strength=30.0) == 30.0
    assert value(table, "frequency_error") == 0.0


def test_own_conditions_may_act_on_recorded_spikes():
    """Outputs in reverse order: no simulation more, and the score of the reader falls."""

    class Rereading(ToyTalk):
        own = (Condition("shuffle", "readout", 1.0), Condition("shift", "input", 3.0))

        def perturb_recording(self, params, condition, recording, rng):
            if condition.perturbation != "shuffle":
                return None
            first = recording.spikes["output"].first_ms()[:, ::-1]
            return Recording({"output": Spikes.from_first_spikes(first, DURATION)})

    toy = Rereading()
    toy.fresh = False
    table, _, machine = probe((), toy=toy)
    place = {"perturbation": "shuffle", "locus": "readout"}
    assert value(table, "score", **place, strength=1.0) == 0.0
    assert value(table, "timing_index", **place) == pytest.approx(4 / 3)
    assert value(table, "score", perturbation="shift", locus="input", strength=3.0) == 1.0
    # The clean run, the shifted one, and the exhibits.
    assert len(machine.calls) == 3


def test_figures_get_the_clean_run_again_where_it_is_small():
    class Few(ToyTalk):
        fresh = False

        def make_task(self, params, split, streams):
            task = super().make_task(params, split, streams)
            return task and subsets.select_task(task, np.arange(self.n))

        n = battery.FEW_TRIALS

    few, many = Few(), Few()
    many.n = battery.FEW_TRIALS + 1
    calls = [len(probe((), toy=toy)[2].calls) for toy in (few, many)]
    assert calls == [1, 2]


def test_other_stimuli_are_not_taken_for_the_same():
    task = ToyTalk().make_task(PARAMS, "test", Streams(0))
    some = subsets.select_task(task, np.arange(5))
    later = replace(
        some.stimulus.spikes["input"], times_ms=some.stimulus.spikes["input"].times_ms + 1
    )
    assert subsets.same_stimulus(some, subsets.select_task(task, np.arange(5)))
    assert not subsets.same_stimulus(some, subsets.select_task(task, np.arange(4)))
    assert not subsets.same_stimulus(some, replace(some, stimulus=Stimulus({"input": later})))
    assert not subsets.same_stimulus(some, replace(some, stimulus=Stimulus()))
    ones, twos = (replace(some, stimulus=Stimulus(arrays={"a": np.full(3, k)})) for k in (1, 2))
    assert not subsets.same_stimulus(ones, twos)
    assert subsets.same_stimulus(ones, ones)


def test_the_battery_may_be_for_some_spiking_variants_only():
    one = replace(experiment(("jitter",)), battery_of=("other",))
    assert not one.perturbed("spiking")
    assert replace(one, battery_of=("spiking",)).perturbed("spiking")
    assert replace(one, battery_of=()).perturbed("spiking")
    assert not one.perturbed("ablated")


def test_an_ablation_is_measured_but_not_perturbed():
    """Its clean run and the talk's own conditions: what one asks an ablation for."""
    toy = ToyTalk()
    toy.own = (Condition("shift", "input", 3.0),)
    networks = {("spiking", 0): spiking_network(), ("ablated", 0): spiking_network()}
    table, _, _ = probe(("jitter",), networks, toy=toy, half_step=(PARAMS, ToyThreshold()))
    spiking, ablated = (tables.where(table, variant=name) for name in ("spiking", "ablated"))
    assert set(ablated["perturbation"]) == {"none", "shift"}
    assert set(spiking["perturbation"]) == {"none", "shift", "jitter"}
    assert value(ablated, "accuracy") == value(spiking, "accuracy")
    assert tables.where(ablated, metric="dt_sensitivity").empty


def test_an_own_condition_must_not_repeat_a_common_one():
    toy = ToyTalk()
    toy.own = (Condition("jitter", "input", 4.0),)
    with pytest.raises(UserError, match="rename it"):
        probe(("jitter",), toy=toy)


def test_a_missing_level_names_the_key():
    with pytest.raises(UserError, match=r"battery\.blur"):
        conditions.plan(
            ["blur"], CONFIG, spike_loci=[], number_loci=["weights"], classification=True
        )


def test_no_fresh_split():
    toy = ToyTalk()
    toy.fresh = False
    table, _, _ = probe((), toy=toy)
    assert tables.where(table, metric="accuracy_fresh").empty


def test_half_step():
    table, _, _ = probe((), half_step=(PARAMS, ToyThreshold()))
    assert value(table, "dt_sensitivity") == 0.0


def test_the_subsample_depends_on_the_seed_only():
    a = subsets.chosen_trials(1000, 50, Streams(3))
    assert np.array_equal(a, subsets.chosen_trials(1000, 50, Streams(3)))
    assert not np.array_equal(a, subsets.chosen_trials(1000, 50, Streams(4)))
    assert np.unique(a).size == 50
    assert subsets.chosen_trials(5, 50, Streams(0)).tolist() == [0, 1, 2, 3, 4]


def test_select_task_keeps_shared_arrays():
    shared, own = np.zeros((7, 2)), np.arange(30.0).reshape(3, 5, 2)
    task = Task(Stimulus(arrays={"a": shared, "b": own}), np.arange(3), 3)
    picked = subsets.select_task(task, np.array([2, 2]))
    assert picked.stimulus.arrays["a"] is shared
    assert np.array_equal(picked.stimulus.arrays["b"], own[[2, 2]])
    assert picked.targets.tolist() == [2, 2]


# Controls


def test_a_control_gets_the_counterpart():
    names = (*SPIKES_ONLY, "quantise", "mismatch")
    table, _, machine = probe(names, {("mlp", 0): mlp(), ("spiking", 0): spiking_network()})
    own = tables.where(table, variant="mlp")
    assert set(own["engine"]) == {"jax"}
    assert value(own, "macs_dense") == 32
    assert value(own, "macs_effective") == 8.0
    assert value(own, "synapses") == 8
    assert value(own, "neuron_updates") == 8
    assert value(own, "activation_sparsity") == 0.0
    assert set(own["perturbation"]) == {"none", "delete", "quantise", "mismatch"}
    place = {"perturbation": "delete", "locus": "hidden"}
    assert value(own, "score", **place, strength=1.0) == pytest.approx(0.25, abs=0.15)
    assert 0.6 < value(own, "score", **place, strength=0.2) < 0.95
    assert value(own, "bits95", perturbation="quantise", locus="weights") == 2
    # The clean score of a control is measured where it is trained.
    assert tables.where(own, metric="accuracy", perturbation="none").empty
    assert machine.calls


def test_a_control_is_shown_what_it_was_trained_on():
    """One that sees a mask is counted and perturbed on the mask; all features are above 0 here."""
    told = mlp()
    told.info["sees"] = "mask"
    told.arrays["w0"] = np.diag([1.0, 2.0, 3.0, 4.0])[:K, :K]
    table, _, _ = probe(("quantise",), {("mlp", 0): told, ("spiking", 0): spiking_network()})
    own = tables.where(table, variant="mlp")
    assert value(own, "macs_effective") == 2 * K, "one synapse per unit and layer"
    # Whatever the brightness, the largest weight wins: chance.
    place = {"perturbation": "quantise", "locus": "weights", "strength": 8}
    assert value(own, "score", **place) == pytest.approx(1 / K, abs=0.15)


def test_forward_and_operations_by_hand():
    arrays = {
        "w0": np.array([[1.0, -1.0], [0.0, 2.0]]),
        "b0": np.array([0.0, -1.0]),
        "w1": np.array([[1.0, 0.0], [0.0, 3.0]]),
    }
    x = np.array([[1.0, 1.0], [2.0, 0.0]])
    layers = counterpart.forward(arrays, x)
    assert layers[1].tolist() == [[1.0, 0.0], [2.0, 0.0]]
    assert layers[2].tolist() == [[1.0, 0.0], [2.0, 0.0]]
    counts = counterpart.count_operations(arrays, x)
    # Input: fan-outs 2 and 1, trials (3, 2); hidden: unit 0 active in both, one weight.
    assert counts["macs_effective"] == (3 + 2) / 2 + 1
    assert counts["macs_dense"] == 8
    assert counts["activation_sparsity"] == 0.5
    assert counts["connection_sparsity"] == 3 / 8


def test_other_controls_keep_their_stated_counts():
    stated = Network({"phi": np.zeros(3)}, {"engine": "numpy", "counts": {"macs_effective": 12.0}})
    table, _, _ = probe((), {("linear", 0): stated, ("spiking", 0): spiking_network()})
    own = tables.where(table, variant="linear")
    assert value(own, "macs_effective") == 12.0
    assert len(own) == 1


def test_a_control_with_another_forward_pass_is_not_guessed_at():
    odd = mlp()
    odd.arrays["w1"] = -np.eye(K)

    class Odd(ToyTalk):
        def evaluate(self, params, variant, network, task):
            if variant == "mlp":
                return Trials(task.targets, task.targets, np.zeros(task.targets.size), K)
            return super().evaluate(params, variant, network, task)

    table, _, _ = probe((), {("mlp", 0): odd, ("spiking", 0): spiking_network()}, toy=Odd())
    assert tables.where(table, variant="mlp").empty


# Contrasts of two variants


def test_contrasts_between_spiking_network_and_control(energy_config):
    names = ("delete", "quantise")
    networks = {
        (variant, seed): make()
        for seed in (0, 1)
        for variant, make in (("spiking", spiking_network), ("mlp", mlp))
    }
    table, _, _ = probe(names, networks)
    rows = contrasts.cross_rows(table, talk(names), {"energy": energy_config})
    added = pd.DataFrame(rows, columns=list(tables.METRICS_COLUMNS))
    tables.check_metrics(added, "test")
    assert set(added["seed"]) == {0, 1}
    place = {"seed": 0, "locus": "mlp", "perturbation": "ops_fp32"}
    # 8 MACs of 4.6 pJ against 8 accumulations of 0.9 pJ.
    assert value(added, "energy_ratio", **place) == pytest.approx(4.6 / 0.9)
    assert value(added, "density_break_even", **place) == pytest.approx(4.6 / 0.9)
    place = {"seed": 0, "perturbation": "ops_fp32", "variant": "spiking"}
    assert value(added, "energy", **place) == pytest.approx(8 * 0.9)
    advantage = value(
        added, "robustness_advantage", seed=1, perturbation="delete", locus="hidden/mlp"
    )
    areas = [
        value(table, "robustness_area", seed=1, perturbation="delete", locus="hidden", variant=name)
        for name in ("spiking", "mlp")
    ]
    assert advantage == pytest.approx(areas[0] - areas[1])
    assert not tables.where(added, metric="energy_ratio_variation").empty
    keys = [c for c in tables.METRICS_COLUMNS if c not in ("value", "unit", "trials")]
    assert not added.duplicated(keys).any()


def test_no_control_no_ratio(energy_config):
    table, _, _ = probe(())
    rows = contrasts.cross_rows(table, talk(()), {"energy": energy_config})
    assert {row["metric"] for row in rows} == {"energy"}


# Continuous outputs


class ToyWave(ToyTalk):
    """Two channels of a driven wave; the noise of the output depends on a weight."""

    fresh = False

    def make_task(self, params, split, streams):
        if split == "fresh":
            return None
        t = np.arange(200.0)
        wave = np.stack([np.sin(t / 7), np.cos(t / 11)], axis=1)
        spikes = Spikes.from_first_spikes(np.full((3, K), 1.0), DURATION)
        targets = np.broadcast_to(wave, (3, 200, 2)).copy()
        return Task(Stimulus({"input": spikes}), targets, 0, dt_ms=1.0)

    def decode(self, params, recording, task):
        share = recording.spikes["hidden"].counts().mean(axis=1)
        return Traces(share[:, None, None] * task.targets, task.targets, 1.0)

    def evaluate(self, params, variant, network, task):
        return Traces(task.targets, task.targets, 1.0)


def test_continuous_outputs():
    table, arrays, _ = probe(("delete", "swap_trials"), toy=ToyWave())
    assert value(table, "score") == 1.0
    assert value(table, "correlation") == pytest.approx(1.0)
    assert value(table, "nrmse") == 0.0
    assert value(table, "score_difference") == 0.0
    assert 0 < value(table, "chance") < 0.35
    place = {"perturbation": "delete", "locus": "input", "strength": 1.0}
    assert value(table, "score", **place) == 0.0
    # There are no classes, so no trial can be swapped within one.
    assert tables.where(table, perturbation="swap_trials").empty
    assert tables.where(table, metric=["accuracy", "t95", "timing_information"]).empty
    assert not any(name.startswith("anytime") for name in arrays)


def test_an_engine_of_its_own_is_not_required():
    class Only(ToyWave):
        def evaluate(self, params, variant, network, task):
            return None

    table, _, _ = probe((), toy=Only())
    assert value(table, "score") == 1.0
    assert tables.where(table, metric="score_difference").empty


def test_what_does_not_spike_meets_no_simulator():
    class Rate(ToyTalk):
        def to_brian(self, params):
            raise AssertionError("nothing to simulate")

        def exhibits(self, params, networks, simulate, streams):
            with pytest.raises(UserError, match="is not simulated"):
                simulate(networks["spiking", 0], None)
            return {"shown": np.ones(1)}

    rows, arrays = battery.probe(
        cast("Any", Rate()),
        PARAMS,
        replace(experiment(()), simulated=False),
        {("spiking", 0): Network({}, {"engine": "numpy", "counts": {"macs_dense": 5.0}})},
        CONFIG,
        None,
        lambda share, news: None,
        tau_char_ms=TAU,
    )
    assert [(row["metric"], row["engine"]) for row in rows] == [("macs_dense", "numpy")]
    assert list(arrays) == ["shown"]


def test_scores_agree_with_scoring():
    table, _, _ = probe(())
    task = ToyTalk().make_task(PARAMS, "test", Streams(0))
    outcome = ToyTalk().evaluate(PARAMS, "spiking", spiking_network(), task)
    assert value(table, "chance") == scoring.chance(outcome)
