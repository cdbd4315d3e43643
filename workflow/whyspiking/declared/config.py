"""Reads the files of `config/`, and checks the configuration of a run before any job starts."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from whyspiking.contract import data_folders
from whyspiking.declared import (
    abstract_file,
    after_file,
    claims_file,
    community_file,
    overrides,
    registry,
    scales,
    tuning_file,
)
from whyspiking.declared.config_file import Config
from whyspiking.declared.learning_rules import split
from whyspiking.declared.strict_yaml import (
    ODD_NUMBER,
    Loader,
    nearest,
    parsed,
    read_text,
    read_yaml,
)
from whyspiking.errors import UserError

WHERE = "config (config/config.yaml and its overlays)"
FOLDER = Path("config")
FILES = ("config.yaml", "energy.yaml")
"""Together every key with its default."""
NOTEBOOKS = Path("notebooks")
TAKEN = (
    *(".git", ".snakemake", ".venv", "config", "notebooks", "results", "tests", "workflow"),
    *("/proc", "/sys"),
)
"""Folders in which a run must keep nothing."""


def read(*overlays: Path, folder: Path = FOLDER) -> dict[str, Any]:
    """What `FILES` say, those that are there, and what overlays change of it.

    Args:
        overlays: Further files.
        folder: That of `FILES`.

    Raises:
        UserError: If a file cannot be read.
    """
    config: dict[str, Any] = {}
    for path in (*(folder / name for name in FILES if (folder / name).is_file()), *overlays):
        merge(config, read_yaml(path))
    return config


def at_scale(scale: str, folder: Path = FOLDER) -> dict[str, Any]:
    """The same with the overlay of a scale, if it has one."""
    return read(*folder.glob(f"{scale}.yaml"), folder=folder)


def merge(into: dict[str, Any], new: Mapping[str, Any]) -> None:
    """Put an overlay into a config as Snakemake does: mappings are merged, all else replaced."""
    for key, value in new.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def complete(config: dict[str, Any]) -> None:
    """Add what it does not hold: who uses a module names one file, as snakedeploy does."""
    full = read()
    merge(full, config)
    config.update(full)


def check_files(paths: Iterable[Path | str]) -> None:
    """Check the files of the config one by one: what merging them would hide.

    Args:
        paths: `FILES` and overlays.

    Raises:
        UserError: If one cannot be read, is not YAML, gives a key twice or is no mapping.
    """
    for path in map(Path, paths):
        data = read_yaml(path)
        if not isinstance(data, dict) or not data:
            held = "a list" if isinstance(data, list) else f"the text '{str(data)[:40]}'"
            raise UserError(
                f"{path}: it {f'holds {held}' if data else 'is empty'}; expected keys and values "
                "as in config/config.yaml, for example 'scale: smoke'. Add some, or remove this "
                "file from the command line."
            )


def check_words(words: Iterable[str]) -> None:
    """Check what `--config` tells, of which Snakemake takes the last where a key comes twice.

    Args:
        words: The command line.

    Raises:
        UserError: If a key is told twice, or a value is not YAML or holds a key twice.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("-C", "--config", nargs="+", action="extend", default=[])
    told = [word.partition("=") for word in parser.parse_known_args(list(words))[0].config]
    for number, (key, _, value) in enumerate(told):
        if key in [other for other, *_ in told[:number]]:
            raise UserError(
                f"--config: '{key}' is given twice; expected it once. Remove one of them"
            )
        if value.startswith(("{", "[")):
            read_text(value, f"--config {key}")


def as_written(told: Any) -> Any:
    """What `--config` tells, as a file would: Snakemake leaves `0` in `seeds=[0]` a text."""
    if isinstance(told, Mapping):
        return {key: as_written(value) for key, value in told.items()}
    if isinstance(told, list | tuple):
        return [as_written(value) for value in told]
    if not isinstance(told, str) or ODD_NUMBER.fullmatch(told):
        return told
    try:
        read = yaml.load(told, Loader)
    except yaml.YAMLError:
        return told
    return read if isinstance(read, int | float | None) else told


