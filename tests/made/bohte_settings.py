"""Settings, tasks and random streams of bohte at smoke scale, for its tests."""

from dataclasses import replace
from pathlib import Path

import yaml
from made.fulfilled import fulfilled

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Split
from whyspiking.declared import registry

ROOT = Path(__file__).parents[2]
CONFIG = {**yaml.safe_load((ROOT / "config" / "config.yaml").read_text()), "scale": "smoke"}
TALK = registry.load_talk("bohte")
STREAMS = Streams(0)


def params_of(experiment="ecg", seed=0, **changes):
    found = registry.params(TALK.experiments[experiment], CONFIG, seed)
    return replace(found, values={**found.values, **changes})


def task_of(params, split: Split = "test"):
    made = fulfilled(params).make_task(params, split, STREAMS)
    assert made is not None
    return made


def quiet(share, news):
    pass
