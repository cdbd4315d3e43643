"""The probe loop on the toy talk: the clean run, perturbations, parity, subsets of trials."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made.toy_talk import (
    CONFIG,
    DURATION,
    PARAMS,
    SPIKES_ONLY,
    TAU,
    K,
    ToyMachine,
    ToyTalk,
    described,
    experiment,
    probe,
    spiking_network,
    value,
)

from whyspiking.battery import conditions
from whyspiking.battery import probe as battery
from whyspiking.contract import trial_subsets
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Condition, Recording, Stimulus, Task
from whyspiking.declared import plans
from whyspiking.errors import UserError
from whyspiking.records import columns, tables


def values(table, **place):
    """Metric -> value of one place."""
    rows = tables.where(table, **{"perturbation": "none", "location": "", **place})
    return dict(zip(rows["metric"], rows["value"], strict=True))


@pytest.fixture(scope="module")
def probed():
    return probe((*SPIKES_ONLY, "shuffle_window", "swap_trials", "insert", "quantise", "mismatch"))


def test_the_clean_run_and_its_parity(probed):
    table, arrays, _ = probed
    clean = values(table)
    exact = {
        "accuracy": 1.0, "score": 1.0, "undecided": 0.0, "normalised_score": 1.0,
        "accuracy_fresh": 1.0, "spikes": 8.0, "syn_events": 8.0, "density": 1.0,
        "neuron_updates": 8 * 40,
        # Only the deciding input and its hidden neuron fire before the decision: 2 bit in 2 spikes.
        "spikes_to_decision": 2.0, "events_to_decision": 2.0,
    }  # fmt: skip
    assert {name: clean[name] for name in exact} == exact
    assert 4.0 < clean["decision_time"] < clean["t95"] < 6.0
    assert clean["speed_area"] == pytest.approx(1 - clean["decision_time"] / 20, 0.01)
    # Every input and hidden neuron has one target and its own time: one update each.
    assert clean["neuron_updates_event"] == pytest.approx(8.0, abs=0.6)
    assert clean["information_per_spike"] == pytest.approx(1.0, rel=0.03)
    assert arrays["anytime.spiking.0"][[0, -1]].tolist() == [0.25, 1.0]
    assert arrays["first"].shape == (200, K)
    keys = [c for c in columns.METRICS.names if c not in ("value", "unit", "n_trials")]
    assert not table.duplicated(keys).any()
    # Against the other engine.
    expected = {
        "equal_decisions": 1.0, "score_difference": 0.0, "equal_spike_sets": 1.0,
        "spike_time_error": 0.25, "spike_time_error_hidden": 0.125,
    }  # fmt: skip
    assert {name: clean[name] for name in expected} == pytest.approx(expected)


def test_activity_of_every_population(probed):
    table, _, _ = probed
    nan = pytest.approx(np.nan, nan_ok=True)
    # Every neuron fires once in 20 ms.
    fires = {"rate_hz": pytest.approx(50.0), "active_share": 1.0, "burst_fraction": 0.0}
    fires |= dict.fromkeys(("isi_cv", "isi_cv_trial", "isi_lv"), nan)
    # All fire in every trial: equal rates, and no count that varies. 20 ms are no timescale.
    together = ("count_correlation", "count_correlation_within", "timescale", "rate_spread")
    for name in ("input", "hidden", "output"):
        found = values(table, location=name)
        expected = fires | dict.fromkeys(together if name != "input" else (), nan)
        assert {metric: found[metric] for metric in expected} == expected
        assert name != "input" or not found.keys() & set(together)


@pytest.mark.parametrize(
    ("place", "n_trials"),
    [
        ({"metric": "accuracy", "perturbation": "none"}, 200),
        ({"metric": "accuracy_fresh"}, 80),
        ({"metric": "score", "perturbation": "jitter"}, CONFIG["n_trials"]),
    ],
)
def test_trials_behind_each_row(probed, place, n_trials):
    assert set(tables.where(probed[0], **place)["n_trials"]) == {n_trials}


@pytest.mark.parametrize("location", ["input", "hidden"])
def test_a_timing_code_is_seen_as_one_that_single_neurons_have(probed, location):
    table, _, _ = probed
    # With redrawn times each of four outputs is first equally often.
    assert value(table, "timing_index", perturbation="shuffle", location=location) == pytest.approx(
        1.0, abs=0.15
    )
    assert value(table, "timing_information", location=location) > 0.9
    place = {"perturbation": "jitter", "location": location}
    small, large = (value(table, "score", **place, strength=level) for level in (0.01, 4.0))
    assert small > 0.95 > 0.7 > large
    sigma50 = value(table, "sigma50", **place)
    assert 0.02 < sigma50 <= 4.0 * TAU or sigma50 == np.inf
    assert value(table, "score", perturbation="swap_trials", location=location, strength=1.0) == 1.0


@pytest.mark.parametrize("location", ["input", "hidden"])
def test_deleting_everything_decides_nothing(probed, location):
    table, _, _ = probed
    place = {"perturbation": "delete", "location": location, "strength": 1.0}
    assert value(table, "undecided", **place) == 1.0
    assert value(table, "normalised_score", **place) == pytest.approx(-1 / 3)
    # Losing 20 % of the spikes loses the deciding one in a fifth of the trials.
    place["strength"] = 0.2
    assert value(table, "score", **place) == pytest.approx(0.8, abs=0.12)
    area = value(table, "robustness_area", perturbation="delete", location=location)
    parts = tables.where(table, metric="normalised_score", perturbation="delete", location=location)
    assert area == pytest.approx(parts["value"].mean())


def test_weights_and_neurons_are_perturbed_where_they_are(probed):
    table, _, machine = probed
    assert value(table, "score", perturbation="quantise", location="weights", strength=8.0) == 1.0
    assert value(table, "bits95", perturbation="quantise", location="weights") == 2
    locations = set(tables.where(table, perturbation="mismatch")["location"])
    assert locations == {"weights", "neurons"}
    changed = [values for _, values in machine.calls if not np.all(values["hidden.v_th"] == 1.0)]
    spread = [v["hidden.v_th"] for v in changed if v["hidden.v_th"].max() < 1e6]
    # Two levels of two draws each.
    assert len(spread) == len({tuple(v) for v in spread}) == 4


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
    place = {"perturbation": "jitter", "location": "hidden", "strength": 4.0}
    assert value(again, "score", **place) == value(table, "score", **place)


@pytest.fixture(scope="module")
def moved():
    names = ("shift", "jitter", "reverse")
    return probe(names), probe(("jitter",)), probe(names, config={"jitter": [1.0, 4.0]})


@pytest.mark.parametrize("location", ["input", "hidden"])
def test_where_every_neuron_fires_once_moving_trains_is_moving_spikes(moved, location):
    (_, _, apart), (before, _, alone), (table, _, machine) = moved
    place = {"location": location, "strength": 1.0}
    score = value(table, "normalised_score", perturbation="jitter", **place)
    assert value(table, "normalised_score", perturbation="shift", **place) == score < 1
    assert value(table, "shift_loss", perturbation="shift", location=location) == 1 - score
    # Not run again where jitter of that level has been; what was there before stays.
    assert len(machine.calls) == len(alone.calls) + 2
    assert len(apart.calls) == len(alone.calls) + 4
    place = {"perturbation": "jitter", "location": location, "strength": 4.0}
    assert value(table, "score", **place) == value(before, "score", **place)


@pytest.mark.parametrize("location", ["input", "hidden"])
def test_who_is_first_is_another_one_in_reversed_time(moved, location):
    table, _, machine = moved[0]
    # The first neuron becomes the last one.
    place = {"perturbation": "reverse", "location": location}
    assert value(table, "score", **place, strength=1.0) == 0.0
    assert value(table, "reversal_loss", **place) == pytest.approx(4 / 3)
    assert machine.calls[-2][0].spikes["input"].n_trials == CONFIG["n_trials"]  # one draw is all


def test_neither_labels_nor_traces_are_asked_for_in_reversed_time():
    asked = {"spike_locations": ["input"], "number_locations": []}
    for classification, n in ((True, 1), (False, 0)):
        planned = conditions.plan(["reverse"], CONFIG, classification=classification, **asked)
        assert len(planned) == n


def test_own_conditions_average_their_draws():
    toy = ToyTalk()
    toy.own = (
        Condition("shift", "input", 3.0, 0),
        Condition("shift", "input", 3.0, 1),
        Condition("shift", "input", 30.0, 0),
    )
    table, _, _ = probe((), toy=toy)
    place = {"perturbation": "shift", "location": "input"}
    assert value(table, "score", **place, strength=3.0) == 1.0
    assert value(table, "undecided", **place, strength=30.0) == 1.0
    assert value(table, "output_frequency", **place, strength=30.0) == 30.0
    assert value(table, "output_frequency") == 0.0


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
    place = {"perturbation": "shuffle", "location": "readout"}
    assert value(table, "score", **place, strength=1.0) == 0.0
    assert value(table, "timing_index", **place) == pytest.approx(4 / 3)
    assert value(table, "score", perturbation="shift", location="input", strength=3.0) == 1.0
    assert tables.where(table, metric="accuracy_fresh").empty
    # The clean run, the shifted one, and the exhibits.
    assert len(machine.calls) == 3


def test_figures_get_the_clean_run_again_where_it_is_small():
    class Few(ToyTalk):
        fresh = False

        def make_task(self, params, split, streams):
            task = super().make_task(params, split, streams)
            return task and trial_subsets.select_task(task, np.arange(self.n))

        n = battery.FEW_TRIALS

    few, many = Few(), Few()
    many.n = battery.FEW_TRIALS + 1
    calls = [len(probe((), toy=toy)[2].calls) for toy in (few, many)]
    assert calls == [1, 2]


def test_other_stimuli_are_not_taken_for_the_same():
    task = ToyTalk().make_task(PARAMS, "test", Streams(0))
    some = trial_subsets.select_task(task, np.arange(5))
    spikes = some.stimulus.spikes["input"]
    later = replace(spikes, times_ms=spikes.times_ms + 1)
    others = [{"input": later}, {}, {"input": spikes.select_trials(np.arange(4))}]
    for other in (Stimulus(trains) for trains in others):
        assert not trial_subsets.same_stimulus(some, replace(some, stimulus=other))
    ones, twos = (replace(some, stimulus=Stimulus(arrays={"a": np.full(3, k)})) for k in (1, 2))
    assert not trial_subsets.same_stimulus(ones, twos)
    for one, same in ((ones, ones), (some, trial_subsets.select_task(task, np.arange(5)))):
        assert trial_subsets.same_stimulus(one, same)


def test_the_battery_may_be_for_some_spiking_variants_only():
    roles = {"chosen": "spiking", "other": "spiking", "mlp": "control", "ablated": "ablation"}
    variants = {
        name: {"variant_role": role, "description": "A network."} for name, role in roles.items()
    }
    for given, other in ((["jitter"], ["jitter"]), ({"chosen": ["jitter"]}, [])):
        plan = plans.measuring(described(robustness_tests=given, variants=variants), PARAMS, TAU)
        told = {name: own["perturbations"] for name, own in plan["variants"].items()}
        assert told == {"chosen": ["jitter"], "other": other, "mlp": ["jitter"], "ablated": []}


def test_the_battery_says_whether_half_the_time_step_is_tried():
    for given in (["jitter"], ["jitter", "half_step"]):
        plan = plans.measuring(experiment(given), PARAMS, TAU)
        assert plan["half_step"] == ("half_step" in given)
        assert plan["variants"]["spiking"]["perturbations"] == ["jitter"]


def test_an_ablation_is_measured_but_not_perturbed():
    """Its clean run and the talk's own conditions: what one asks an ablation for."""
    toy = ToyTalk()
    toy.own = (Condition("shift", "input", 3.0),)
    networks = {("spiking", 0): spiking_network(), ("ablated", 0): spiking_network()}
    table, _, _ = probe(("jitter",), networks, toy=toy, half_step=ToyMachine())
    spiking, ablated = (tables.where(table, variant=name) for name in ("spiking", "ablated"))
    assert set(ablated["perturbation"]) == {"none", "part", "shift"}
    assert set(spiking["perturbation"]) == {"none", "part", "shift", "jitter"}
    assert value(ablated, "accuracy") == value(spiking, "accuracy")
    assert value(spiking, "dt_sensitivity") == 0.0
    assert tables.where(ablated, metric="dt_sensitivity").empty