def use_seeds_of_command_line(config: dict[str, Any], command_line: Mapping[str, Any]) -> str:
    """Replace the seeds of experiments by `seeds` of the command line; changes `config`.

    An experiment that the files leave out stays left out. `seeds_of` and `shared.seeds` that are
    on the command line, too, stay as they are.

    Args:
        config: The merged configuration.
        command_line: What `--config` says, as `as_written` reads it.

    Returns:
        One line that says how many experiments have other seeds now; empty where none has.

    Raises:
        UserError: If the configuration is wrong.
    """
    # A module of another workflow may have a configuration that the command line does not change.
    if "seeds" not in command_line or command_line["seeds"] != config["seeds"]:
        return ""
    parsed(Config, _plain(config), WHERE)
    seeds = list(config["seeds"])
    replaced: set[str] = set()
    if "seeds_of" not in command_line:
        left_out = {entry["experiment"] for entry in config["seeds_of"] if not entry["seeds"]}
        kept = []
        for entry in config["seeds_of"]:
            experiment = entry["experiment"].partition("/")[0]
            if entry["seeds"]:
                replaced.add(experiment)
            # A variant may be all that is run of an experiment.
            if experiment in left_out or not entry["seeds"]:
                kept.append({**entry, "seeds": seeds if entry["seeds"] else []})
        config["seeds_of"] = kept
    shared = "shared" not in command_line and list(config["shared"]["seeds"]) != seeds
    if shared:
        config["shared"] = {**config["shared"], "seeds": seeds}
    places = [f"{len(replaced)} experiments"] if replaced else []
    places += ["all shared tasks"] if shared else []
    where = " and of ".join(places)
    line = f"the seeds {seeds} of the command line replace the configured seeds of {where}"
    return line if places else ""


def use_own_folder_of_changed_parameters(config: dict[str, Any]) -> list[str]:
    """Name the results folder of a run with changed parameters, if the user does not.

    Args:
        config: The merged configuration; completed in place.

    Returns:
        A line for every changed parameter, and one that names the folder; empty if none is changed.

    Raises:
        UserError: If the configuration is wrong.
    """
    parsed(Config, _plain(config), WHERE)
    given = config["set"]
    if not given:
        return []
    config["results_folder"] = config["results_folder"] or overrides.name_folder(
        _plain(given), config["scale"]
    )
    names = registry.available() if "all" in config["talks"] else config["talks"]
    talks = {name: registry.load_talk(name) for name in names}
    lines = overrides.describe(talks, given, config["scale"])
    return [*lines, f"the results are written to results/{config['results_folder']}"]


def check_config(config: Mapping[str, Any]) -> dict[str, registry.Talk]:
    """Check the config and the files of the chosen talks; returns the talks by name.

    Raises:
        UserError: One message that names the key, the value, what was expected and the remedy.
    """
    for place in (Path.cwd(), registry.FOLDER):
        if {"{", "}"} & set(str(place)):
            raise UserError(
                f"the project is in the folder '{place}', and Snakemake interprets braces as "
                "wildcards; expected a path without braces. Rename the folder, or move the "
                "project."
            )
    parsed(Config, _plain(config), WHERE)
    chosen = list(config["talks"])
    if "all" in chosen and len(chosen) > 1:
        raise UserError(
            f"{WHERE}: 'talks' is {chosen}; expected names of talks or [all]. Remove 'all' or the "
            "names."
        )
    chosen = registry.available() if "all" in chosen else chosen
    talks = {name: registry.load_talk(name) for name in chosen}
    for talk in talks.values():
        tuning_file.check_talk(talk)
    talks = overrides.apply(talks, config["set"], config["scale"])
    if not any(talk.counted for talk in talks.values()):
        raise UserError(
            f"{WHERE}: 'talks' is {chosen}, and none of them is a replicated talk; expected at "
            "least one talk other than the discussion. Add one, or write [all]."
        )
    for talk in talks.values():
        claims = claims_file.load(talk.folder / "claims.yaml", talk)
        abstract_file.load(talk.folder, [claim.id for claim in claims])
        after_file.load(talk)
        _check_key_claim(claims, talk, config["scale"])
        _check_strengths(claims, talk, config["robustness_tests"])
        if NOTEBOOKS.is_dir() and not (NOTEBOOKS / f"{talk.name}.ipynb").is_file():
            raise UserError(
                f"{WHERE}: 'talks' names '{talk.name}', but {NOTEBOOKS / talk.name}.ipynb does "
                "not exist; expected one notebook per talk. Copy notebooks/_template.ipynb."
            )
    # The report draws them; a bad one stops the run before it begins.
    community_file.load()
    for name in registry.with_protocol(chosen):
        tuning_file.check_protocol(registry.FOLDER / name / registry.PROTOCOL)
    _check_seeds_of(config, talks)
    for talk in talks.values():
        _check_sizes(talk, config)
    data_folders.find_nmnist(config["data"])
    kept = {"data.folder": config["data"]["folder"], "build_folder": config["build_folder"]}
    _check_apart(kept)
    for folder in (
        *kept.values(),
        f"results/{config['results_folder'] or config['scale']}",
        ".snakemake",
    ):
        _check_writable(Path(folder))
    return talks


