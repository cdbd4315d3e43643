"""Everything that decides a talk's recorded tables, as digests: what is out of date.

Files of code count by what they do (of Python not how they are laid out), YAML files by what they
say at scale full.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whyspiking.declared import claims_file, plans, registry
from whyspiking.declared.config import at_scale
from whyspiking.declared.registry import Experiment, Talk
from whyspiking.declared.strict_yaml import Block
from whyspiking.errors import UserError
from whyspiking.records import reference, whole_files
from whyspiking.running import code_inputs

SCALE = "full"
"""The scale that is recorded."""
GONE = "no longer an input"
OF_TALK = "talk.yaml: "
"""Begins the name of what talk.yaml says; of an experiment its name follows, a comma, the stage."""
UNREAD: dict[str, Any] = {
    **dict.fromkeys(("title", "from_scale", "parameters", "scaled"), True),
    "variants": {"__all__": {"description", "from_scale", "trained_here"}},
}
"""Keys of an experiment that say nothing to stage collect, or in the plans of the other stages."""

type Inputs = dict[str, tuple[str, str]]
"""What decides a talk's tables: its name -> the first stage that uses it, and its digest."""


def inputs_of(talk: Talk, config: Mapping[str, Any]) -> Inputs:
    """Everything that decides a talk's tables, as it is now."""
    keys = {experiment.data_key for experiment in talk.experiments.values()}
    return {**code_inputs.of_results(talk.name, keys), **_declared(talk, config)}


def digest_of(decides: Inputs) -> str:
    """One digest of all inputs of a talk."""
    digests = {place: digest for place, (_, digest) in decides.items()}
    return code_inputs.short_hash(json.dumps(digests, sort_keys=True).encode())


def stale(name: str, config: Mapping[str, Any], folder: Path = reference.FOLDER) -> Inputs:
    """Inputs that changed since a talk was recorded, as they are now."""
    manifest = reference.manifest(folder / name)
    now = inputs_of(registry.load_talk(name), config)
    known = manifest["inputs"]
    both = {place: now.get(place, (GONE, "")) for place in {**known, **now}}
    return {place: (stage, d) for place, (stage, d) in both.items() if known.get(place) != d}


def check(names: Sequence[str], config: Mapping[str, Any], folder: Path = reference.FOLDER) -> None:
    """Refuse talks, all that are recorded where none is named, whose tables might be others now.

    Raises:
        UserError: Naming each talk, what changed and the stage that it is first used in; or a talk
            that is not recorded.
    """
    reference.check(folder)
    known = reference.recorded(folder)
    if unknown := [name for name in names if name not in known]:
        raise UserError(
            f"talk '{unknown[0]}' has no reference results in {folder}; expected one of "
            f"{', '.join(known)}; correct the name"
        )
    changed = {name: places for name in names or known if (places := stale(name, config, folder))}
    if changed:
        listed = "\n".join(
            f"  {name}: {', '.join(f'{place} ({stage})' for place, (stage, _) in places.items())}"
            for name, places in changed.items()
        )
        raise UserError(
            f"{folder}: these reference results were computed before these inputs "
            f"changed:\n{listed}\nexpected the inputs from which they were computed. Undo the "
            "change, or commit it and run one of: python -m whyspiking.recording recollect (if "
            "only stage collect changed), restate (if the code changes no number), record "
            "TALK/EXPERIMENT, or make record (to compute all reference results)"
        )


def config_of(scale: str = SCALE) -> dict[str, Any]:
    """The configuration at a scale."""
    return at_scale(scale)


def _declared(talk: Talk, config: Mapping[str, Any]) -> Inputs:
    """Inputs from YAML files, at the scale of the config, without folders of a machine."""
    # Which files of others a machine has, the tables and `data` in the manifest say.
    nmnist = {**config["data"]["nmnist"], "source": "auto"}
    anywhere = {**config["data"], "originals_dir": None, "nmnist": nmnist}
    config = {**config, "data": anywhere}
    decides: dict[str, tuple[str, Any]] = {
        "config: robustness_tests": ("simulate", config["robustness_tests"]),
        f"{OF_TALK}learning": ("collect", [_said(rule) for rule in talk.learning_rules]),
        "claims.yaml": ("collect", [_judged(claim, config) for claim in claims_of(talk)]),
    }
    for name, experiment in talk.experiments.items():
        if registry.seeds(experiment, config):
            for stage, what in _planned(
                experiment, talk.unit_of_jitter_ms(experiment), config
            ).items():
                decides[f"{OF_TALK}{name}, {stage}"] = (stage, what)
    return {
        place: (stage, code_inputs.short_hash(json.dumps(what, sort_keys=True).encode()))
        for place, (stage, what) in decides.items()
    }


def _planned(
    experiment: Experiment, tau_char_ms: float, config: Mapping[str, Any]
) -> dict[str, Any]:
    """What the plan of each stage says of an experiment."""
    training = {}
    for variant in experiment.variants:
        params = registry.params(experiment, config, 0, variant)
        seeds = registry.seeds(experiment, config, variant)
        if seeds:
            training[variant] = [seeds, _placeless(plans.training(experiment, variant, params))]
    measuring = plans.measuring(experiment, registry.params(experiment, config), tau_char_ms)
    return {
        "train": [training, config["data"].get(experiment.data_key)],
        "simulate": _placeless(measuring),
        "collect": _said(experiment, UNREAD),
    }


def _placeless(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan without the folders of a machine."""
    params = {key: value for key, value in plan["params"].items() if not key.endswith("_dir")}
    return {**plan, "params": params}


def claims_of(talk: Talk) -> list[claims_file.Claim]:
    """All claims of a talk."""
    return claims_file.load(talk.folder / "claims.yaml", talk)


def _judged(claim: claims_file.Claim, config: Mapping[str, Any]) -> dict[str, Any]:
    """All of a claim that its row of verdicts.csv depends on."""
    band = claim.band(config["scale"])
    kept = _said(claim, {"criteria": True, "source": {"publication", "source_location"}})
    return {**kept, "band": band and asdict(band)}


def _said(block: Block, but: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a block of a YAML file says, but for some keys."""
    return block.model_dump(mode="json", exclude=dict(but or {}), exclude_defaults=True)


def write_json(path: Path, manifest: Mapping[str, Any]) -> None:
    """A manifest as the file that git keeps."""
    write(path, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())


def write(path: Path, content: bytes) -> None:
    """Unsealed, like all tables here: git keeps what is committed."""
    with whole_files.replacing(path) as partial:
        partial.write_bytes(content)


def today() -> str:
    """The date, as manifests say it."""
    return datetime.now(UTC).date().isoformat()