def test_a_variant_is_measured_with_its_own_settings():
    class Late(ToyTalk):
        def decode(self, params, recording, task):
            seen.append((params.late, params.dt_ms))
            found = super().decode(params, recording, task)
            return replace(found, decision_ms=found.decision_ms + params.late)

    seen = []
    two = described(
        parameters={
            name: {"value": value, "source": "made up here"}
            for name, value in (("late", 0.0), ("dt_ms", 0.5))
        },
        variants={
            "spiking": {"variant_role": "spiking", "description": "A network."},
            "later": {
                "variant_role": "spiking", "description": "A network.",
                "parameter_overrides": {"late": {"value": 3.0, "reason": "made up here"}},
            },
        },
    )  # fmt: skip
    params = replace(PARAMS, values=two.published)
    rows, _ = battery.probe(
        Late(), params, plans.measuring(two, params, TAU),
        {("spiking", 0): spiking_network(), ("later", 0): spiking_network()},
        CONFIG, ToyMachine(), lambda share, news: None, half_step=ToyMachine(),
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=columns.METRICS.names)
    times = [
        value(table, "decision_time", variant=name, engine="brian2")
        for name in ("spiking", "later")
    ]
    assert times[1] == pytest.approx(times[0] + 3.0)
    assert set(seen) == {(0.0, 0.5), (0.0, 0.25), (3.0, 0.5), (3.0, 0.25)}