def _plain(data: Any) -> Any:
    """The config as lists and dicts: Snakemake merges files into mappings of its own."""
    if isinstance(data, Mapping):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list) else data


def _check_key_claim(claims: Iterable[claims_file.Claim], talk: registry.Talk, scale: str) -> None:
    """Every scale that judges has what a talk's key claim compares, and a band for it.

    Its negative control, which tells whether the band means anything, may be left to a larger one.
    """
    if scale == "smoke":
        return
    key = next(claim for claim in claims if claim.claim_role == "key")
    compared = dict(zip(key.places, key.networks, strict=True))
    compared.pop("negative_control", None)
    for name, variant in compared.values():
        experiment = talk.experiments[name]
        for what, block in (
            (name, experiment),
            (f"{name}/{variant}", experiment.variants[variant]),
        ):
            if not block.runs_at(scale):
                raise UserError(
                    f"talks/{talk.name}/talk.yaml: 'from_scale' of {what} is "
                    f"'{block.from_scale}', but the key claim '{key.id}' uses it and is judged at "
                    f"scale '{scale}'; expected every network of the key claim at this scale. "
                    "Remove 'from_scale' there."
                )
    if key.band(scale) is None:
        raise UserError(
            f"talks/{talk.name}/claims.yaml: key claim '{key.id}' has no acceptance criterion in "
            f"'criteria.{scales.recipe(scale)}'; expected one that is written before the run. Add "
            "it, with its reason."
        )


def _check_strengths(
    claims: Iterable[claims_file.Claim], talk: registry.Talk, battery: Mapping[str, Any]
) -> None:
    """A claim on a condition of the battery is on a level that is measured."""
    for claim in claims:
        for (key, place), (name, _) in zip(claim.places.items(), claim.networks, strict=True):
            kind = place.get("perturbation", "none")
            measured = kind in talk.experiments[name].perturbations()
            levels = battery.get(kind, [1]) if measured else [0] if kind == "none" else None
            if levels is not None and place.get("strength", levels[0]) not in levels:
                raise UserError(
                    f"talks/{talk.name}/claims.yaml: claim '{claim.id}', '{key}.strength' is "
                    f"{place['strength']}; expected one of {list(levels)}, the levels of "
                    f"'{kind}'. Correct it, or add the level to 'robustness_tests' in the config."
                )


