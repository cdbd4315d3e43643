"""Save and load trained networks and their outcomes as plain files, never with a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Labels, Network, Outcome, Traces, Trials
from whyspiking.records import array_files, whole_files

KINDS = {kind.__name__: kind for kind in (Trials, Traces, Labels)}


def save_network(network: Network, folder: Path) -> None:
    """Write `network.npz` and `network.json` (facts and history) into `folder`."""
    array_files.save_arrays(network.arrays, folder / "network.npz")
    text = json.dumps({"info": network.info, "history": network.history}, indent=1, sort_keys=True)
    whole_files.write(folder / "network.json", text + "\n")


def load_network(folder: Path) -> Network:
    """Read what `save_network` wrote; a `UserError` if a file is missing or damaged."""
    arrays = array_files.load_arrays(folder / "network.npz")
    path = folder / "network.json"
    facts = whole_files.read_json(path, "info", "history")
    return Network(arrays=arrays, info=facts["info"], history=facts["history"])


def save_outcomes(outcomes: Mapping[str, Outcome], path: Path) -> None:
    """Write what a network answered, by split, as one .npz: `<split>.<attribute>` and its kind."""
    arrays: dict[str, NDArray] = {}
    for split, outcome in outcomes.items():
        arrays[f"{split}.kind"] = np.array(type(outcome).__name__)
        given = {field.name: getattr(outcome, field.name) for field in fields(outcome)}
        arrays |= {f"{split}.{k}": np.asarray(v) for k, v in given.items() if v is not None}
    array_files.save_arrays(arrays, path)


def load_outcomes(path: Path) -> dict[str, Outcome]:
    """Read what `save_outcomes` wrote; a `UserError` if the file is missing or damaged."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in array_files.load_arrays(path).items():
        split, _, name = key.partition(".")
        found.setdefault(split, {})[name] = value if value.ndim else value.item()
    return {split: KINDS[parts.pop("kind")](**parts) for split, parts in found.items()}
