"""Networks that a reader can touch: what the browser computes is what Python computes."""

import json
import re

import jax
import numpy as np
import pytest
from made.browser import CHROMIUM, ask
from made.checkouts import ROOT

from whyspiking.datasets import distinctness, yinyang
from whyspiking.records.reference import FOLDER
from whyspiking.report import shipped_first_spikes, touchable
from whyspiking.report.html import ASSETS, templates
from whyspiking.talks.discussion import leaky_neuron

RECORD = ROOT / FOLDER
POINTS, TRIALS = 300, 400
DRESS = ("style.css", "touchable.css", "page.js", "touchable.js")


def browser(test):
    """A test that needs Chromium, which takes seconds to start."""
    missing = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
    return pytest.mark.slow(missing(test))


TELL = """
const tell = (found) => { const out = document.createElement("pre"); out.id = "measured";
  out.textContent = JSON.stringify(found); document.body.append(out); };
const neuron = document.getElementById("touch-neuron");
const plane = document.querySelector("#touch-yin-yang .plane");
const net = JSON.parse(plane.dataset.network);
const cell = JSON.parse(neuron.querySelector("svg").dataset.network);
"""
# Every element that can be focused, by its role, with what a screen reader is told.
USE = """
const says = (figure) => figure.querySelector(".says").textContent;
const press = (e, key, shiftKey = false) =>
  e.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true, cancelable: true }));
const [first] = neuron.querySelectorAll(".spike");
const value = () => Number(first.getAttribute("aria-valuenow"));
const found = { began: value() };
press(first, "ArrowRight"); found.right = value();
press(first, "ArrowLeft", true); found.left = value();
press(first, "PageUp"); found.page = value();
press(first, "End"); found.end = value(); press(first, "Home"); found.home = value();
found.thumb = Math.min(...[...document.querySelectorAll(".touch .hit")].map((e) =>
  e.getBoundingClientRect().width));
first.setPointerCapture = () => {}; // no finger is on this screen
first.hasPointerCapture = () => true;
const line = neuron.querySelector(".axis").getBoundingClientRect();
for (const name of ["pointerdown", "pointermove"]) first.dispatchEvent(new PointerEvent(name,
  { clientX: line.left + line.width * 0.75, clientY: line.top, bubbles: true }));
found.dragged = value();
const [together, apart] = neuron.querySelectorAll("button");
found.together = []; found.apart = [];
for (let k = 0; k < 20; k++) {
  together.click(); found.together.push(says(neuron));
  apart.click(); found.apart.push(says(neuron));
}
const point = plane.querySelector(".point");
for (let k = 0; k < 40; k++) press(point, "ArrowDown");
found.moved = point.getAttribute("aria-valuetext"); found.decides = says(plane.closest("figure"));
tell(found);
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """All pieces, as the page has them."""
    pieces = [touchable.one_neuron(RECORD), touchable.yin_yang(RECORD)]
    path = tmp_path_factory.mktemp("touchable") / "page.html"
    read = {name: (ASSETS / name).read_text(encoding="utf-8") for name in DRESS}
    path.write_text(
        templates()
        .get_template("page.html.j2")
        .render(
            title="Touch",
            description="",
            sections=[],
            home="",
            notebook="",
            style=read["style.css"] + read["touchable.css"],
            script=read["page.js"] + read["touchable.js"],
            body="\n".join(pieces),
        ),
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def cell():
    return json.loads((RECORD / touchable.NEURON).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def points():
    features, _ = yinyang.generate(5, POINTS)
    return features[:, :2]


def reached(cell, times, end):
    """When the potential first reaches the threshold, nan where it does not, (trial,)."""
    found = []
    for trial in times:
        at, v = touchable.potential(cell, trial, end)
        above = at[v >= cell["theta"]]
        found.append(above[0] if above.size else np.nan)
    return np.array(found)


def of_talk(cell):
    return {
        "w": np.array(cell["w"]),
        "log_tau": np.log(cell["tau_ms"]),
        "theta": np.array(cell["theta"]),
    }


@browser
def test_the_browser_decides_as_the_closed_form_does(tmp_path, page, points):
    ask_points = f"{TELL} tell({json.dumps(points.tolist())}.map(([x, y]) => {{"
    found = ask(
        tmp_path,
        page,
        ask_points
        + "const d = touchable.decide(net, x, y); return { choice: d.choice, "
        + "times: [...d.inputs, ...d.hidden, ...d.output].map((t) => t < Infinity ? t : null), "
        + "right: touchable.classify(net.radii, x, y) }; }));",
    )
    network = shipped_first_spikes.read(RECORD)
    with jax.enable_x64(True):
        layers = shipped_first_spikes.response(network, points)
    expected, output = np.hstack(layers), layers[2]
    times = np.array([[np.nan if t is None else t for t in one["times"]] for one in found])
    assert 0.2 < np.isfinite(layers[1]).mean() < 0.9  # some hidden neurons are silent, some are not
    np.testing.assert_array_equal(np.isnan(times), np.isinf(expected))
    np.testing.assert_allclose(times, np.where(np.isinf(expected), np.nan, expected), atol=1e-6)
    choices = np.where(np.isfinite(output).any(axis=1), output.argmin(axis=1), -1)
    assert [one["choice"] for one in found] == choices.tolist()
    right = [yinyang.classify(*point) for point in points]
    assert [one["right"] for one in found] == right
    assert (choices == right).mean() > 0.9
    assert np.unique(choices).tolist() == [0, 1, 2]


@browser
def test_the_neuron_of_the_page_is_that_of_the_discussion(tmp_path, page, cell):
    task = distinctness.Settings(len(cell["w"]))
    rng = np.random.default_rng(3)
    drawn, classes = distinctness.draw(task, TRIALS, rng)
    # As a reader may drag them: of no class, some close to the threshold.
    times = np.vstack([drawn, rng.uniform(0, task.trial_ms, drawn.shape)])
    found = ask(
        tmp_path,
        page,
        f"{TELL} tell({json.dumps(times.tolist())}.map((t) => "
        "[touchable.fires(cell, t), touchable.closest(t)[0]]));",
    )
    at = np.array([np.nan if one[0] is None else one[0] for one in found])
    with jax.enable_x64(True):
        expected = np.asarray(leaky_neuron.fired(of_talk(cell), times))
    np.testing.assert_array_equal(np.isfinite(at), expected == 1)
    # The band of its key claim.
    assert (np.isfinite(at[:TRIALS]) == classes).mean() >= 0.99
    np.testing.assert_allclose(at, reached(cell, times, task.trial_ms), atol=1e-6)
    np.testing.assert_allclose(
        [one[1] for one in found], np.diff(np.sort(times, axis=1), axis=1).min(axis=1), atol=1e-9
    )


@browser
def test_what_stands_without_script_is_what_the_script_draws(tmp_path, page):
    drawn = """
