"""The same tasks for all: who is better than its control, who does not beat a random layer."""

import numpy as np
import pytest
from made.common_ground import CONFIG, dosed, experiment, metrics, talk
from made.measured import table

from whyspiking.measures import statistics
from whyspiking.records import columns, tables
from whyspiking.verdicts import common_ground, memory_span, score_curves

HOME = experiment("home", "randman", ["mlp", "mlp_steps", "random_hidden", "linear", "ranks"])
CONTROLS = [
    *metrics(HOME, "mlp", [0.900, 0.902, 0.898]),
    *metrics(HOME, "mlp_steps", [0.880, 0.882, 0.878]),
    *metrics(HOME, "random_hidden", [0.70, 0.71, 0.69], train_cpu_seconds=0.1),
    *metrics(HOME, "linear", [0.50, 0.51, 0.49]),
    *metrics(HOME, "ranks", [0.95, 0.95, 0.95]),
]


def judged(scores_of, controls=CONTROLS, **keys):
    """Method -> its row, of methods with these accuracies on Randman."""
    talks, rows = {"home": talk("home", HOME)}, [controls]
    for name, scores in scores_of.items():
        own = experiment(name, "randman", ["spiking"], **keys)
        talks[name] = talk(name, own)
        rows.append(metrics(own, "spiking", scores))
    found = common_ground.matrix(table(*rows), talks, CONFIG)
    assert list(found.columns) == columns.SHARED.names
    own = tables.where(found, task="randman", kind="method")
    return {row["talk"]: row for row in own.to_dict("records")}


@pytest.mark.parametrize(
    ("scores", "verdict", "above_floor"),
    [
        ([0.960, 0.962, 0.958], "better", "yes"),
        ([0.800, 0.803, 0.797], "worse", "yes"),
        ([0.9005, 0.903, 0.8985], "equal within delta", "yes"),
        ([0.910, 0.912, 0.908], "equal within delta", "yes"),  # a sure difference below delta
        ([0.80, 0.99, 0.90], "undecided", "undecided"),
        ([0.99], "undecided", "undecided"),
        ([0.60, 0.61, 0.59], "worse", "no"),
        ([0.705, 0.715, 0.695], "worse", "no"),
    ],
)
def test_every_verdict_is_found(scores, verdict, above_floor):
    row = judged({"own": scores})["own"]
    assert (row["verdict"], row["above_floor"]) == (verdict, above_floor)
    assert (row["control"], row["floor"]) == ("mlp", "random_hidden")
    limits, gains = statistics.logit_interval(scores, 1000), np.subtract(scores, 0.9)
    expected = (limits.low, gains.mean() if len(scores) == 1 else row["difference"])
    assert (row["low"], row["difference"]) == pytest.approx(expected, nan_ok=True)
    assert np.isnan(row["p_value"]) == (len(scores) == 1)


def test_a_comparison_counts_where_one_of_the_two_is_half_way_from_guessing_to_the_best():
    """Guessing is 0.1, and the best 0.95, of a network that neither is held against."""
    others = [row for row in CONTROLS if row["variant"] != "mlp"]
    far, near = ([*others, *metrics(HOME, "mlp", [x, x])] for x in (0.52, 0.53))
    neither = "neither half-way from guessing to the best"
    assert judged({"own": [0.52, 0.52]}, far)["own"]["counted"] == neither
    assert judged({"own": [0.53, 0.53]}, far)["own"]["counted"] == "yes"
    assert judged({"own": [0.1, 0.1]}, near)["own"]["counted"] == "yes"
    assert judged({"own": [0.9]}, near)["own"]["counted"] == "one network"
    assert judged({"own": [0.9, 0.9]}, controls=[])["own"]["counted"] == "no matched control"


def test_a_network_is_held_against_its_twin_by_seed():
    own = experiment("own", "randman", ["spiking", "graded"])
    rows = [
        *metrics(own, "spiking", [0.90, 0.93, 0.96]),
        *metrics(own, "graded", [0.94, 0.97, 1.00]),
    ]
    talks = {"home": talk("home", HOME), "own": talk("own", own)}
    found = common_ground.matrix(table(CONTROLS, rows), talks, CONFIG)
    row = tables.where(found, talk="own", variant="spiking").to_dict("records")[0]
    assert (row["twin"], row["twin_verdict"]) == ("graded", "worse"), "always four points below"
    assert row["twin_difference"] == pytest.approx(-0.04)
    twin = tables.where(found, talk="own", variant="graded").to_dict("records")[0]
    assert twin["kind"] == "twin"
    assert judged({"own": [0.9, 0.9, 0.9]})["own"]["twin"] == ""


