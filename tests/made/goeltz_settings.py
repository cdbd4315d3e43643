"""Settings of goeltz, at smoke scale unless another is named, for its tests."""

from whyspiking.contract.types import Params
from whyspiking.declared import registry


def params(experiment="yinyang", scale="smoke", **changes):
    entry = registry.load_talk("goeltz").experiments[experiment]
    values = dict(entry.published)
    values.update({k: v["value"] for k, v in entry.changes(scale).items()})
    return Params("goeltz", experiment, scale, {**values, **changes})


def silent(share, news):
    """Progress that nobody reads."""
