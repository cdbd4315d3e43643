"""Checks the run configuration before any job starts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking import claims_file, registry
from whyspiking.errors import UserError
from whyspiking.schema import check

WHERE = "config (config/config.yaml and its overlays)"


def check_config(config: Mapping[str, Any]) -> dict[str, registry.Talk]:
    """Check the config and the files of the chosen talks; returns the talks by name.

    Raises:
        UserError: One message that names the key, the value, what was expected and the remedy.
    """
    check(dict(config), "config", WHERE)
    chosen = list(config["talks"])
    if "all" in chosen:
        if len(chosen) > 1:
            raise UserError(f"{WHERE}: 'talks' is {chosen}; 'all' must stand alone")
        chosen = registry.available()
    talks = {name: registry.load_talk(name) for name in chosen}
    for talk in talks.values():
        claims_file.load(talk.folder / "claims.yaml", talk)
    _check_seeds_of(config, talks)
    _check_writable(Path("results") / config["scale"])
    _check_writable(Path(config["data"]["folder"]))
    _check_writable(Path(config["build_folder"]))
    for key in ("mnist_dir", "originals_dir"):
        folder = config["data"][key]
        if folder is not None and not Path(folder).is_dir():
            raise UserError(
                f"{WHERE}: 'data.{key}' is '{folder}', which is no folder; correct it or set it "
                "to null"
            )
    return talks


def _check_seeds_of(config: Mapping[str, Any], talks: Mapping[str, registry.Talk]) -> None:
    known = [
        f"{name}.{experiment}"
        for name in registry.available()
        for experiment in (talks[name] if name in talks else registry.load_talk(name)).experiments
    ]
    for entry in config["seeds_of"]:
        if entry["experiment"] not in known:
            close = difflib.get_close_matches(entry["experiment"], known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(known)}"
            raise UserError(
                f"{WHERE}: 'seeds_of' names experiment '{entry['experiment']}', which does not "
                f"exist; {hint}"
            )
    for talk in talks.values():
        for experiment in talk.experiments.values():
            for variant in experiment.variants.values():
                own = set(registry.seeds(experiment, config, variant.name))
                for parent in variant.starts_from:
                    name, _, start = parent.partition("/")
                    missing = own - set(registry.seeds(talk.experiments[name], config, start))
                    if missing:
                        raise UserError(
                            f"{WHERE}: seeds {sorted(missing)} of {talk.name}.{experiment.name} "
                            f"start from {parent}, which is not trained for them; add them to "
                            f"the seeds of {talk.name}.{name}"
                        )


def _check_writable(folder: Path) -> None:
    probe = folder
    while not probe.exists():
        probe = probe.parent if probe != probe.parent else Path()
    if not os.access(probe, os.W_OK | os.X_OK):
        raise UserError(
            f"folder '{probe}' is not writable, but results belong into '{folder}'; give yourself "
            f"permission (chmod u+wx '{probe}') or run in another copy of the project"
        )
