"""Training time, engines and nervous systems, on made-up tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made.markup import plain

from whyspiking.declared import registry
from whyspiking.report import learning_section, nervous_systems
from whyspiking.verdicts import biology, costs
from whyspiking.verdicts.described import described

TALKS = {name: registry.load_talk(name) for name in ("goeltz", "comsa")}


def rows(*entries, **shared):
    """Rows of the metrics table: (variant, seed, metric, value)."""
    base = {
        "talk": "goeltz", "experiment": "yinyang", "engine": "brian2", "perturbation": "none",
        "location": "", "strength": 0.0, "unit": "1", "n_trials": 100,
    }  # fmt: skip
    return pd.DataFrame(
        [
            {**base, **shared, "variant": variant, "seed": seed, "metric": metric, "value": value}
            for variant, seed, metric, value in entries
        ]
    )


# training time


def test_training_time_is_a_ratio_paired_by_seed():
    seconds = [("spiking", 0, 20.0), ("mlp", 0, 2.0), ("spiking", 1, 40.0), ("mlp", 1, 4.0)]
    table = rows(*((v, s, "train_cpu_seconds", x) for v, s, x in seconds))
    (ratio,) = costs.training_ratios(described(table, TALKS))
    assert ratio["value"] == pytest.approx(10)
    assert (ratio["control"], ratio["favours_spikes"]) == ("mlp", "no")
    summed = costs.costs(described(table, TALKS))
    said = learning_section.training_sentence(summed)
    assert "in 1 of 1 comparisons, and less in none" in said
    assert "median ratio is 10." in said
    other = [("spiking", 0, "train_cpu_seconds", 9.0), ("mlp", 0, "train_cpu_seconds", 3.0)]
    both = pd.concat([table, rows(*other, talk="neftci", experiment="nmnist")])
    talks = {**TALKS, "neftci": registry.load_talk("neftci")}
    median = costs.costs(described(both, talks)).iloc[-1]
    assert (median["talk"], median["n_seeds"], median["value"]) == ("", 2, pytest.approx(6.5))


def test_a_copied_network_has_no_training_time_though_it_be_one_seed():
    copied = ("spiking", 0, "train_cpu_seconds", 0.001), ("spiking", 1, "train_cpu_seconds", 9.0)
    table = rows(*copied, *(("mlp", seed, "train_cpu_seconds", 2.0) for seed in (0, 1)))
    summed = costs.costs(described(table, TALKS))
    assert summed["variant"].tolist() == ["mlp"]
    assert learning_section.training_sentence(summed) == ""


@pytest.mark.parametrize(("synapses", "counts"), [(6.0, 0), (50.0, 1), (None, 1), (900.0, 0)])
def test_only_controls_without_spikes_and_of_the_size_count_each_once(synapses, counts):
    """All networks of substrates have spikes; a network without leak is no control of its twin."""
    seconds = [
        (v, s, "train_cpu_seconds", x) for v, x in (("adapted", 8), ("sham", 7)) for s in (0, 1)
    ]
    assert not [*costs.training_ratios(described(rows(*seconds, experiment="substrates"), TALKS))]
    talks = {"masquelier": registry.load_talk("masquelier")}
    found = [("spiking", 0, "synapses", 80.0), ("if_neuron", 0, "synapses", 80.0)]
    found += [("conv", 0, "synapses", synapses)] if synapses else []
    found += [
        (v, 0, "train_cpu_seconds", x) for v, x in (("spiking", 6.0), ("if_neuron", 8), ("conv", 2))
    ]
    table = described(rows(*found, talk="masquelier", experiment="words"), talks)
    assert [row["value"] for row in costs.training_ratios(table)] == pytest.approx([3.0] * counts)


# engines

LIMITS = {"equal_decisions": 0.99, "score_difference": 0.005}


@pytest.mark.parametrize(
    ("decisions", "difference", "equal"),
    [(1.0, 0.0, True), (0.98, 0.0, False), (1.0, -0.02, False), (np.nan, 0.001, True)],
)
def test_engines_are_equal_if_the_worst_network_is(decisions, difference, equal):
    measured = {"equal_decisions": (1.0, decisions), "score_difference": (0.0, difference)}
    table = rows(*(("spiking", s, m, own[s]) for m, own in measured.items() for s in (0, 1)))
    parity = costs.parity(table, LIMITS)
    (found,) = parity.to_dict("records")
    assert (found["within_limits"], found["n_networks"]) == (equal, 2)


# nervous systems


def beside(metrics, talks=TALKS):
    return biology.beside(described(metrics, talks))


def test_published_ranges_have_sources():
    ranges, tau = biology.stated().ranges, biology.stated().tau_ms
    for entry in ranges:
        assert entry.minimum < entry.maximum
        assert len(entry.citation) > 10 and entry.url.startswith("https://")
    assert tau.minimum <= tau.value <= tau.maximum
    assert {entry.metric for entry in ranges} >= {"rate", "activation_sparsity", "isi_cv", "t95"}


def test_rates_and_times_are_rescaled_by_the_characteristic_time():
    table = pd.concat([rows(("spiking", 0, "rate", 200.0)), rows(("spiking", 0, "t95", 2.0))])
    found = beside(table).groupby("metric").first()
    # One characteristic time of goeltz, 1 ms, becomes 10 ms.
    assert found.loc["rate", "rescaled_minimum"] == pytest.approx(20.0)
    assert found.loc["t95", "rescaled_minimum"] == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("low", "high", "place"),
    [(1, 2, "inside"), (0.001, 2, "partly inside"), (60, 70, "above"), (0.001, 0.002, "below")],
)
def test_place_beside_the_published_range(low, high, place):
    entry = biology.Range.model_construct(time_scaling="none", minimum=0.01, maximum=50)
    assert entry.place(low, high) == place


def test_networks_of_other_rules_are_not_pooled():
    talks = {"scherr": registry.load_talk("scherr")}
    place = {"talk": "scherr", "experiment": "evidence"}
    rates = (("spiking", 8.0), ("random", 6.0), ("bptt", 4.0))
    table = rows(*((variant, 0, "rate", x) for variant, x in rates), **place)
    found = beside(table, talks).iloc[0]
    assert (found["minimum"], found["maximum"], found["n_populations"]) == (4.0, 8.0, 3)


def test_rates_and_irregularity_stand_beside_ranges_that_were_read():
    table = rows(("spiking", 0, "rate", 20.0), ("spiking", 1, "rate", 22.0))
    found = beside(
        pd.concat([table, table.assign(talk="comsa", experiment="mnist_slow", value=90.0)])
    )
    said = plain(nervous_systems.answer(found, TALKS))
    assert "all networks of 1 of 2 talks lie within the published range" in said
    assert "published range 0.01 to 50 Hz" in said
    for name, value in (("Göltz", "21"), ("Comșa", "90")):
        assert f"{name} {value} to {value} –" in said
    read = {entry.metric: entry.known_from for entry in nervous_systems._select_ranges()}
    assert set(read) == set(nervous_systems.SHOWN) and "recalled" not in read.values()


def test_acuity_is_asked_under_jitter_wherever_it_is_and_may_not_be_reached():
    """Under a perturbation the location is where the spikes were moved, not a population."""
    clean = rows(("spiking", 0, "sigma50", 3.0))
    assert beside(clean).empty
    moved = [
        rows(("spiking", 0, "sigma50", x), ("spiking", 1, "sigma50", y), perturbation="jitter",
             location=location)
        for location, x, y in (("input", 2.0, 4.0), ("hidden", 5.0, np.inf))
    ]  # fmt: skip
    (found,) = beside(pd.concat(moved)).to_dict("records")
    assert (found["minimum"], found["maximum"], found["position"]) == (3.0, np.inf, "partly inside")


def test_quantities_count_where_they_are_those_of_the_network():
    sent_in = rows(("spiking", 0, "isi_cv", 10.0), location="input")
    for location, counted in (("input", False), ("events", False), ("hidden", True)):
        assert beside(sent_in.assign(location=location)).empty != counted
    bursts = rows(("spiking", 0, "burst_fraction", 0.2), location="neurons")
    assert beside(bursts).empty, "asked of some talks only"
    talks = {"naud": registry.load_talk("naud")}
    naud = bursts.assign(talk="naud", experiment="multiplexing")
    assert beside(naud, talks)["position"].tolist() == ["inside"]


def test_what_joint_tables_state_belongs_to_the_page():
    from whyspiking.running import code_inputs

    stated = code_inputs.of_joint_tables()
    names = {Path(path).name: path for path in stated}
    assert set(names) == {"biology.yaml", "task.yaml", "protocol.yaml"}
    assert set(stated) - {names["protocol.yaml"]} <= set(code_inputs.of_stage("page"))