def test_p_values_are_corrected_over_the_methods_of_a_task():
    alone = judged({"a": [0.93, 0.95, 0.94]})["a"]
    others = {name: [0.91, 0.97, 0.93] for name in "bcd"}
    among = judged({"a": [0.93, 0.95, 0.94], **others})["a"]
    assert alone["p_holm"] == pytest.approx(alone["p_value"])
    assert among["p_value"] == pytest.approx(alone["p_value"])
    assert among["p_holm"] == pytest.approx(4 * alone["p_value"])
    assert (alone["verdict"], among["verdict"]) == ("better", "undecided")


@pytest.mark.parametrize(
    ("step", "control"), [(0.0, "mlp"), (0.2, "mlp_steps"), (2.0, "mlp_steps")]
)
def test_the_control_is_told_the_input_as_precisely(step, control):
    row = judged({"a": [0.9, 0.9, 0.9]}, shared={"input_step_ms": step})["a"]
    assert row["control"] == control and row["input_step_ms"] == step


def test_without_control_or_floor_it_is_said():
    row = judged({"a": [0.9, 0.91, 0.9]}, controls=[])["a"]
    assert row["verdict"] == "no matched control" and row["above_floor"] == "no floor"
    assert np.isnan(row["difference"]) and row["accuracy"] == pytest.approx(0.90333333)


def test_where_seeds_share_their_test_trials_the_interval_is_wider():
    yinyang = experiment("home", "yinyang", ["spiking", "mlp"])
    scores = [0.95, 0.952, 0.948], [0.90, 0.902, 0.898]
    rows = [metrics(yinyang, v, s) for v, s in zip(("spiking", "mlp"), scores, strict=True)]
    # The network errs in some parts of the test set, the control in others.
    for row in rows[0]:
        if row["perturbation"] == "part":
            row["value"] = 0.95 + 0.05 * (-1) ** row["strength"]
    one = {"home": talk("home", yinyang)}
    (found,) = tables.where(common_ground.matrix(table(*rows), one, CONFIG), kind="method").to_dict(
        "records"
    )
    without = statistics.t_interval([0.05, 0.05, 0.05])
    assert found["difference_high"] - found["difference_low"] > without.high - without.low + 0.01


def test_no_cell_is_empty():
    talks = {
        "home": talk("home", HOME),
        "early": talk("early", experiment("early", "delayed_match", ["spiking", "gru"], at=100.0)),
        "late": talk("late", experiment("late", "delayed_match", ["spiking"], at=200.0)),
        "idle": talk("idle"),
    }
    rows = [
        metrics(own, "spiking", [0.9, 0.9])
        for name in ("early", "late")
        for own in talks[name].experiments.values()
    ]
    found = common_ground.matrix(table(CONTROLS, *rows), talks, CONFIG)
    assert not found.duplicated(["task", "at", "talk", "variant", "experiment"]).any()
    for task, own in found.groupby("task"):
        cells = own[own["kind"].isin(["method", "absent"])]
        assert set(cells["talk"]) == set(talks), task
        assert all(cells.loc[cells["kind"] == "absent", "why"].str.len() >= 20)
    why = {
        (r["task"], r["talk"], r["at"]): r["why"]
        for r in tables.where(found, kind="absent").to_dict("records")
    }
    assert why["delayed_match", "early", 200.0] == "not set with delay_ms 200 ms"
    assert why["delayed_match", "late", 100.0] == "not set with delay_ms 100 ms"
    assert [k[1] for k in why if k[0] == "delayed_match"].count("idle") == 1
    assert "idle was not made for randman" in why.values()
    assert [v for k, v in why.items() if k[:2] == ("randman", "home")] == [
        "no network of it in a run at scale default"
    ]


def test_nothing_measured_leaves_reasons_only(tmp_path):
    found = common_ground.matrix(
        table(), {"idle": talk("idle"), "home": talk("home", HOME)}, CONFIG
    )
    assert set(found["kind"]) == {"absent"} and len(found) == 8
    tables.write_csv(found, tmp_path / "shared.csv")
    assert len(tables.read(tmp_path / "shared.csv", columns.SHARED)) == 8


