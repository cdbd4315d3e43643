"""Compute digests of everything that decides a talk's recorded tables; find what is out of date.

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
REMOVED_INPUT = "no longer an input"
OF_TALK = "talk.yaml: "
"""Prefix of inputs from talk.yaml; for an experiment, its name, a comma and the stage follow."""
UNREAD_KEYS: dict[str, Any] = {
    **dict.fromkeys(("title", "from_scale", "parameters", "scaled"), True),
    "variants": {"__all__": {"description", "from_scale", "trained_here"}},
}
"""Keys of an experiment that say nothing to stage collect, or in the plans of the other stages."""

type Inputs = dict[str, tuple[str, str]]
"""What decides a talk's tables: its name -> the first stage that uses it, and its digest."""


def inputs_of(talk: Talk, config: Mapping[str, Any]) -> Inputs:
    """List everything that decides a talk's tables, with its present digest."""
    keys = {experiment.data_key for experiment in talk.experiments.values()}
    return {**code_inputs.of_results(talk.name, keys), **_list_declared_inputs(talk, config)}


def digest_of(talk_inputs: Inputs) -> str:
    """Compute one digest of all inputs of a talk."""
    digests = {input_name: digest for input_name, (_, digest) in talk_inputs.items()}
    return code_inputs.short_hash(json.dumps(digests, sort_keys=True).encode())


def stale(name: str, config: Mapping[str, Any], folder: Path = reference.FOLDER) -> Inputs:
    """Find the inputs that changed since a talk was recorded, with their present digests."""
    manifest = reference.manifest(folder / name)
    present_inputs = inputs_of(registry.load_talk(name), config)
    recorded_digests = manifest["inputs"]
    all_inputs = {
        key: present_inputs.get(key, (REMOVED_INPUT, ""))
        for key in {**recorded_digests, **present_inputs}
    }
    return {
        key: (stage, digest)
        for key, (stage, digest) in all_inputs.items()
        if recorded_digests.get(key) != digest
    }


def check(names: Sequence[str], config: Mapping[str, Any], folder: Path = reference.FOLDER) -> None:
    """Refuse talks whose inputs changed since they were recorded; of all talks if none is named.

    Raises:
        UserError: Naming each talk, what changed and the stage that it is first used in; or a talk
            that is not recorded.
    """
    reference.check(folder)
    recorded_talks = reference.recorded(folder)
    if unknown_names := [name for name in names if name not in recorded_talks]:
        raise UserError(
            f"talk '{unknown_names[0]}' has no reference results in {folder}; expected one of "
            f"{', '.join(recorded_talks)}; correct the name"
        )
    changed_inputs = {
        name: talk_inputs
        for name in names or recorded_talks
        if (talk_inputs := stale(name, config, folder))
    }
    if changed_inputs:
        listing = "\n".join(
            f"  {name}: {', '.join(f'{key} ({stage})' for key, (stage, _) in talk_inputs.items())}"
            for name, talk_inputs in changed_inputs.items()
        )
        raise UserError(
            f"{folder}: these reference results were computed before these inputs "
            f"changed:\n{listing}\nexpected the inputs from which they were computed. Undo the "
            "change, or commit it and run one of: python -m whyspiking.recording recollect (if "
            "only stage collect changed), restate (if the code changes no number), record "
            "TALK/EXPERIMENT, or make record (to compute all reference results)"
        )


def config_of(scale: str = SCALE) -> dict[str, Any]:
    """Return the configuration at a scale."""
    return at_scale(scale)


def _list_declared_inputs(talk: Talk, config: Mapping[str, Any]) -> Inputs:
    """List the inputs from YAML files, at the scale of the config, without folders of a machine."""
    # Which files of others a machine has, the tables and `data` in the manifest say.
    nmnist = {**config["data"]["nmnist"], "source": "auto"}
    portable_data = {**config["data"], "originals_dir": None, "nmnist": nmnist}
    config = {**config, "data": portable_data}
    contents: dict[str, tuple[str, Any]] = {
        "config: robustness_tests": ("simulate", config["robustness_tests"]),
        f"{OF_TALK}learning": ("collect", [_dump_block(rule) for rule in talk.learning_rules]),
        "claims.yaml": ("collect", [_describe_claim(claim, config) for claim in claims_of(talk)]),
    }
    for name, experiment in talk.experiments.items():
        if registry.seeds(experiment, config):
            for stage, content in _describe_plans(
                experiment, talk.unit_of_jitter_ms(experiment), config
            ).items():
                contents[f"{OF_TALK}{name}, {stage}"] = (stage, content)
    return {
        input_name: (stage, code_inputs.short_hash(json.dumps(content, sort_keys=True).encode()))
        for input_name, (stage, content) in contents.items()
    }


def _describe_plans(
    experiment: Experiment, tau_char_ms: float, config: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the plan of each stage says of an experiment."""
    training_plans = {}
    for variant in experiment.variants:
        params = registry.params(experiment, config, 0, variant)
        seeds = registry.seeds(experiment, config, variant)
        if seeds:
            training_plans[variant] = [
                seeds,
                _drop_folders(plans.training(experiment, variant, params)),
            ]
    measuring_plan = plans.measuring(experiment, registry.params(experiment, config), tau_char_ms)
    return {
        "train": [training_plans, config["data"].get(experiment.data_key)],
        "simulate": _drop_folders(measuring_plan),
        "collect": _dump_block(experiment, UNREAD_KEYS),
    }


def _drop_folders(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan without the folders of a machine."""
    params = {key: value for key, value in plan["params"].items() if not key.endswith("_dir")}
    return {**plan, "params": params}


def claims_of(talk: Talk) -> list[claims_file.Claim]:
    """Load all claims of a talk."""
    return claims_file.load(talk.folder / "claims.yaml", talk)


def _describe_claim(claim: claims_file.Claim, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return all of a claim that its row of verdicts.csv depends on."""
    criterion = claim.band(config["scale"])
    content = _dump_block(claim, {"criteria": True, "source": {"publication", "source_location"}})
    return {**content, "band": criterion and asdict(criterion)}


def _dump_block(block: Block, excluded_keys: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the content of a block of a YAML file without some keys."""
    return block.model_dump(mode="json", exclude=dict(excluded_keys or {}), exclude_defaults=True)


def write_json(path: Path, manifest: Mapping[str, Any]) -> None:
    """Write a manifest as the file that git keeps."""
    write(path, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())


def write(path: Path, content: bytes) -> None:
    """Write a file without a seal, because git keeps what is committed."""
    with whole_files.replacing(path) as partial:
        partial.write_bytes(content)


def today() -> str:
    """Return the date in the format of manifests."""
    return datetime.now(UTC).date().isoformat()
