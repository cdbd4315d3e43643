"""Settings of clopath, at smoke scale unless another is named, for its tests."""

from dataclasses import replace
from pathlib import Path

import yaml

from whyspiking.contract.types import Params
from whyspiking.declared import registry

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


def parameters(experiment: str, scale: str = "smoke", **changed) -> Params:
    described = registry.load_talk("clopath").experiments[experiment]
    params = registry.params(described, {**CONFIG, "scale": scale})
    return replace(params, values={**params.values, **changed})
