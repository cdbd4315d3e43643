"""The project's own configuration, and its experiments as jobs get them, for the tests."""

import copy
import functools
from typing import Any

from made.checkouts import ROOT

from whyspiking.declared import registry
from whyspiking.declared.config import read
from whyspiking.talks import as_declared

talk_of = functools.cache(registry.load_talk)
"""A talk as its file describes it, read once: not for tests that change files."""


@functools.cache
def _config() -> dict[str, Any]:
    return read(folder=ROOT / "config")


def config(scale: str = "smoke") -> dict[str, Any]:
    """The project's own configuration at a scale."""
    return {**copy.deepcopy(_config()), "scale": scale}


def params_of(talk: str, experiment: str, scale: str = "smoke", seed: int = 0, **changes) -> Any:
    """Parameters of an experiment at a scale, some of them changed."""
    found = registry.params(talk_of(talk).experiments[experiment], config(scale), seed)
    return as_declared(found).with_values(**changes)


def silent(*_):
    """Progress that nobody reads."""
