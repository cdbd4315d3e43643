"""One trial in three networks: buttons, slider and keys move through time."""

import json

import pytest
from made.browser import CHROMIUM, ask

from whyspiking.records.reference import FOLDER
from whyspiking.report import watch
from whyspiking.report.html import ASSETS

KEPT = json.loads((FOLDER / watch.FILE).read_text(encoding="utf-8"))
USE = """
const tell = (x) => { const p = document.createElement("pre"); p.id = "measured";
  p.textContent = JSON.stringify(x); document.body.append(p); };
const figure = document.getElementById("watch");
const part = () => figure.querySelector("[data-shown]:not([hidden])");
const read = () => [...part().querySelectorAll(".network")].map((box) =>
  [".energy", ".choice", ".outputs"].map((name) => box.querySelector(name).textContent));
const push = (name) => figure.querySelector(`[data-move="${name}"]`).click();
const slider = figure.querySelector("input");
const found = { last: read(), n: figure.querySelectorAll(".steps button").length };
push("first"); found.first = read();
found.veil = Number(part().querySelector(".veil").getAttribute("width"));
push("on"); push("on"); push("back"); found.step = slider.value;
slider.value = "40"; slider.dispatchEvent(new Event("input")); found.forty = read();
push("play"); found.playing = figure.querySelector('[data-move="play"]').textContent; push("play");
push("last"); found.back = read();
figure.querySelector('[data-trial="1"]').click(); found.other = read();
found.small = Math.min(...[...figure.querySelectorAll(".steps :is(button, input)")]
  .map((e) => e.getBoundingClientRect().height));
tell(found);
"""


def expect(trial, step):
    """Energy of each network after a step."""
    return [str(f"{network['trials'][trial]['energy'][step]:.4g}") for network in KEPT["networks"]]


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium")
def test_a_reader_moves_through_a_trial(tmp_path):
    style = "".join((ASSETS / x).read_text() for x in ("style.css", "touchable.css", "energy.css"))
    script = (ASSETS / "watch.js").read_text()
    page = tmp_path / "page.html"
    page.write_text(
        f'<!doctype html><html lang="en"><style>{style}</style><body><main>{watch.draw_trial()}'
        f"</main><script>{script}</script></body></html>"
    )
    found = ask(tmp_path, page, USE)
    last = KEPT["n_steps"] - 1
    for state, trial, step in (
        ("last", 0, last),
        ("first", 0, 0),
        ("forty", 0, 40),
        ("back", 0, last),
        ("other", 1, last),
    ):
        assert [row[0] for row in found[state]] == expect(trial, step), state
    assert found["first"][0][1:] == ["No decision yet.", "none before the go signal"]
    for network, row in zip(KEPT["networks"], found["last"], strict=True):
        own = network["trials"][0]
        is_right = own["choice"] == KEPT["trials"][0]["class"]
        said = "correct" if is_right else "wrong"
        assert row[1] == f"Decision: cue {own['choice'] + 1}, which is {said}."
    assert found["veil"] == last * watch.STEP_PX and found["step"] == "1"
    assert (found["n"], found["playing"]) == (3 + 5, "Pause") and found["small"] >= 24


def test_nothing_is_shown_without_the_file(tmp_path):
    assert watch.draw_trial(tmp_path) == ""
