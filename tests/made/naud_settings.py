"""Parameters of the talk naud, for tests."""

from dataclasses import replace
from pathlib import Path

import yaml

from whyspiking.contract.types import Params
from whyspiking.declared import registry

CONFIG = yaml.safe_load((Path(__file__).parents[2] / "config" / "config.yaml").read_text())


def params(experiment: str, scale: str = "smoke", **changes) -> Params:
    """Parameters of an experiment at a scale, some of them changed."""
    described = registry.load_talk("naud").experiments[experiment]
    found = registry.params(described, {**CONFIG, "scale": scale})
    return replace(found, values={**found.values, **changes})
