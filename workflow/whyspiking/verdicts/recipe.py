"""What a talk's networks are made by: as it was recorded, and as it is now.

Of talk.yaml every value by the keys to it, of code a digest by file; the manifest of a record
holds both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from whyspiking.declared.registry import Talk
from whyspiking.running import code_inputs

TOLD = {
    "title", "speaker", "question", "papers", "what", "says", "source", "why", "unit", "learning",
    "takes_no_part", "of_training", "learns", "from_scale", "first_seeds", "tuned", "provenance",
    "smoke", "folder", "mnist_dir", "vowels_dir", "originals_dir", "download",
}  # fmt: skip
"""Keys of talk.yaml and of the config that decide no recorded number of a network."""
OF_A_RUN = ("scale", "talks", "seeds", "seeds_of", "shared", "build_folder")
"""Keys of the config that say which networks a run trains."""
ORIGINALS = "data.originals_dir"
"""Where files of the authors lie; a claim that needs one says so where it is not there."""


SHARED = re.compile(r"experiments\.[^.]+\.(?=parameters\.)")
"""What stands before a parameter of an experiment that all may share."""
PLACE = re.compile(r"(?:experiments\.([^.]+)\.)?(?:parameters\.)?(.+)")
"""Experiment, if there is one, and what readers call the key."""


@dataclass(frozen=True)
class Change:
    """A key or a file that is not as it was recorded.

    Attributes:
        key: Name of a parameter, other keys below the experiment; or a file of the package.
        before: The recorded value; None where there was none, and of files.
        now: The value; None where there is none, and of files.
        places: Experiments that have the change; empty where it stands above them.
    """

    key: str
    before: Any = None
    now: Any = None
    places: list[str] = field(default_factory=list)


def of(talk: Talk) -> dict[str, Any]:
    """All values of talk.yaml that decide networks and what is measured of them.

    What an experiment has of the parameters that all share stands with these alone.
    """
    found = dict(_leaves(talk.model_dump(mode="json", exclude_defaults=True)))
    above = {path: SHARED.sub("", path) for path in found}
    return {k: v for k, v in found.items() if above[k] == k or found.get(above[k]) != v}


def of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """All values of the config that decide numbers, by the keys to them."""
    found = dict(_leaves({key: part for key, part in config.items() if key not in OF_A_RUN}))
    found.pop(ORIGINALS, None)
    return found


def differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Keys of which the value is another; those of several experiments are joined."""
    joined: dict[str, Change] = {}
    for path in dict.fromkeys((*then, *now)):
        pair = [told.get(path, told.get(SHARED.sub("", path))) for told in (then, now)]
        if pair[0] != pair[1]:
            place, key = PLACE.findall(path)[0]
            change = joined.setdefault(repr((key, pair)), Change(key, *pair))
            change.places.extend([place] if place else [])
    return list(joined.values())


def code(talk: Talk, manifest: Mapping[str, Any]) -> list[Change]:
    """Files that do something else than when the talk was recorded."""
    if "inputs" not in manifest:
        return []
    known = manifest["inputs"]
    keys = {experiment.data_key for experiment in talk.experiments.values()}
    now = code_inputs.of_results(talk.name, keys)
    return [Change(f) for f, (_, d) in now.items() if known.get(f) != d]


def changes(talk: Talk, manifest: Mapping[str, Any]) -> list[Change]:
    """What differs from the record of a talk.

    Args:
        talk: As it is now.
        manifest: Of its record. One without a recipe says of code alone.
    """
    then = manifest.get("recipe")
    return [*(differing(then, of(talk)) if then else ()), *code(talk, manifest)]


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value with the keys to it; what is only said is left out."""
    if not isinstance(value, dict):
        yield ".".join(path), value
    else:
        for key in (key for key in value if key not in TOLD):
            # `value` stands beside what is said of it.
            yield from _leaves(value[key], path if key == "value" else (*path, str(key)))
