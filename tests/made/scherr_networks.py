"""Parameters of the e-prop talk for its tests."""

from dataclasses import replace
from pathlib import Path

import yaml

from whyspiking.declared import registry

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
TALK = registry.load_talk("scherr")


def parameters(experiment, scale="smoke", **changes):
    """Of one experiment at a scale, with changes."""
    params = registry.params(TALK.experiments[experiment], {**CONFIG, "scale": scale})
    return replace(params, values={**params.values, **changes})