const drawn = () => [...document.querySelectorAll(".touch")].map((f) => [
  f.querySelector(".says")?.textContent.trim() ?? "",
  ...[...f.querySelectorAll(".spikes, .stems")].map((e) => e.getAttribute("d"))]);
"""
    text = page.read_text(encoding="utf-8")
    still = page.with_name("still.html")
    still.write_text(re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL), encoding="utf-8")
    alone = ask(tmp_path, still, f"{TELL}{drawn} tell(drawn());")
    assert ask(tmp_path, page, f"{TELL}{drawn} tell(drawn());") == alone
    assert "fires" in alone[0][0] and "The network decides yang" in alone[1][0]


@browser
def test_the_time_constant_can_be_changed_and_comes_back(tmp_path, page, cell):
    script = """
const tau = neuron.querySelector("input");
const curve = () => neuron.querySelector("path.membrane").getAttribute("d");
const first = curve();
tau.value = "1"; tau.dispatchEvent(new Event("input"));
const short = { curve: curve(), text: tau.parentNode.querySelector("output").textContent };
neuron.querySelector(".trained").click();
tell({ first, short, back: curve() });
"""
    found = ask(tmp_path, page, TELL + script)
    assert found["first"] == found["back"] != found["short"]["curve"]
    assert found["short"]["text"] == "1 ms"
    times = json.loads(re.search(r'data-times="(.*?)"', page.read_text("utf-8"))[1])
    _, v = touchable.potential({**cell, "tau_ms": 1.0}, np.array(times), 60.0)
    drawn = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", found["short"]["curve"])]
    lowest = 214 - v.max() * 96 / cell["theta"]
    assert min(drawn) == pytest.approx(lowest, abs=0.2), "its highest potential"


@browser
def test_a_keyboard_and_the_buttons_move_it(tmp_path, page):
    found = ask(tmp_path, page, TELL + USE, size="390,844")
    assert found["right"] == pytest.approx(found["began"] + 0.1, abs=0.01)
    assert found["left"] == 0  # one ms earlier would be before the trial
    assert (found["page"], found["end"], found["home"]) == (1, 60, 0)
    assert found["thumb"] >= 24, "a finger needs as many pixels (WCAG 2.5.8)"
    assert found["dragged"] == pytest.approx(0.75 * 60, abs=0.2)
    assert sum("fires" in says for says in found["together"]) >= 19
    assert sum("silent" in says for says in found["apart"]) >= 19
    assert found["moved"] == "x 0.36, y 0.22"
    assert "The network decides yin" in found["decides"]


def test_the_units_are_those_that_the_record_counted(cell):
    rows = touchable.units(RECORD, len(cell["w"]))
    assert rows[0][1:] == (1, 1)
    assert dict((words, n) for words, n, _ in rows)[touchable.ARMS["pairs"]] == 3 * 45
    assert touchable.units(RECORD, 3) != rows


def test_nothing_is_shown_where_the_record_has_nothing(tmp_path):
    assert touchable.one_neuron(tmp_path) == touchable.yin_yang(tmp_path) == ""


def test_the_network_is_the_shipped_one():
    network = shipped_first_spikes.read(RECORD)
    samples = np.load(RECORD / f"{shipped_first_spikes.NETWORK}.npz")
    by_class = shipped_first_spikes.decisions(network, RECORD)
    agree = [
        (shipped_first_spikes.response(network, points)[2].argmin(axis=1) == k).mean()
        for k, points in enumerate(by_class)
    ]
    # Points are known to a step of the graph only.
    assert min(agree) >= 0.98
    assert [len(points) for points in by_class] == np.bincount(samples["choices"]).tolist()
