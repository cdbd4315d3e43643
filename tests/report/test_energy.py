"""Energy ratios and the explorer: the page shows what the tables hold, under every cost model."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from made.browser import CHROMIUM, ask
from made.frontier_points import CURVES, built, family, points, rule
from made.markup import plain
from made.project import config

from whyspiking.measures.accounting import MAIN
from whyspiking.records.reference import FOLDER
from whyspiking.report import energy_explorer, energy_forest, first_screen
from whyspiking.report.html import ASSETS
from whyspiking.verdicts import advantage, frontiers

TITLES = {name: f"{name.capitalize()}: which?" for name in (*CURVES, "t")}
browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")


def compare(*rows):
    table = points(*rows)
    tables = [module.table(table, config()["energy"]) for module in (frontiers, advantage)]
    return first_screen.Comparisons(*tables, TITLES)


@pytest.fixture(scope="module")
def recorded():
    return first_screen.recorded(FOLDER)


@pytest.mark.parametrize(("ratio", "at"), [(1 / 32, 0), (1, 500 / 11), (64, 100), (100, 100)])
def test_the_axis_is_logarithmic_and_keeps_marks_inside(ratio, at):
    assert energy_forest.place(ratio) == pytest.approx(at, abs=0.01)


def test_every_ratio_of_the_reference_results_lies_on_the_axis(recorded):
    ends = [2.0**k for k in energy_forest.OCTAVES]
    of_main = [row for (_, cost, _), row in recorded.by_place.items() if cost in MAIN]
    ratios = [row["ratio"] for row in of_main if np.isfinite(row["ratio"])]
    assert len(ratios) > 40 and ends[0] < min(ratios) < max(ratios) < ends[1]


def test_rows_are_those_of_the_table_and_none_is_repeated(recorded):
    for name, main in recorded.rows("best_trained", "memory_8kb_event_driven").items():
        rows = list(energy_forest.list_rows(recorded, main["task"]))
        assert [row.is_best for row in rows] == [True] + [False] * (len(rows) - 1), name
        shown = [row.shown["ratio"] for row in rows]
        labels = [row.label for row in rows]
        assert len(set(labels)) == len(labels) and len(shown) >= 3
        for row in rows:
            for cost, of_cost in row.by_cost.items():
                numbers = json.loads(row.numbers)[cost]
                assert numbers["verdict"] == first_screen.VERDICTS[of_cost["verdict"]]
                assert float(numbers["ratio"]) == pytest.approx(of_cost["ratio"], rel=0.06)


def test_a_mark_says_whether_there_is_a_verdict():
    networks = family("lif", times=3.0), family("gru"), family("leaky_units", times=(1, 3, 9))
    rows = {row.label: row for row in energy_forest.list_rows(compare(*networks), "t")}
    assert rows["best: GRUs (gated recurrent networks)"].shown["mark"] == "decided"
    assert rows["the same leaky units without spikes"].shown["mark"] == "unclear"
    better = rule("Own", [(0.5, 0.95)] * 3)
    best, *_ = energy_forest.list_rows(compare(*networks, better), "t")
    assert best.shown["mark"] == "unassessed" and best.shown["verdict"] == "not assessed"
    too_low = compare(family("lif"), family("gru", [(1, 0.6)]))
    (best,) = energy_forest.list_rows(too_low, "t")
    assert best.shown["ratio"] == "–" and best.span is None


def test_tasks_without_a_verdict_come_last_with_the_reason(recorded):
    shown = plain(energy_forest.draw(recorded))
    shown = shown[shown.index("Task, compared with") :]
    places = [shown.index(x) for x in ("Span", "Volley", "Yin-Yang", "Randman", "Sound")]
    assert places == sorted(places)
    better = rule("Own", [(0.5, 0.95)] * 3)
    only = energy_forest.draw(compare(family("lif"), family("gru", times=4.0), better))
    assert "not assessed under 4 of 4 cost models (a network of Own was better)" in plain(only)


def test_the_line_of_a_task_has_the_ratios_over_cost_models():
    shown = plain(energy_forest.draw(compare(family("lif", times=7.0), family("gru"))))
    assert "more energy under 4 of 4 cost models (ratio 7.0)" in shown


def test_points_are_means_over_data_sets_with_their_files(recorded):
    told = energy_explorer.explore(recorded, FOLDER, "")
    data = json.loads(re.search(r'data-told="(.*?)"', told)[1].replace("&#34;", '"'))
    networks = recorded.networks
    for task in data["tasks"]:
        title = next(k for k, v in recorded.titles.items() if v.startswith(f"{task['name']}:"))
        own = networks[networks["task"] == title]
        keys = ["network_type", "family", "n_hidden", "spike_penalty"]
        assert len(task["points"]) == own.groupby(keys).ngroups
        for point in task["points"]:
            is_own = (own["network_type"] == point["kind"]) & (own["family"] == point["family"])
            is_own &= own["n_hidden"] == point["units"]
            rows = own[is_own & (own["spike_penalty"] == point.get("penalty", 0))]
            assert point["accuracy"] == pytest.approx(100 * rows["test_accuracy"].mean(), abs=0.051)
            for cost, energy in zip(data["costs"], point["energy"], strict=True):
                mean = rows[cost].mean() / 1e3
                assert energy == pytest.approx(mean, rel=1e-3) if np.isfinite(mean) else not energy
            assert "file" not in point or (FOLDER / point["file"]).is_file()
    files = {point.get("file") for task in data["tasks"] for point in task["points"]}
    assert "networks/goeltz-shared_yinyang.nir" in files


def test_a_line_is_the_mean_of_the_frontiers():
    comparisons = compare(family("lif", times=(1, 2, 4)), family("gru"))
    (line,) = (
        x
        for x in energy_explorer.list_lines(comparisons.networks)
        if (x["family"], x["cost"]) == ("lif", MAIN[0])
    )
    fronts = [
        frontiers.Frontier.of(own, MAIN[0])
        for _, own in comparisons.networks.groupby("seed")
        for own in [own[own["family"] == "lif"]]
    ]
    energies = np.geomspace(*(1e3 * x for x in line["ends"]), energy_explorer.N_PLACES)
    expected = 100 * np.mean([front.at(energies) for front in fronts], axis=0)
    assert line["mean"] == pytest.approx(expected, abs=0.3)
    assert all(a <= b <= c for a, b, c in zip(line["low"], line["mean"], line["high"], strict=True))


def test_an_energy_that_was_not_estimated_is_left_out():
    silent = [{**x, "acs": np.nan} for x in rule("Own", [(0.5, 0.6)] * 3)]
    task = energy_explorer.describe_task(
        compare(family("lif"), family("gru"), silent, built("leaky", [(1, 1.0)])), "t", None
    )
    (own,) = (point for point in task["points"] if point["family"] == "Own")
    assert own["energy"] == [None] * 4
    assert {point["label"] for point in task["points"]} >= {energy_explorer.HAND_DESIGNED["leaky"]}


def write_page(folder: Path, comparisons) -> Path:
    parts = energy_forest.draw(comparisons) + energy_explorer.explore(comparisons, FOLDER, "")
    style = "".join((ASSETS / x).read_text() for x in ("style.css", "energy.css"))
    scripts = "".join((ASSETS / x).read_text() for x in ("energy.js",))
    page = folder / "page.html"
    page.write_text(
        f"<!doctype html><style>{style}</style><body><main>{parts}</main>"
        f"<script>{scripts}</script></body>"
    )
    return page


USE = """
const tell = (x) => { const p = document.createElement("pre"); p.id = "measured";
  p.textContent = JSON.stringify(x); document.body.append(p); };