def test_an_own_condition_must_not_repeat_a_common_one():
    toy = ToyTalk()
    toy.own = (Condition("jitter", "input", 4.0),)
    with pytest.raises(UserError, match="Rename it"):
        probe(("jitter",), toy=toy)


def test_a_missing_level_names_the_key():
    with pytest.raises(UserError, match=r"battery\.blur"):
        conditions.plan(
            ["blur"], CONFIG, spike_locations=[], number_locations=["weights"], classification=True
        )


def test_a_whole_test_set_is_perturbed_where_a_recovered_share_is_measured():
    spiking = {"variant_role": "spiking", "description": "A network."}
    further = {
        "variant_role": "ablation",
        "description": "The same, trained further.",
        "recovers_loss_of": "spiking",
    }
    asked = described(
        robustness_tests=("jitter",), variants={"spiking": spiking, "further": further}
    )
    for own, n in ((experiment(("jitter",)), CONFIG["n_trials"]), (asked, 200)):
        rows, _ = battery.probe(
            ToyTalk(), PARAMS, plans.measuring(own, PARAMS, TAU),
            {("spiking", 0): spiking_network()}, CONFIG, ToyMachine(), lambda share, news: None,
        )  # fmt: skip
        perturbed = [row for row in rows if row["perturbation"] == "jitter"]
        assert {row["n_trials"] for row in perturbed} == {n}


def test_the_subsample_depends_on_the_seed_only():
    chosen = [trial_subsets.chosen_trials(1000, 50, Streams(seed)).tolist() for seed in (3, 3, 4)]
    assert chosen[0] == chosen[1] != chosen[2] and len(set(chosen[0])) == 50
    assert trial_subsets.chosen_trials(5, 50, Streams(0)).tolist() == [0, 1, 2, 3, 4]


def test_select_task_keeps_shared_arrays():
    shared, own = np.zeros((7, 2)), np.arange(30.0).reshape(3, 5, 2)
    task = Task(Stimulus(arrays={"a": shared, "b": own}), np.arange(3), 3)
    picked = trial_subsets.select_task(task, np.array([2, 2]))
    assert picked.stimulus.arrays["a"] is shared
    assert np.array_equal(picked.stimulus.arrays["b"], own[[2, 2]])
    assert picked.targets.tolist() == [2, 2]