def test_memory_of_learning_is_that_of_the_rule():
    own = experiment("a", "randman", ["spiking", "bptt"], shared={"input_step_ms": 2.0})
    rows = metrics(own, "spiking", [0.9], synapses=700.0, spikes_hidden=31.0)
    rows += metrics(own, "bptt", [0.9])
    found = common_ground.matrix(table(rows), {"a": talk("a", own)}, CONFIG)
    spiking, bptt = tables.where(found, kind="method").to_dict("records")
    # A number per synapse, two per neuron and step (50 ms in steps of 2 ms), 50 for all.
    assert spiking["memory"] == 700 + 50 * 2 * 25 + 50
    assert spiking["local"] == "no" and spiking["signals"] == "an error (neuron, later)"
    assert spiking["spikes_hidden"] == 31 and spiking["tried"] == 6
    assert spiking["presentations"] == 16000 * 20
    assert bptt["rule"] == "" and np.isnan(bptt["memory"]) and bptt["tried"] == 0
    whole = experiment("a", "randman", ["spiking"])
    found = common_ground.matrix(
        table(metrics(whole, "spiking", [0.9])), {"a": talk("a", whole)}, CONFIG
    )
    assert np.isnan(tables.where(found, kind="method")["memory"].item()), (
        "there are no steps to multiply by"
    )


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.95, 0.93, 0.91], np.inf),
        ([0.89, 0.80, 0.50], -np.inf),
        ([1.0, 0.8, 0.5], 25 * 4**0.5),
        ([0.95, 0.9, 0.5], 100.0),
        # Not monotone: the longest that is bridged counts.
        ([0.5, 0.95, 0.85], 100 * 4**0.5),
        ([0.5, 0.5, 0.9], np.inf),
    ],
)
def test_the_span_is_the_longest_delay_bridged(scores, expected):
    assert memory_span.span([25.0, 100.0, 400.0], scores, 0.9) == pytest.approx(expected)


def test_spans_are_told_by_method_over_seeds(tmp_path):
    delays = (100.0, 200.0)
    own = [experiment("a", "delayed_match", ["spiking", "gru"], at=at) for at in delays]
    rows = []
    for e, spiking in zip(own, ([0.95, 1.0], [0.5, 0.8]), strict=True):
        rows += metrics(e, "spiking", spiking)
        rows += metrics(e, "gru", [1.0, 1.0, 1.0])
    found = memory_span.spans(table(rows), {"a": talk("a", *own)})
    tables.write_csv(found, tmp_path / "span.csv")
    found = tables.read(tmp_path / "span.csv", columns.SPAN)
    spiking, gru = found.to_dict("records")
    ends = [memory_span.span(list(delays), s, 0.9) for s in ([0.95, 0.5], [1.0, 0.8])]
    assert [spiking["low"], spiking["high"]] == pytest.approx(ends)
    assert spiking["span"] == spiking["low"] and spiking["seeds"] == 2
    assert gru["span"] == np.inf and gru["largest"] == 200 and gru["unit"] == "ms"


def test_jitter_is_told_in_ms_of_the_task(tmp_path):
    own = experiment("a", "randman", ["spiking"], shared={"model_window_ms": 5.0})
    rows = metrics(own, "spiking", [0.9, 0.92])
    rows += dosed(own, "spiking", "jitter", {0.5: 0.6, 1.0: 0.3})
    rows += dosed(own, "spiking", "delete", {0.4: 0.5})
    found = list(score_curves._along_doses(table(rows), own))
    points = [(r["along"], r["at"], r["mean"]) for r in found]
    # The unit is an eighth of the window, of 5 ms in the model and of 50 ms in the task.
    assert talk("a", own).unit_of_jitter_ms(own) == 0.625
    assert points == [
        ("jitter", 0.0, pytest.approx(0.91)),
        ("jitter", 3.125, 0.6),
        ("jitter", 6.25, 0.3),
        ("delete", 0.0, pytest.approx(0.91)),
        ("delete", 0.4, 0.5),
    ]


def test_the_control_of_the_other_equal_size_stands_beside():
    """Of ReLU units as many parameters; a method without such a control has an empty verdict."""
    own = experiment("a", "randman", ["spiking", "mlp", "mlp_wide"])
    rows = metrics(own, "spiking", [0.90, 0.91, 0.92, 0.90, 0.91])
    rows += metrics(own, "mlp", [0.80, 0.81, 0.80, 0.79, 0.80])
    rows += metrics(own, "mlp_wide", [0.95, 0.97, 0.96, 0.96, 0.97])
    found = common_ground.matrix(table(rows), {"a": talk("a", own)}, CONFIG)
    (row,) = tables.where(found, kind="method").to_dict("records")
    assert (row["control"], row["verdict"]) == ("mlp", "better")
    assert (row["beside"], row["beside_verdict"]) == ("mlp_wide", "worse")
    assert row["beside_difference"] == pytest.approx(-0.054)
    assert row["beside_low"] < -0.054 < row["beside_high"] < 0
