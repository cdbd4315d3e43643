"""Networks that others contributed stand apart from those of the talks."""

import pytest
from made.common_ground import CONFIG, experiment, metrics, talk
from made.measured import table

from whyspiking.report import same_task_section as section
from whyspiking.report.same_task_rows import SharedTasks
from whyspiking.verdicts import common_ground
from whyspiking.verdicts.described import described


@pytest.fixture(scope="module")
def made():
    """The shared tasks of three made-up talks."""
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
    return SharedTasks(common_ground.matrix(described(found, talks), talks, CONFIG), talks)


def test_networks_from_elsewhere_stand_apart(made):
    guest = {
        "task": "randman", "name": "from afar", "says": "of <i>others</i>", "by": "us",
        "accuracy": 0.9, "ci_low": 0.88, "ci_high": 0.92,
        "spikes_hidden": 12.0, "reproduced": False,
    }  # fmt: skip
    wider = SharedTasks(made.shared, made.talks, guests=[guest])
    told = section.community(wider)
    assert "90 %" in told and "of &lt;i&gt;others" in told
    assert section.community(made) == ""
