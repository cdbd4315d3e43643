"""Points are what was measured: references by size and price, built networks, methods."""

import numpy as np
import pytest
from made.common_ground import CONFIG, experiment, metrics, talk
from made.measured import row, table

from whyspiking.errors import UserError
from whyspiking.records import columns, tables
from whyspiking.records.frontier_columns import POINTS
from whyspiking.verdicts import advantage, frontiers, points
from whyspiking.verdicts.described import described

BRIAN = {
    "spikes": 25.0, "spikes_hidden": 5.0, "syn_events": 130.0, "synapses": 40.0,
    "neuron_updates": 800.0, "neuron_updates_event": 90.0,
}  # fmt: skip
OWN = experiment("own", "yinyang", ["spiking", "bptt", "rates"])
STEPS, UNITS = 60, 20 + 3


UPDATED = {
    f"{x}_{end}": 9.0
    for x in ("updates", "multiplications")
    for end in ("event_driven", "clock_driven")
}


def reference(task, family, seed, units, price, values):
    place = {"talk": "ground", "experiment": f"{task}_trained", "variant": family, "seed": seed}
    place |= {"engine": "jax", "perturbation": f"spike_penalty_{price:g}", "strength": float(units)}
    return row(values, 100, **place)


def built(variant, values, engine, seeds=(0, 1), task="span_recall"):
    place = {"talk": "ground", "experiment": task, "variant": variant, "engine": engine}
    return [x for seed in seeds for x in row(values, 100, **place, seed=seed)]


def made(ground, *methods):
    talks = {"own": talk("own", OWN)}
    found = points.points(table(*ground), described(table(*methods), talks), talks, CONFIG)
    assert found.columns.to_list() == POINTS.names
    return found


def test_a_reference_is_told_as_it_was_measured_and_what_is_left_out_is_zero():
    values = {"accuracy": 0.9, "validation_accuracy": 0.8, "acs": 7.0, "n_parameters": 11.0}
    values |= UPDATED
    ground = [
        reference("sound", "leaky_units", 21, n, p, values) for n in (2, 4) for p in (0, 5e-4)
    ]
    found = made(ground)
    assert found[["n_hidden", "spike_penalty"]].to_numpy().tolist() == [
        [2, 0],
        [2, 5e-4],
        [4, 0],
        [4, 5e-4],
    ]
    one = found.iloc[1].to_dict()
    told = {
        "task": "sound",
        "family": "leaky_units",
        "network_type": "trained",
        "seed": 21,
        "chance": 1 / 12,
    }
    told |= {
        "test_accuracy": 0.9,
        "validation_accuracy": 0.8,
        "acs": 7,
        "n_parameters": 11,
        "macs": 0,
    }
    assert {name: one[name] for name in told} == told
    assert not found.isna().any(axis=None)


def test_built_networks_have_a_row_a_seed_and_those_with_spikes_are_of_one_family():
    spiking = built("latching", {"accuracy": 0.9} | BRIAN, "brian2")
    spiking += built("latching", {"accuracy": 0.2}, "numpy")
    numbers = UPDATED | {
        "accuracy": 0.7,
        "updates_clock_driven": 136.0 * 8,
        "graded_messages": 3,
        "n_parameters": 60,
    }
    found = made([spiking, built("leaky", numbers, "numpy"), built("floors", numbers, "numpy")])
    assert found["family"].to_list() == ["lif", "leaky"] * 2
    assert found["seed"].to_list() == [0, 0, 1, 1]
    lif, leaky = found.to_dict("records")[:2]
    assert (lif["test_accuracy"], lif["validation_accuracy"], lif["n_messages"]) == (0.9, 0.9, 5), (
        "Brian2 counts"
    )
    assert (lif["acs"], lif["binary_messages"], lif["graded_messages"]) == (130, 25, 0)
    assert (lif["updates_event_driven"], lif["updates_clock_driven"]) == (90, 800)
    assert (leaky["n_hidden"], leaky["graded_messages"], leaky["n_parameters"]) == (8, 3, 60)


@pytest.mark.parametrize(
    ("task", "family", "read", "leaks"),
    [
        ("span_recall", "lif", 0, True),
        ("span_recall", "leaky_units", 2 * 6 * 136 + 4 * 8, True),  # sigmoid
        ("sound", "leaky_units", 0, True),  # rectified: nothing is held
        ("yinyang", "gru", 4 * 6 * 60 + 3 * 60, True),
        ("yinyang", "relu", 0, False),
    ],
)
def test_what_tells_changes_reads_what_it_holds_and_what_does_not_leak_multiplies_nothing(
    task, family, read, leaks
):
    values = UPDATED | {"accuracy": 0.9, "validation_accuracy": 0.8, "buffered_values": 5.0}
    (one,) = made([reference(task, family, 21, 6, 0, values)]).to_dict("records")
    assert one["buffered_values"] == 5 + read / 2, "read, not written"
    assert one["multiplications_event_driven"] == one["multiplications_clock_driven"] == 9 * leaks


def test_a_built_unit_without_a_leak_multiplies_nothing():
    values = UPDATED | {"accuracy": 0.9}
    found = made([[*built("relu", values, "numpy"), *built("leaky", values, "numpy")]])
    paid = found.groupby("family")["multiplications_clock_driven"].mean().to_dict()
    assert paid == {"leaky": 9, "relu": 0}


def test_a_built_network_that_was_not_counted_is_refused():
    with pytest.raises(UserError, match=r"ground/span_recall/leaky: .* record the experiment"):
        made([built("leaky", {"accuracy": 0.7}, "numpy")])


@pytest.mark.parametrize(("events", "told"), [(90.0, 90.0), (1e6, STEPS * UNITS)])
def test_methods_are_clocked_at_one_step_and_events_never_exceed_the_clock(events, told):
    counted = BRIAN | {"neuron_updates": 1e6, "neuron_updates_event": events}
    states = {"state_updates": 5e5, "state_updates_event": 2 * events}
    rows = [
        metrics(OWN, "spiking", [0.8, 0.9], **counted, **states),
        metrics(OWN, "bptt", [0.7], **counted),
        metrics(OWN, "rates", [0.99]),
    ]
    found = made([built("leaky", UPDATED | {"accuracy": 0.7}, "numpy")], *rows)
    own = found[found["network_type"] == "learning_rule"].set_index("family")
    assert own.loc["Own (rates)", "test_accuracy"] == 0.99
    assert np.isnan(own.loc["Own (rates)", "n_parameters"]), "what sends no spikes was not counted"
    own = own.drop("Own (rates)")
    assert own.index.to_list() == ["Own", "Own", "Own (BPTT)"]
    assert (own["updates_clock_driven"] == STEPS * UNITS).all() and (
        own["updates_event_driven"] == told
    ).all()
    # Half a further state variable in every step, two at every event, each a multiplication; of
    # the ablation they were not counted.
    np.testing.assert_allclose(own["multiplications_clock_driven"], 1.5 * STEPS * UNITS)
    most = np.minimum(3 * told, 1.5 * STEPS * UNITS)
    np.testing.assert_allclose(own["multiplications_event_driven"], most)


def test_without_references_both_tables_are_empty_and_are_read_again(tmp_path):
    none = made([], metrics(OWN, "spiking", [0.8], **BRIAN))
    for name, module in (("frontiers.csv", frontiers), ("advantage.csv", advantage)):
        tables.write_csv(module.table(none, CONFIG["energy"]), tmp_path / name)
        assert tables.read(tmp_path / name, columns.OF_A_RUN[name]).empty
