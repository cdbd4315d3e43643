"""Finds parameters, code and versions of a run that differ from the reference results."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whyspiking.declared.registry import Talk
from whyspiking.records.whole_files import read_json
from whyspiking.running import code_inputs, machine

UNREAD = {
    "title", "speaker", "question", "publications", "description", "source", "reason", "unit",
    "learning_rules", "excluded_tasks", "training_parameters", "trained_here", "from_scale",
    "max_seeds", "tuning_grids", "provenance", "smoke", "folder", "mnist_dir", "originals_dir",
    "download", "permitted", "range",
}  # fmt: skip
"""Attributes of a talk, and keys of the config, that change no number of a network."""
SELECTION = ("scale", "talks", "seeds", "seeds_of", "shared", "build_folder", "results_folder")
"""Keys of the config that select networks and folders."""
INHERITED = re.compile(r"experiments\.[^.]+\.(?=parameters\.)")
"""Prefix of a parameter of an experiment; without it, the key is that of the whole talk."""
PLACE = re.compile(r"(?:experiments\.([^.]+)\.)?(?:parameters\.)?(.+)")
"""Experiment, if there is one, and name of a parameter."""
VERSIONS = {
    "compiler": "compiler",
    "processor": "processor",
    "caches": "caches",
    "vectors": "SIMD level",
    "python": "Python",
    **{name: name for name in machine.VERSIONS_OF},
}
"""What else decides the last digits of a number -> its name on pages."""


@dataclass(frozen=True)
class Change:
    """A parameter or a code file that differs from the reference results.

    Attributes:
        key: Name of the parameter, or code file.
        before: Value in the reference results; None where there is none, and for files.
        now: Present value; None where there is none, and for files.
        places: Experiments that have the change; empty if it holds for the whole talk.
    """

    key: str
    before: Any = None
    now: Any = None
    places: list[str] = field(default_factory=list)

    @property
    def is_parameter(self) -> bool:
        """Whether it is a parameter; of a file only its digest is known."""
        return self.before != self.now


def list_parameters(talk: Talk) -> dict[str, Any]:
    """List all values of talk.yaml that decide numbers of networks, by the keys to them."""
    return dict(_flatten(talk.model_dump(mode="json", exclude_defaults=True)))


def list_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """List all values of the config that decide numbers of networks, by the keys to them."""
    return dict(_flatten({key: part for key, part in config.items() if key not in SELECTION}))


def _flatten(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield ".".join(path), value
        return
    for key in (key for key in value if key not in UNREAD):
        # `value` stands next to the source of a parameter.
        yield from _flatten(value[key], path if key == "value" else (*path, str(key)))


def find_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Find the keys whose values differ; equal changes of several experiments are one change."""
    changes: dict[str, Change] = {}
    for path in dict.fromkeys((*before, *now)):
        pair = [values.get(path, values.get(INHERITED.sub("", path))) for values in (before, now)]
        if pair[0] != pair[1]:
            place, key = PLACE.findall(path)[0]
            change = changes.setdefault(repr((key, pair)), Change(key, *pair))
            change.places.extend([place] if place else [])
    return list(changes.values())


def find_talk_changes(talk: Talk, manifest: Mapping[str, Any]) -> list[Change]:
    """Find the parameters and code files of a talk that differ from the reference results.

    Args:
        talk: The talk as it is now.
        manifest: Its manifest in the reference results.
    """
    changes = (
        find_changes(manifest["recipe"], list_parameters(talk)) if "recipe" in manifest else []
    )
    if "inputs" in manifest:
        keys = {experiment.data_key for experiment in talk.experiments.values()}
        files = code_inputs.of_results(talk.name, keys)
        digests = manifest["inputs"]
        changes += [Change(f) for f, (_, digest) in files.items() if digests.get(f) != digest]
    return changes


def read_stamps(folder: Path) -> list[dict[str, Any]]:
    """Read with which versions the networks of a results folder were trained, each set once.

    A network may have been trained before the present versions were installed. If the folder has no
    networks, the present versions are returned.
    """
    processor = machine.processor()
    unknown = {**dict.fromkeys(VERSIONS, "not stated"), "processor": processor}
    stamps = {}
    for path in sorted(folder.rglob("seed-*/network.json")):
        stamp = read_json(path, "info")["info"].get(machine.MADE_WITH, {})
        stamps[json.dumps(stamp)] = {**unknown, **stamp}
    return list(stamps.values()) or [{**machine.making(), "processor": processor}]


def find_other_versions(
    manifests: Iterable[Mapping[str, Any]], stamps: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str, str]]:
    """Find compiler, processor, SIMD level and versions that differ from the reference results.

    Args:
        manifests: Manifests of talks in the reference results.
        stamps: As `read_stamps` returns them.

    Returns:
        Name, value in the reference results, value in this run.
    """
    differing = {}
    for manifest in manifests:
        recorded = {
            "compiler": "not stated",
            "python": manifest.get("python"),
            "processor": manifest.get("machine", {}).get("cpu"),
            **manifest.get("versions", {}),
            **manifest.get("arithmetic", {}),
        }
        for name, label in VERSIONS.items():
            here = ", ".join(dict.fromkeys(str(stamp[name]) for stamp in stamps))
            if recorded.get(name) not in (None, here):
                differing[label] = (label, recorded[name], here)
    return list(differing.values())
