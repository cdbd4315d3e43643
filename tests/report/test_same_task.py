"""The section "The same task for all": of made-up methods, where some win, lose or take no part."""

import re

import numpy as np
import pytest
from made.common_ground import CONFIG, dosed, experiment, metrics, talk
from made.measured import table

from whyspiking.records import columns, tables
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
    tables.write_csv(prices.prices(found, talks, CONFIG), costs)
    return ground, memory_span.spans(found, talks), curves, tables.read(costs, columns.PRICES)


def plain(markup):
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


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
    assert "Home a made-up rule 1 2 × T N no an error (neuron, later)" in rules
    assert "Quiet no rule declared" in rules
    held = plain(section.held_equal(ground, CONFIG))
    assert "20 50 10 16,000 320,000 1,000 3 6" in held
    told = plain(section.spans(ground, spans))
    assert "The span, the longest delay with 90.0 %: Home 110 ms." in told


def test_a_table_a_task_has_every_method_with_its_price(made):
    ground, _, _, costs = made
    page = section.task_tables(ground, costs, CONFIG)
    first = page.split("<tbody>")[1].split("</tbody>")[0]
    rows = [plain(row) for row in re.findall(r"<tr.*?</tr>", first, re.DOTALL)]
    assert page.count('class="sortable"') == 3 and page.count("<details open>") == 1
    assert len(rows) == 4 + 2, "methods, the matched control and the best floor"
    assert rows[0].startswith("Home ▲ better 96.0 %")
    assert "30 none equal 12 ms 169" in rows[0], "six points better than its control"
    assert "90 ◆ depends" in rows[1] and "to 3.2" in rows[1]
    assert rows[2].startswith("Quiet ◆ equal within 2 points") and "depends" not in rows[2]
    assert rows[4].startswith("ReLU network control 90.0 %")
    assert rows[5].startswith("random layer floor 67 %")
    assert "No result: Idle (idle was not made for randman)" in plain(page)


def test_networks_from_elsewhere_stand_apart_and_are_counted_nowhere(made):
    ground = made[0]
    guest = {
        "task": "randman", "at": np.nan, "name": "from afar", "says": "of <i>others</i>",
        "by": "us", "accuracy": 0.9, "low": 0.88, "high": 0.92, "spikes_hidden": 12.0,
        "reproduced": False,
    }  # fmt: skip
    wider = Ground(ground.shared, ground.talks, guests=[guest])
    assert section.matrix(wider, CONFIG) == section.matrix(ground, CONFIG)
    told = section.community(wider)
    assert "90 %" in told and "of &lt;i&gt;others" in told
    assert section.community(ground) == ""
