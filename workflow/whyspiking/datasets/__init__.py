"""Data sets: one module per set, each with `fetch` (files) or `generate` (own definition)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.contract import Progress
from whyspiking.errors import UserError


def fetch(name: str, config_data: Mapping[str, Any], meta: Path, progress: Progress) -> None:
    """Bring one data set of files into the data folder, and write down what it is.

    Args:
        name: Key of the data set; so far only "mnist" consists of files.
        config_data: The `data` block of the config.
        meta: Where the description goes, `<data.folder>/<name>/meta.json`; written last, so that
            it exists only beside complete files.
        progress: Called with the fraction done.

    Raises:
        UserError: If the data set is unknown or cannot be obtained.
    """
    if name != "mnist":
        raise UserError(f"data set '{name}' is not one that is fetched; known: mnist")
    from whyspiking.datasets import mnist

    progress(0.0, "looking for MNIST")
    folder = mnist.fetch(config_data)
    facts = {
        "name": "MNIST",
        "provenance": "original",
        "sha256": {file: digest for file, (_, digest) in mnist.FILES.items()},
        "citation": "LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998",
        "licence": "CC BY-SA 3.0, as stated by the redistributors",
    }
    meta.parent.mkdir(parents=True, exist_ok=True)
    partial = meta.with_name(meta.name + ".part")
    partial.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    partial.replace(meta)
    progress(1.0, f"MNIST is in {folder}, all four files checked")
