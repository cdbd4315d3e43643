"""What a talk's networks are made by: as it was recorded, and as it is now.

Of talk.yaml every value by the keys to it, of code a digest by file; the manifest of a record
holds both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Change:
    """A key or a file that is not as it was recorded.

    Attributes:
        key: Of talk.yaml, below the experiment ("parameters.xi"); or a file of the package.
        before: The recorded value; None where there was none, and of files.
        now: The value; None where there is none, and of files.
        places: Experiments that have the change; empty where it stands above them.
    """

    key: str
    before: Any = None
    now: Any = None
    places: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What readers call it."""
        return self.key.removeprefix("parameters.")

    @property
    def is_code(self) -> bool:
        """Whether it is a file, of which nothing is known but that it differs."""
        return self.before is None and self.now is None


def of(talk: Talk) -> dict[str, Any]:
    """All values of talk.yaml that decide networks and what is measured of them.

    What an experiment has of the parameters that all share stands with these alone.
    """
    found = dict(_leaves(talk.model_dump(mode="json", exclude_defaults=True)))
    return {
        path: value
        for path, value in found.items()
        if (above := _above(path)) == path or above not in found or found[above] != value
    }


def changes(talk: Talk, manifest: Mapping[str, Any]) -> list[Change]:
    """What differs from the record of a talk; a change of several experiments counts as one.

    Args:
        talk: As it is now.
        manifest: Of its record. One without a recipe says of code alone.
    """
    then = manifest.get("recipe")
    keys = [] if then is None else differing(then, of(talk))
    return [*keys, *(Change(file) for file in _code(talk, manifest))]


def of_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """All values of the config that decide numbers, by the keys to them."""
    return dict(_leaves({key: part for key, part in config.items() if key not in OF_A_RUN}))


def differing(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Keys of which the value is another; those of several experiments are joined."""
    joined: dict[str, Change] = {}
    for path in dict.fromkeys((*then, *now)):
        before, after = (told.get(path, told.get(_above(path))) for told in (then, now))
        if before != after:
            place, key = _split(path)
            same = joined.get(repr((key, before, after)), Change(key, before, after))
            places = (*same.places, place) if place else same.places
            joined[repr((key, before, after))] = replace(same, places=places)
    return list(joined.values())


def _code(talk: Talk, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Files that do something else than when the talk was recorded, and that no note covers."""
    known = [manifest.get("inputs", {}), *(note["inputs"] for note in manifest.get("notes", ()))]
    keys = {experiment.data_key for experiment in talk.experiments.values()}
    for file, (_, digest) in code_inputs.of_results(talk.name, keys).items():
        if known[0] and all(digests.get(file) != digest for digests in known):
            yield file


def _split(path: str) -> tuple[str, str]:
    """Experiment, empty where there is none, and the key below it."""
    first, _, rest = path.partition(".")
    if first != "experiments":
        return "", path
    place, _, key = rest.partition(".")
    return place, key


def _above(path: str) -> str:
    """Where a parameter of an experiment stands that all share; else the path itself."""
    place, key = _split(path)
    return key if place and key.startswith("parameters.") else path


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value with the keys to it; what is only said is left out."""
    if not isinstance(value, dict):
        yield ".".join(path), value
        return
    for key, part in value.items():
        if key not in TOLD:
            # `value` stands beside what is said of it.
            yield from _leaves(part, path if key == "value" else (*path, str(key)))
