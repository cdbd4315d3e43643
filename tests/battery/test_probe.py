"""The probe loop on the toy talk: the clean run, perturbations, parity, subsets of trials."""

from dataclasses import replace

import numpy as np
import pytest
from made.toy_talk import (
    CONFIG,
    DURATION,
    PARAMS,
    SPIKES_ONLY,
    TAU,
    K,
    ToyTalk,
    ToyThreshold,
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
        for metric in ("isi_cv", "isi_cv_trial", "isi_lv"):
            assert np.isnan(value(table, metric, locus=name))
        assert value(table, "burst_fraction", locus=name) == 0.0
    # All fire in every trial: equal rates, and no count that varies. 20 ms are no timescale.
    for metric in ("count_correlation", "count_correlation_within", "timescale", "rate_spread"):
        (own,) = tables.where(table, metric=metric, locus="hidden")["value"]
        assert np.isnan(own)
        assert tables.where(table, metric=metric, locus="input").empty


def test_trials_behind_each_row(probed):
    table, _, _ = probed
    assert tables.where(table, metric="accuracy", perturbation="none")["trials"].tolist() == [200]
    assert tables.where(table, metric="accuracy_fresh")["trials"].tolist() == [80]
    perturbed = tables.where(table, perturbation="jitter", metric="score")
    assert set(perturbed["trials"]) == {60}


def test_no_two_rows_share_a_key(probed):
    table, _, _ = probed
    keys = [c for c in columns.METRICS.names if c not in ("value", "unit", "trials")]
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
            return task and trial_subsets.select_task(task, np.arange(self.n))

        n = battery.FEW_TRIALS

    few, many = Few(), Few()
    many.n = battery.FEW_TRIALS + 1
    calls = [len(probe((), toy=toy)[2].calls) for toy in (few, many)]
    assert calls == [1, 2]


def test_other_stimuli_are_not_taken_for_the_same():
    task = ToyTalk().make_task(PARAMS, "test", Streams(0))
    some = trial_subsets.select_task(task, np.arange(5))
    later = replace(
        some.stimulus.spikes["input"], times_ms=some.stimulus.spikes["input"].times_ms + 1
    )
    assert trial_subsets.same_stimulus(some, trial_subsets.select_task(task, np.arange(5)))
    assert not trial_subsets.same_stimulus(some, trial_subsets.select_task(task, np.arange(4)))
    assert not trial_subsets.same_stimulus(some, replace(some, stimulus=Stimulus({"input": later})))
    assert not trial_subsets.same_stimulus(some, replace(some, stimulus=Stimulus()))
    ones, twos = (replace(some, stimulus=Stimulus(arrays={"a": np.full(3, k)})) for k in (1, 2))
    assert not trial_subsets.same_stimulus(ones, twos)
    assert trial_subsets.same_stimulus(ones, ones)


def test_the_battery_may_be_for_some_spiking_variants_only():
    one = experiment(("jitter",)).model_copy(update={"battery_of": ("other",)})
    assert not one.perturbed("spiking")
    assert one.model_copy(update={"battery_of": ("spiking",)}).perturbed("spiking")
    assert one.model_copy(update={"battery_of": ()}).perturbed("spiking")
    assert not one.perturbed("ablated")


def test_an_ablation_is_measured_but_not_perturbed():
    """Its clean run and the talk's own conditions: what one asks an ablation for."""
    toy = ToyTalk()
    toy.own = (Condition("shift", "input", 3.0),)
    networks = {("spiking", 0): spiking_network(), ("ablated", 0): spiking_network()}
    table, _, _ = probe(("jitter",), networks, toy=toy, half_step=(PARAMS, ToyThreshold()))
    spiking, ablated = (tables.where(table, variant=name) for name in ("spiking", "ablated"))
    assert set(ablated["perturbation"]) == {"none", "part", "shift"}
    assert set(spiking["perturbation"]) == {"none", "part", "shift", "jitter"}
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


def test_a_whole_test_set_is_perturbed_where_talk_yaml_says_so():
    asked = experiment(("jitter",)).model_copy(update={"whole_test": True})
    for described, n in ((experiment(("jitter",)), CONFIG["trials"]), (asked, 200)):
        rows, _ = battery.probe(
            ToyTalk(), PARAMS, plans.measuring(described, PARAMS, TAU),
            {("spiking", 0): spiking_network()}, CONFIG, ToyThreshold(), lambda share, news: None,
        )  # fmt: skip
        perturbed = [row for row in rows if row["perturbation"] == "jitter"]
        assert {row["trials"] for row in perturbed} == {n}


def test_half_step():
    table, _, _ = probe((), half_step=(PARAMS, ToyThreshold()))
    assert value(table, "dt_sensitivity") == 0.0


def test_the_subsample_depends_on_the_seed_only():
    a = trial_subsets.chosen_trials(1000, 50, Streams(3))
    assert np.array_equal(a, trial_subsets.chosen_trials(1000, 50, Streams(3)))
    assert not np.array_equal(a, trial_subsets.chosen_trials(1000, 50, Streams(4)))
    assert np.unique(a).size == 50
    assert trial_subsets.chosen_trials(5, 50, Streams(0)).tolist() == [0, 1, 2, 3, 4]


def test_select_task_keeps_shared_arrays():
    shared, own = np.zeros((7, 2)), np.arange(30.0).reshape(3, 5, 2)
    task = Task(Stimulus(arrays={"a": shared, "b": own}), np.arange(3), 3)
    picked = trial_subsets.select_task(task, np.array([2, 2]))
    assert picked.stimulus.arrays["a"] is shared
    assert np.array_equal(picked.stimulus.arrays["b"], own[[2, 2]])
    assert picked.targets.tolist() == [2, 2]
