"""Fetches or makes the data sets that consist of files, and describes each in its meta.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from whyspiking.contract.types import Progress
from whyspiking.datasets import recordings
from whyspiking.records import whole_files


def fetch(config_data: Mapping[str, Any], meta: Path, progress: Progress) -> None:
    """Bring MNIST into the data folder, and write down what it is.

    Args:
        config_data: The `data` block of the config.
        meta: Where the description goes, `<data.folder>/mnist/meta.json`; written last, so that
            it exists only beside complete files.
        progress: Called with the fraction done.

    Raises:
        UserError: If it cannot be obtained.
    """
    from whyspiking.datasets import mnist

    progress(0.0, "looking for MNIST")
    mnist.fetch(config_data)
    facts = {
        "name": "MNIST",
        "provenance": "original",
        "sha256": {file: digest for file, (_, digest) in mnist.FILES.items()},
        "citation": "LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998",
        "licence": "CC BY-SA 3.0, as stated by the redistributors",
    }
    _describe(facts, meta)
    progress(1.0, f"MNIST is in {meta.parent}, all files checked")


def shards(key: str, config_data: Mapping[str, Any]) -> list[str]:
    """Names of the parts in which a data set is made, a job each: speakers, or digits in order.

    Args:
        key: "words" or "nmnist".
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
        key: "words" or "nmnist".
        config_data: The `data` block of the config.
        name: Of `shards`.
        path: The .npz to write.
        progress: Called with the fraction done.

    Raises:
        UserError: If there is no eSpeak NG or no compiler, or an original file is damaged.
    """
    if key == "nmnist":
        recordings.record(config_data, name, path)
        progress(1.0, "recorded")
        return
    from whyspiking.datasets.speech import commands

    commands.speak(config_data[key], int(name), path, progress)


def gather(key: str, config_data: Mapping[str, Any], parts: Sequence[Path], meta: Path) -> None:
    """Put together what all speakers said, and describe the data set.

    Args:
        key: "words" or "nmnist".
        config_data: The `data` block of the config.
        parts: Files of all `shards`.
        meta: Where the description goes, beside the files.
    """
    if key == "nmnist":
        _describe(recordings.describe(config_data, parts), meta)
        return
    from whyspiking.datasets.speech import commands

    settings = config_data[key]
    files, facts = commands.gather(parts, meta.parent)
    _describe(
        {
            "name": commands.NAME,
            "provenance": "synthetic",
            "sha256": _digests(files),
            "settings": dict(settings),
            "parameters": commands.described(settings),
            "seeds": "every speaker's number is the seed of all that is drawn for that speaker",
            **facts,
            "citation": commands.CITATION,
            "licence": "MIT, as this project; the voices are those of eSpeak NG (GPL-3.0-or-later)",
        },
        meta,
    )


def _digests(files: Sequence[Path]) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _describe(facts: Mapping[str, Any], meta: Path) -> None:
    whole_files.write(meta, json.dumps(facts, indent=1) + "\n")