def _check_seeds_of(config: Mapping[str, Any], talks: Mapping[str, registry.Talk]) -> None:
    # Of talks that are not chosen, too.
    every = (talks.get(name) or registry.load_talk(name) for name in registry.available())
    known = [
        f"{e.talk}.{e.name}{of}"
        for talk in every
        for e in talk.experiments.values()
        for of in ("", *(f"/{v}" for v in e.variants))
    ]
    for name, times in Counter(entry["experiment"] for entry in config["seeds_of"]).items():
        if name not in known:
            hint = nearest(name, known, f"expected one of {', '.join(known)}.")
            raise UserError(
                f"{WHERE}: 'seeds_of' names experiment '{name}', which does not exist; {hint} "
                "Correct or remove it."
            )
        if times > 1:
            raise UserError(
                f"{WHERE}: 'seeds_of' names experiment '{name}' {times} times; expected once. "
                "Remove all but one."
            )
    own = (
        (talk, experiment, variant)
        for talk in talks.values()
        for experiment in talk.experiments.values()
        for variant in experiment.variants.values()
    )
    for talk, experiment, variant in own:
        for name, start in map(split, variant.parents):
            trained = registry.seeds(talk.experiments[name], config, start)
            missing = {*registry.seeds(experiment, config, variant.name)}.difference(trained)
            if missing:
                raise UserError(
                    f"{WHERE}: 'seeds_of': seeds {sorted(missing)} of "
                    f"{talk.name}.{experiment.name} start from {name}/{start}, which is not "
                    "trained with these seeds; expected the same seeds in both experiments. Add "
                    f"them to the seeds of {talk.name}.{name}, or give "
                    f"{talk.name}.{experiment.name} fewer."
                )


def _check_sizes(talk: registry.Talk, config: Mapping[str, Any]) -> None:
    """Data are made as a talk's experiments expect them (`data.equal`, `data.at_least`)."""
    for experiment in talk.experiments.values():
        values = registry.params(experiment, config).values
        settings = config["data"].get(experiment.data_key, {})
        for must_equal, pairs in ((True, experiment.data.equal), (False, experiment.data.at_least)):
            for parameter, setting in pairs.items():
                if parameter not in values or setting not in settings:
                    raise UserError(
                        f"talks/{talk.name}/talk.yaml: experiment '{experiment.name}': its data "
                        f"must fit parameter '{parameter}' to "
                        f"'data.{experiment.data_key}.{setting}', but one of them does not exist; "
                        "expected a parameter and a key of the config. Correct their names."
                    )
                wanted, made = values[parameter], settings[setting]
                if (made != wanted) if must_equal else (made < wanted):
                    raise UserError(
                        f"{WHERE}: 'data.{experiment.data_key}.{setting}' is {made}, but "
                        f"'{parameter}' of {talk.name}.{experiment.name} is {wanted} at scale "
                        f"'{config['scale']}'; expected "
                        f"{'equal values' if must_equal else 'at least this value'}. Correct one "
                        "of them (the parameter stands in the talk's talk.yaml)."
                    )


def _check_apart(folders: Mapping[str, str]) -> None:
    """What a run keeps lies in folders of its own."""
    here = Path.cwd().resolve()
    places = {key: Path(os.path.realpath(folder)) for key, folder in folders.items()}
    for key, place in places.items():
        others = [other for name, other in places.items() if name != key]
        others += [here / name for name in TAKEN]
        inside = [here] if place in (here, *here.parents) else {place, *place.parents} & {*others}
        if inside:
            raise UserError(
                f"{WHERE}: '{key}' is '{folders[key]}', which is {min(inside)} or a folder in it; "
                "expected a separate folder, for example below resources. Name another one."
            )


def _check_writable(folder: Path) -> None:
    try:
        probe = next(p for p in (folder, *folder.parents) if p.exists() or p.is_symlink())
    except OSError as error:
        raise UserError(
            f"folder '{str(folder)[:60]}': {error.strerror}; expected a folder that the system "
            "can create. Name another folder in the config."
        ) from None
    if not probe.is_dir():
        kind = "a link that leads nowhere" if probe.is_symlink() else "a file"
        raise UserError(
            f"'{probe}' is {kind}, but the run writes into the folder '{folder}'; expected a "
            "folder there. Move the file away, or name another folder in the config."
        )
    if not os.access(probe, os.W_OK | os.X_OK):
        raise UserError(
            f"folder '{probe}' is not writable, but the run writes into '{folder}'; expected a "
            f"folder that is writable. Give yourself permission (chmod u+wx '{probe}', or chown "
            "if another user owns it; a disk that is mounted read-only must be mounted with "
            "write access), or run in another copy of the project."
        )
