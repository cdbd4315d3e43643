"""The section "The same task for all": of made-up methods, where some win, lose or take no part."""

import re

import numpy as np
import pytest
from made.common_ground import CONFIG, dosed, experiment, metrics, talk
from made.measured import table

from whyspiking.plots.figures import NotMeasuredError, style
from whyspiking.records import columns, tables
from whyspiking.report import same_task_figures as figures
from whyspiking.report import same_task_section as section
from whyspiking.report.same_task_rows import Ground
from whyspiking.verdicts import common_ground, memory_span, prices, score_curves

DELAYS = (100.0, 200.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Ground, spans, curves and prices of four made-up talks."""
    home = experiment("home", "randman", ["spiking", "bptt", "mlp", "random_hidden"])
    rate = experiment("quiet", "randman", ["rates"], battery=[])
    worse = experiment(
        "worse", "randman", ["spiking"], shared={"input_step_ms": 1.0}, battery=["jitter"]
    )
    delayed = [
        experiment("home", "delayed_match", ["spiking", "gru", "reset"], at=d) for d in DELAYS
    ]
    talks = {
        "home": talk("home", home, *delayed),
        "quiet": talk("quiet", rate),
        "worse": talk("worse", worse),
        "idle": talk("idle"),
    }
    spend = {"spikes_hidden": 30.0, "train_cpu_seconds": 4.0, "synapses": 1000.0}
    spend |= {"spikes": 50.0, "syn_events": 1000.0, "neuron_updates": 600.0}
    spend |= {"neuron_updates_event": 300.0, "decision_time": 12.0}
    counts = {"macs_effective": 100.0, "macs_dense": 200.0, "neuron_updates": 60.0}
    found = table(
        metrics(home, "mlp", [0.900, 0.902, 0.898], train_cpu_seconds=2.0, **counts),
        metrics(home, "random_hidden", [0.67, 0.68, 0.66]),
        metrics(home, "spiking", [0.960, 0.962, 0.958], **spend),
        metrics(home, "bptt", [0.901, 0.903, 0.899], **{**spend, "spikes_hidden": 90.0}),
        dosed(home, "spiking", "jitter", {0.5: 0.6}),
        metrics(rate, "rates", [0.899, 0.9015, 0.8975], train_cpu_seconds=1.0),
        metrics(worse, "spiking", [0.60, 0.61, 0.59], **{**spend, "spikes_hidden": 10.0}),
        *(
            metrics(e, variant, [score] * 3)
            for e, scores in zip(delayed, ((0.95, 1.0, 0.5), (0.6, 1.0, 0.5)), strict=True)
            for variant, score in zip(("spiking", "gru", "reset"), scores, strict=True)
        ),
    )
    path = tmp_path_factory.mktemp("shared") / "shared.csv"
    tables.write_csv(common_ground.matrix(found, talks, CONFIG), path)
    rows = list(score_curves._along_doses(tables.where(found, experiment=home.name), home))
    curves = columns.CURVES.table(rows)
    ground = Ground(tables.read(path, columns.SHARED), talks)
    costs = path.with_name("prices.csv")
    tables.write_csv(prices.prices(ground.shared, found, talks, CONFIG), costs)
    return ground, memory_span.spans(found, talks), curves, tables.read(costs, columns.PRICES)


def plain(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def test_one_sentence_a_task_counts_methods(made):
    told = plain(section.sentences(made[0], CONFIG))
    for part in (
        "Of 3 methods with spikes 1 is better (Home), 1 is equal within 2 points (Home (BPTT)), "
        "1 is worse (Worse).",
        "2 beat the best floor, random layer with 67.0 %; 1 does not (Worse).",
        "Quiet, without spikes: equal within 2 points.",
        "At 100 ms: of 1 method with spikes",
        "At 100 ms:",
    ):
        assert part in told


def test_of_a_task_on_which_nobody_has_a_result_the_reasons_are_told(made):
    ground = made[0]
    told = plain(section.sentences(ground, CONFIG))
    assert "Yin-Yang. Is a hidden layer trained at all? Nobody has a result: Home: home was" in told
    alone = Ground(tables.where(ground.shared, task="randman", talk="quiet"), ground.talks)
    lone = Ground(ground.shared.assign(verdict="no matched control"), ground.talks)
    assert "3 have no matched control (Home, Home (BPTT), Worse)." in plain(
        section.sentences(lone, CONFIG)
    )
    assert "Of 0 methods with spikes" in plain(section.sentences(alone, CONFIG))


def test_every_cell_of_the_table_has_a_result_or_a_reason(made):
    page = section.matrix(made[0], CONFIG)
    rows = re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1], re.DOTALL)
    cells = {plain(row)[:9].strip(): re.findall(r"<td.*?</td>", row, re.DOTALL) for row in rows}
    assert len(rows) == len(cells) == 5 + 4 + 1
    assert all(len(own) == 3 for own in cells.values())
    words = ("better", "equal", "worse", "undecided", "no matched", "<sup>")
    for row in rows[:5]:
        assert all(any(w in cell for w in words) for cell in re.findall(r"<td.*?</td>", row, re.S))
    for why in ("idle was not made for randman", "another network of the talk was set this task"):
        assert f"<dd>{why}</dd>" in page
    assert "not above random layer" in page and "96.0 %" in page


def test_tables_tell_what_is_local_and_what_was_equal(made):
    ground, spans, _, _ = made
    rules = plain(section.rules(ground))
    assert "Home a made-up rule 1 2 T N no an error (neuron, later)" in rules
    assert "Quiet no rule declared" in rules
    held = plain(section.held_equal(ground, CONFIG))
    assert "20 50 10 16,000 320,000 1,000 3 6" in held
    told = plain(section.spans(ground, spans))
    assert "The span, the longest delay with 90.0 %: Home 110 ms." in told


def test_prices_stand_in_one_table_with_the_control_in_small_print(made):
    ground, _, _, costs = made
    page = section.prices(ground, costs)
    rows = re.findall(r"<tr>(.*?)</tr>", page.split("<tbody>")[1], re.DOTALL)
    assert 'class="sortable"' in page and len(rows) == len(costs) == 6
    home, quiet = plain(rows[0]), plain(rows[2])
    assert home.startswith("Home a Randman ReLU network all are worse 96.0 % 90.0 %")
    for part in ("0.242 ◆ depends", "3.2, 32-bit integer", "12 ms 50 ms 30 169 60 20 4 s 2 s"):
        assert part in home, home
    assert quiet.startswith("Quiet b Randman ReLU network none smaller 89.9 % 90.0 %")
    assert "energy: not all operations were counted" in page


def test_figures_show_every_method_the_same_way(made):
    ground, spans, curves, _ = made
    draw = {
        "matrix": lambda: figures.matrix(ground),
        "values": lambda: figures.along_value(ground, spans),
        "doses": lambda: figures.doses(ground, curves),
    }
    with style():
        drawn = {name: plate() for name, plate in draw.items()}
    for plate in drawn.values():
        assert len(plate.caption) > 40 and "nan" not in plate.alt.replace("nance", "")
    matrix = drawn["matrix"]
    assert [ax.get_title(loc="left").split("\n")[0] for ax in matrix.axes] == [
        "Randman", "Delayed match", "Delayed match",
    ]  # fmt: skip
    labels = [label.get_text() for label in matrix.axes[0].get_yticklabels()][::-1]
    assert labels == ["Home", "Home (BPTT)", "Quiet", "Worse", "Idle"]
    texts = [text.get_text() for text in matrix.axes[0].texts]
    assert texts.count("n/a") == 1
    assert {"chance 10", "random layer 67", "ReLU network 90"} <= set(texts)
    assert "Randman, Home: 96.0 %, better" in matrix.alt
    assert "Home: 110 ms" in drawn["values"].alt
    looks = [ground.look(method) for method in ground.methods[:4]]
    assert looks[0]["color"] == looks[1]["color"] and looks[1]["markerfacecolor"] == "none"
    assert len({(look["color"], look["markerfacecolor"]) for look in looks}) == 4


def test_where_nobody_was_set_a_task_there_is_no_section(made):
    ground = made[0]
    nothing = tables.where(ground.shared, kind="absent")
    empty = Ground(nothing, ground.talks)
    assert empty.cells == []
    with pytest.raises(NotMeasuredError):
        figures.matrix(empty)


def test_networks_from_elsewhere_stand_apart_and_are_counted_nowhere(made):
    ground = made[0]
    guest = {
        "task": "randman", "at": np.nan, "name": "from afar", "says": "of <i>others</i>",
        "by": "us", "accuracy": 0.9, "low": 0.88, "high": 0.92, "spikes_hidden": 12.0,
        "reproduced": False,
    }  # fmt: skip
    wider = Ground(ground.shared, ground.talks, guests=[guest])
    with style():
        plate, before = figures.matrix(wider), figures.matrix(ground)
    axes = plate.axes[0]
    assert axes.get_yticklabels()[0].get_text() == "from afar"
    marks = [x for x in axes.lines if x.get_marker() == "p"]
    assert [x.get_markerfacecolor() for x in marks] == ["none"]
    assert not [x for ax in plate.axes[1:] for x in ax.lines if x.get_marker() == "p"]
    assert "community/" in plate.caption and "community/" not in before.caption
    for piece in (section.sentences, section.matrix):
        assert piece(wider, CONFIG) == piece(ground, CONFIG)
    told = section.community(wider)
    assert "90 %" in told and "of &lt;i&gt;others" in told
    assert section.community(ground) == ""
