"""The built network that a reader can change: the page computes what the ground computes."""

import html
import json
import re

import numpy as np
import pytest
from made.browser import CHROMIUM, ask

from whyspiking.declared import registry
from whyspiking.report import tasks_section
from whyspiking.report.html import ASSETS
from whyspiking.tasks import cue_streams, gated_networks
from whyspiking.tasks.span_recall import hand_designed as span
from whyspiking.tasks.span_recall.generator import SETTINGS as SPAN

TALK = registry.load_talk("ground")
TRIED = [
    (1, 1, 4.8),
    (0.5, 1, 4.8),
    (1, 0.3, 4.8),
    (2, 2, 4.8),
    (1, 1, 2.0),
    (1, 1, 8.5),
    (0, 0, 1),
]
"""Weights of cue and marker, as shares of those built, and threshold of the gates."""


@pytest.fixture(scope="module")
def told():
    data = re.search(r'data-network="([^"]*)"', str(tasks_section.trial(TALK)))
    assert data is not None
    return json.loads(html.unescape(data[1]))


def answered(cue, marker, theta):
    """Choices and spikes a trial of the ground's own network, changed."""
    params = TALK.experiments["span_recall"].published
    dt_ms = params["dt_ms"]
    x, classes = cue_streams.on_steps(np.random.default_rng(0), tasks_section.TRIALS, SPAN, dt_ms)
    arrays = dict(span.spiking(None, None).arrays)
    cues = cue_streams.GROUPS * SPAN.per_group
    scale = np.ones((SPAN.n_inputs, 1))
    scale[:cues], scale[cues : cues + SPAN.marker] = cue, marker
    arrays |= {"gate": scale * arrays["gate"], "theta_gate": theta}
    sent, _ = gated_networks.run(arrays, x, dt_ms)
    late = -round(params["last_ms"] / dt_ms)
    fired = sum(spikes[:, late:].sum(axis=1) for spikes in sent.values())
    choices = np.where(fired.any(axis=1), fired.argmax(axis=1), -1)
    return choices, sum(spikes.sum() for spikes in sent.values()) / len(x), classes


def test_the_network_that_is_shown_is_the_recorded_one(told):
    choices, _, classes = answered(1, 1, told["theta_gate"])
    assert (choices == classes).mean() >= 0.95
    assert told["classes"] == classes.tolist() and len(told["spikes"]) == tasks_section.TRIALS
    assert span.SPIKING_NETWORKS["spiking"] is span.spiking
    rights = {at: (answered(*at)[0] == classes).mean() for at in TRIED}
    assert min(rights.values()) < 0.4, "what is changed matters"


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_the_page_computes_what_python_computes(told, tmp_path):
    page = tmp_path / "page.html"
    script = (ASSETS / "touchable.js").read_text(encoding="utf-8")
    body = f"{tasks_section.trial(TALK)}<script>{script}</script>"
    page.write_text(f'<html lang="en"><body>{body}</body></html>', encoding="utf-8")
    found = ask(tmp_path, page, f"""
    const figure = document.getElementById("touch-built");
    const net = JSON.parse(figure.dataset.network);
    const says = () => figure.querySelector(".says").textContent;
    const out = document.createElement("pre"); out.id = "measured";
    const began = says();
    const [cue] = figure.querySelectorAll("input");
    cue.value = 0; cue.dispatchEvent(new Event("input")); const moved = says();
    figure.querySelector("button").click();
    out.textContent = JSON.stringify({{ began, moved, back: says(),
      all: {json.dumps(TRIED)}.map((x) => built.answers(net, ...x)) }});
    document.body.append(out);
    """)  # fmt: skip
    for at, own in zip(TRIED, found["all"], strict=True):
        choices, spikes, classes = answered(*at)
        assert own["choices"] == choices.tolist()
        assert own["spikes"] == pytest.approx(spikes)
    right = int((answered(1, 1, told["theta_gate"])[0] == classes).sum())
    assert found["began"] == found["back"] != found["moved"]
    assert f"right in {right} of {tasks_section.TRIALS} trials" in found["began"]
