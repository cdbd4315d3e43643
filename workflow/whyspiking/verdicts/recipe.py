"""What a talk's networks are made by: as it was recorded, and as it is now.

Of talk.yaml every value by the keys to it, of code a digest by file; the manifest of a record
holds both.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whyspiking.declared import registry, scales
from whyspiking.declared.registry import Talk
from whyspiking.records import reference
from whyspiking.running import code_inputs

TOLD = {
    "title", "speaker", "question", "papers", "what", "says", "source", "why", "unit", "learning",
    "takes_no_part", "of_training", "learns", "from_scale", "first_seeds", "tuned", "provenance",
    "smoke", "folder", "mnist_dir", "originals_dir", "download",
}  # fmt: skip
"""Keys of talk.yaml and of the config that decide no recorded number of a network."""
OF_A_RUN = ("scale", "talks", "seeds", "seeds_of", "shared", "build_folder")
"""Keys of the config that say which networks a run trains."""
SHARED = re.compile(r"experiments\.[^.]+\.(?=parameters\.)")
"""What stands before a parameter of an experiment that all may share."""
SCALED = re.compile(r"(?:scaled\.([^.]+)\.)?(.+)")
"""The scale that a key is of, if it is of one alone, and the parameter."""
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

    @property
    def edited(self) -> bool:
        """Whether it is a key; of a file only that it changed is known."""
        return self.before != self.now


def of(talk: Talk) -> dict[str, Any]:
    """All values of talk.yaml that decide networks and what is measured of them.

    What an experiment has of the parameters that all share stands with these alone.
    """
    found = dict(_leaves(talk.model_dump(mode="json", exclude_defaults=True)))
    above = {path: SHARED.sub("", path) for path in found}
    return {k: v for k, v in found.items() if above[k] == k or found.get(above[k]) != v}


def of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """All values of the config that decide numbers, by the keys to them."""
    return dict(_leaves({key: part for key, part in config.items() if key not in OF_A_RUN}))


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


def without_effect(talk: Talk, change: Change, scale: str, run: Collection[str]) -> dict[str, str]:
    """Experiments in which a changed key decides nothing at a scale, each with the reason.

    Args:
        talk: As it is now.
        change: Of its talk.yaml.
        scale: Of the run.
        run: Experiments of the talk of which the run trains a network.

    Returns:
        Empty where the key decides something in any experiment that it stands in.
    """
    recipe, (of, name) = scales.recipe(scale), SCALED.findall(change.key)[0]
    every = [own.name for own in talk.experiments.values() if name in own.parameters]
    found: dict[str, str] = {}
    for place in change.places or every:
        experiment = talk.experiments.get(place)
        if experiment is None or place not in run:
            found[place] = f"not run at scale {scale}"
        elif of and of != recipe:
            found[place] = f"of scale {of} alone"
        elif not of and name in experiment.changes(scale):
            found[place] = f"scaled.{recipe} sets {experiment.changes(scale)[name]['value']}"
        else:
            return {}
    return found


def idle_lines(talks: Iterable[Talk], config: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """For users who edit a talk.yaml: what differs from the record and has no effect in this run.

    Args:
        talks: As they are now.
        config: The run configuration.
        folder: The record.
    """
    for talk in talks:
        if (folder / talk.name / "manifest.json").is_file():
            run = [e.name for e in talk.experiments.values() if registry.seeds(e, config)]
            then = reference.manifest(folder / talk.name).get("recipe")
            for change in differing(then, of(talk)) if then else ():
                if where := without_effect(talk, change, config["scale"], run):
                    why = "; ".join(f"{place}: {reason}" for place, reason in where.items())
                    yield (
                        f"talks/{talk.name}/talk.yaml: {change.key} {change.before} -> "
                        f"{change.now} has no effect here ({why})"
                    )


def changes(talk: Talk, manifest: Mapping[str, Any]) -> list[Change]:
    """What differs from the record of a talk: keys, and files that do something else.

    Args:
        talk: As it is now.
        manifest: Of its record; without a recipe it says of code alone, without inputs of none.
    """
    then, known = manifest.get("recipe"), manifest.get("inputs")
    found = differing(then, of(talk)) if then else []
    if known is not None:
        keys = {experiment.data_key for experiment in talk.experiments.values()}
        now = code_inputs.of_results(talk.name, keys)
        found += [Change(f) for f, (_, digest) in now.items() if known.get(f) != digest]
    return found


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value with the keys to it; what is only said is left out."""
    if not isinstance(value, dict):
        yield ".".join(path), value
    else:
        for key in (key for key in value if key not in TOLD):
            # `value` stands beside what is said of it.
            yield from _leaves(value[key], path if key == "value" else (*path, str(key)))