const push = (part) => document.querySelector(`[data-part="${part}"]`).click();
const ratios = () => [...document.querySelectorAll(".ratio")].map((x) => x.textContent)
  .filter((x) => x && !x.includes("×"));
const svg = document.querySelector("#explorer svg");
const read = () => document.getElementById("explorer-read").textContent;
const key = (name) => svg.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const found = { first: ratios(), title: read() };
push("clock_driven"); push("operations"); found.second = ratios();
push("event_driven"); push("memory_8kb"); found.again = ratios();
key("ArrowRight"); found.right = read(); key("ArrowLeft"); found.left = read();
const mark = svg.querySelector('[data-point="0"]').getBoundingClientRect();
svg.dispatchEvent(new PointerEvent("pointerdown",
  { clientX: mark.x + mark.width / 2, clientY: mark.y + mark.height / 2 }));
found.pointed = document.querySelector("#explorer select").value;
document.querySelector('[data-task="1"]').click();
found.pressed = document.querySelectorAll('[data-task][aria-pressed="true"]').length;
found.other = read();
found.wide = document.documentElement.scrollWidth - innerWidth;
tell(found);
"""


@browser
@pytest.mark.parametrize("size", ["1280,800", "390,844"])
def test_buttons_keys_and_pointer_choose_what_is_shown(tmp_path, recorded, size):
    found = ask(tmp_path, write_page(tmp_path, recorded), USE, size=size)
    costs = {"first": "memory_8kb_event_driven", "second": "operations_clock_driven"}
    best = recorded.rows("best_trained", costs["first"])
    verdicts = recorded.verdicts("best_trained")
    order = sorted(best, key=lambda n: {row["verdict"] for row in verdicts[n]} == {"not assessed"})
    for state, cost in costs.items():
        expected = [
            energy_forest.describe(row.by_cost[cost])["ratio"]
            for name in order
            for row in energy_forest.list_rows(recorded, best[name]["task"])
        ]
        assert found[state] == expected, state
    assert found["again"] == found["first"] != found["second"]
    assert found["right"] != found["title"] == found["left"]
    assert (found["pointed"], found["pressed"]) == ("0", 1)
    assert found["other"] != found["title"] and found["wide"] <= 0
