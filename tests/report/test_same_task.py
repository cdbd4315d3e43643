"""The tasks that all are set: a matrix of made-up methods and references."""

import re

import pytest
from made.common_ground import CONFIG, experiment, metrics, talk
from made.frontier_points import family, points, rule
from made.markup import plain
from made.measured import table

from whyspiking.report import same_task_section as section
from whyspiking.report.same_task_rows import SharedTasks
from whyspiking.verdicts import advantage, common_ground, frontiers
from whyspiking.verdicts.described import described

UP = [(1000, 0.75), (2000, 0.9), (4000, 1.0)]


@pytest.fixture(scope="module")
def made():
    """Ground of three made-up talks; frontiers, and what is read of them."""
    home = experiment("home", "randman", ["spiking", "bptt"])
    quiet = experiment("quiet", "randman", ["rates"], robustness_tests=[])
    talks = {
        "home": talk("home", home),
        "quiet": talk("quiet", quiet),
        "idle": talk("idle"),
    }
    found = table(
        metrics(home, "spiking", [0.9, 0.9, 0.9], spikes_hidden=30.0),
        metrics(home, "bptt", [0.3, 0.3, 0.3], spikes_hidden=90.0),
        metrics(quiet, "rates", [0.95, 0.95, 0.95]),
    )
    ground = SharedTasks(common_ground.matrix(described(found, talks), talks, CONFIG), talks)
    place = {"task": "randman", "chance": 0.1}
    rows = points(
        family("lif", UP, **place),
        family("gru", UP[:2], times=9.0, **place),
        rule("Home", [(8000, 0.9)] * 3, n_hidden=4000, **place),
        rule("Home (BPTT)", [(8000, 0.3)] * 3, n_hidden=4000, **place),
    )
    return ground, *(m.table(rows, CONFIG["energy"]) for m in (frontiers, advantage))


def cells(page):
    rows = re.findall(r"<tr.*?</tr>", page.split("<tbody>")[1], re.DOTALL)
    return [plain(row) for row in rows]


def test_the_matrix_has_every_method_with_what_it_gives_away_and_the_references_below(made):
    page = section.matrix(*made)
    assert cells(page) == [
        "Home 90 −10 (−10 to −10)",
        "Home (BPTT) 30 −70 (−70 to −70)",
        "Quiet (rates) 95",
        "trained, spiking (LIF) 100",
        "trained, GRUs 90",
    ]
    assert "idle was not made for randman" not in plain(page), "it has no row"


def test_without_references_only_methods_are_told(made):
    ground, networks, read = made
    page = section.matrix(ground, networks.iloc[:0], read.iloc[:0])
    assert cells(page) == ["Home 90", "Home (BPTT) 30", "Quiet (rates) 95"]


def test_who_is_shown_less_or_did_not_always_learn_is_told(made):
    shared, networks, read = made
    fewer = shared.shared["n_samples_shown"].where(shared.shared["variant"] != "bptt", 8000)
    shared = SharedTasks(shared.shared.assign(n_samples_shown=fewer), shared.talks)
    some = read.assign(
        n_reached_spiking=read["n_reached_spiking"].where(read["subject"] != "Home", 2)
    )
    home, bptt, *_ = cells(section.matrix(shared, networks, some))
    assert home.endswith("2 of 3 trainings succeeded") and "shown" not in home
    assert bptt.endswith(", 2.5 % of the samples shown") and "succeeded" not in bptt
    poor = read.assign(comment=read["comment"].where(read["subject"] != "Home", "not above chance"))
    assert cells(section.matrix(shared, networks, poor))[0] == "Home 90 not above chance"


def test_networks_from_elsewhere_stand_apart_and_are_counted_nowhere(made):
    ground = made[0]
    guest = {
        "task": "randman", "name": "from afar", "says": "of <i>others</i>", "by": "us",
        "accuracy": 0.9, "ci_low": 0.88, "ci_high": 0.92,
        "spikes_hidden": 12.0, "reproduced": False,
    }  # fmt: skip
    wider = SharedTasks(ground.shared, ground.talks, guests=[guest])
    assert section.matrix(wider, *made[1:]) == section.matrix(*made)
    told = section.community(wider)
    assert "90 %" in told and "of &lt;i&gt;others" in told
    assert section.community(ground) == ""
