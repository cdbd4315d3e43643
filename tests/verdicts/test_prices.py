"""Prices on shared tasks: which control they are held against, and each number by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made.common_ground import CONFIG, experiment, metrics, talk
from made.measured import row, table

from whyspiking.declared import registry
from whyspiking.declared.variants import Sizes
from whyspiking.measures import energy
from whyspiking.measures.energy import ControlCounts, SpikingCounts
from whyspiking.records import columns, tables
from whyspiking.verdicts import prices
from whyspiking.verdicts.prices import NOT_EQUAL

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
SHARES = Sizes(parameter="n_hidden", of={"mlp": (0.1, 0.4)}, first_seeds=2)
COUNTS = {"macs_effective": 100.0, "macs_dense": 200.0, "neuron_updates": 60.0, "synapses": 150.0}
SPENT = {
    "spikes": 50.0, "syn_events": 1000.0, "neuron_updates": 600.0, "neuron_updates_event": 300.0,
    "macs_effective": 0.0, "spikes_hidden": 30.0, "decision_time": 12.0, "synapses": 900.0,
    "connection_sparsity": 0.1, "train_cpu_seconds": 4.0,
}  # fmt: skip
STATES = {"state_updates": 1200.0, "state_updates_event": 900.0}


def sized(home, **shares):
    """An experiment with its ReLU network at further sizes: name -> share."""
    for share in shares.values():
        smaller = home.variants["mlp"].at(share, SHARES)
        home.variants[smaller.name] = smaller
    return home


def priced(talks, *measured):
    found = table(*measured)
    of = prices.prices(found, talks, CONFIG)
    assert list(of.columns) == columns.PRICES.names
    return {(r["talk"], r["variant"]): r for r in of.to_dict("records")}


HOME = sized(experiment("home", "randman", ["mlp", "mlp_steps"]), tenth=0.1, some=0.4)


def controls(tenth, some, whole, steps=0.5):
    """Rows of the ReLU network at three sizes, and of the one that is told less."""
    made = (("mlp_at_10", tenth, 150), ("mlp_at_40", some, 600), ("mlp", whole, 1500))
    rows = [metrics(HOME, "mlp_steps", [steps] * 2, **COUNTS, parameters=1400.0)]
    return [
        *rows,
        *(metrics(HOME, name, [x] * 2, **COUNTS, parameters=float(n)) for name, x, n in made),
    ]


@pytest.mark.parametrize(
    ("scores", "control", "how", "counted"),
    [
        ((0.70, 0.81, 0.95), "mlp_at_40", "equal within delta", "yes"),
        ((0.70, 0.79, 0.95), "mlp_at_40", "equal within delta", "yes"),
        ((0.79, 0.81, 0.95), "mlp_at_10", "equal within delta", "yes"),
        ((0.70, 0.77, 0.95), "mlp", "better", NOT_EQUAL),
        ((0.90, 0.92, 0.95), "mlp", "better", NOT_EQUAL),
        ((0.60, 0.65, 0.70), "mlp", "worse", NOT_EQUAL),
    ],
)
def test_equal_is_within_delta_either_way_and_the_smallest_such_is_named(
    scores, control, how, counted
):
    own = experiment("made", "randman", ["spiking"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    rows = priced(talks, *controls(*scores), metrics(own, "spiking", [0.79, 0.81], **SPENT))
    found = rows["made", "spiking"]
    assert (found["control"], found["control_is"], found["counted"]) == (control, how, counted)
    assert found["control_parameters"] == {"mlp": 1500, "mlp_at_40": 600, "mlp_at_10": 150}[control]


def test_no_control_is_told_more_than_its_method():
    """A small one that is told times whole does not count for who is told steps of 1 ms."""
    own = experiment("made", "randman", ["spiking"], shared={"input_step_ms": 1.0})
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    spiking = metrics(own, "spiking", [0.8, 0.8], **SPENT)
    found = priced(talks, *controls(0.9, 0.9, 0.9, steps=0.81), spiking)["made", "spiking"]
    assert (found["control"], found["control_accuracy"]) == ("mlp_steps", pytest.approx(0.81))


def test_equal_near_guessing_is_no_equality():
    """Guessing is 0.1 and the best 0.95, so half-way is 0.525."""
    own = experiment("made", "randman", ["spiking"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    for score, counted in ((0.52, NOT_EQUAL), (0.53, "yes")):
        spiking = metrics(own, "spiking", [score] * 2, **SPENT)
        found = priced(talks, *controls(score, 0.8, 0.95), spiking)["made", "spiking"]
        assert found["counted"] == counted
    one = metrics(own, "spiking", [0.8], **SPENT)
    assert (
        priced(talks, *controls(0.8, 0.8, 0.95), one)["made", "spiking"]["counted"] == "one network"
    )


def test_the_graded_twin_is_a_network_without_spikes_and_the_cheapest_of_the_equal_counts():
    own = experiment("made", "randman", ["spiking", "graded"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    spiking = metrics(own, "spiking", [0.8, 0.8], **SPENT, **STATES)
    dear, cheap = ({name: factor * x for name, x in COUNTS.items()} for factor in (1e6, 1e-3))
    alone = [*controls(0.5, 0.6, 0.9), metrics(own, "graded", [0.81, 0.81], **dear)]
    found = priced(talks, *alone, spiking)["made", "spiking"]
    assert (found["control"], found["counted"], found["energy"]) == ("graded", "yes", "cheaper")
    both = [*controls(0.5, 0.81, 0.9), metrics(own, "graded", [0.81, 0.81], **cheap)]
    found = priced(talks, *both, spiking)["made", "spiking"]
    assert (found["counted"], found["energy"]) == ("yes", "dearer")


def test_a_control_of_fewer_seeds_is_held_against_the_same_seeds():
    own = experiment("made", "randman", ["spiking"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    none = metrics(HOME, "mlp_at_10", [0.3, 0.3], **COUNTS, parameters=150.0)
    small = metrics(HOME, "mlp_at_40", [0.89], **COUNTS, parameters=600.0)
    whole = metrics(HOME, "mlp", [0.95, 0.97], **COUNTS, parameters=1500.0)
    found = priced(talks, none, small, whole, metrics(own, "spiking", [0.90, 0.99], **SPENT))
    assert found["made", "spiking"]["control"] == "mlp_at_40"
    assert found["made", "spiking"]["control_is"] == "equal within delta"


def test_energy_is_the_controls_over_ours_and_an_ablation_has_the_states_of_its_network():
    """The largest is that of 32-bit integers by hand: 100 x 3.2 pJ over 1,000 x 0.1 pJ."""
    own = experiment("made", "randman", ["spiking", "bptt"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    one = metrics(own, "spiking", [0.8, 0.8], **SPENT, **STATES)
    other = metrics(own, "bptt", [0.8, 0.8], **SPENT)
    rows = priced(talks, *controls(0.5, 0.81, 0.9), one, other)
    spiking, bptt = rows["made", "spiking"], rows["made", "bptt"]
    counts = SpikingCounts(50.0, 1000.0, 600.0, 300.0, 0.0, 1200.0, 900.0)
    control = ControlCounts(100.0, 200.0, 60.0, 150.0)
    block = CONFIG["energy"]
    of = {m.id: energy.ratio(counts, control, m, block) for m in energy.cost_models(block)}
    ranked = sorted(of, key=lambda name: of[name])
    ends = {"least": ranked[0], "median": ranked[(len(of) - 1) // 2], "largest": ranked[-1]}
    for end, model in ends.items():
        assert spiking[f"energy_{end}_model"] == model
        assert spiking[f"energy_{end}"] == pytest.approx(of[model])
        assert bptt[f"energy_{end}"] == pytest.approx(of[model])
    assert ends["largest"] == "ops_int32" and of["ops_int32"] == pytest.approx(3.2)
    assert spiking["energy"] == "depends"
    # 50 hidden and 10 output neurons, each with two variables beside the membrane.
    assert spiking["state"] == bptt["state"] == 60 * 3


def test_a_side_is_cheaper_only_where_all_cost_models_agree():
    own = experiment("made", "randman", ["spiking"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    few = {**SPENT, **dict.fromkeys(("spikes", "syn_events", "neuron_updates_event"), 1.0)}
    few |= {"neuron_updates": 1.0}
    many = {**SPENT, "syn_events": 1e5}
    words = [
        priced(talks, *controls(0.5, 0.81, 0.9), metrics(own, "spiking", [0.8, 0.8], **spent))
        for spent in (few, many)
    ]
    assert [w["made", "spiking"]["energy"] for w in words] == ["cheaper", "dearer"]


def test_every_number_by_hand_and_a_reason_for_each_that_is_missing():
    """Twenty inputs, 50 hidden and 10 output neurons; the model takes 25 ms for 50 of the task."""
    own = experiment(
        "made", "randman", ["spiking", "graded", "rates"], shared={"model_window_ms": 25.0}
    )
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    place: dict[str, Any] = {"talk": "made", "experiment": own.name, "variant": "spiking"}
    place |= {"locus": "input"}
    doses = [
        *row({"sigma50": 3.0}, 100, perturbation="jitter", **place),
        *row({"half_dose": np.inf}, 100, perturbation="delete", **place),
    ]
    found = priced(
        talks,
        *controls(0.5, 0.81, 0.9),
        metrics(own, "spiking", [0.8, 0.8], **SPENT, **STATES),
        metrics(own, "graded", [0.7, 0.7], **COUNTS, message_bits=700.0, decision_time=20.0),
        metrics(own, "rates", [0.8, 0.8], train_cpu_seconds=1.0),
        doses,
    )
    spiking, twin, rates = (found["made", v] for v in ("spiking", "graded", "rates"))
    assert spiking["bits"] == pytest.approx(30 * np.log2(50)) and twin["bits"] == 700
    assert (spiking["decision_ms"], twin["decision_ms"], rates["decision_ms"]) == (24, 40, 50)
    assert (spiking["state"], twin["state"], rates["state"]) == (180, 180, 20)
    assert spiking["parameters"] == 1000 and rates["parameters"] == 50 * (20 + 10)
    assert (spiking["jitter_ms"], spiking["deletion"], spiking["why"]) == (6.0, np.inf, "")
    assert (spiking["train_cpu_seconds"], spiking["control_state"]) == (4.0, 20)
    assert (twin["kind"], twin["counted"], rates["counted"]) == ("twin", "", "no spikes")
    assert (twin["control"], twin["control_is"], rates["energy"]) == ("mlp", "better", "")
    assert twin["energy"] != ""
    assert "energy: not all operations were counted" in rates["why"]
    assert "jitter: not perturbed" in rates["why"]


def test_who_has_no_control_or_no_energy_is_not_counted():
    own = experiment("made", "randman", ["spiking"])
    guess = metrics(own, "spiking", [0.05, 0.15, 0.1], **SPENT)
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    silent = metrics(own, "spiking", [0.8, 0.8])
    found = priced(talks, *controls(0.05, 0.81, 0.9), silent)["made", "spiking"]
    assert (found["energy"], found["counted"]) == ("", "no energy")
    alone = priced({"made": talk("made", own)}, guess)["made", "spiking"]
    assert (alone["control"], alone["energy"], alone["counted"]) == ("", "", NOT_EQUAL)
    assert alone["why"].startswith("energy: no matched control")


def test_recorded_prices_are_the_recorded_energies_where_both_were_worked_out():
    """Network and control of one experiment: energy.csv has their ratios by another way."""
    config = json.loads((REFERENCE / "manifest.json").read_text(encoding="utf-8"))["config"]
    talks = {name: registry.load_talk(name) for name in config["talks"]}
    metric_rows = tables.read_metrics([REFERENCE / name / "metrics.csv" for name in talks])
    shared = tables.read(REFERENCE / "shared.csv", columns.SHARED)
    found = prices.prices(metric_rows, talks, config)
    methods = shared[shared["kind"].isin(("method", "twin"))]
    assert len(found) == len(methods) and found["accuracy"].notna().all()
    compared = 0
    for name in talks:
        ratios = tables.read(REFERENCE / name / "energy.csv", columns.ENERGY)
        for own in tables.where(found, talk=name, kind="method").to_dict("records"):
            place = {"experiment": own["experiment"], "variant": own["variant"]}
            rows = tables.where(ratios, **place, locus=own["control"], factor="")
            # Where several are equal, each cost model has its own.
            if own["control_is"] != "equal within delta" and not rows.empty:
                ends = rows["mean"].min(), rows["mean"].max()
                assert (own["energy_least"], own["energy_largest"]) == pytest.approx(ends, rel=1e-6)
                compared += 1
    assert compared > 2
