"""Makes the whole record, `results/reference`, from one run of one commit: `make record`.

`begin` refuses uncommitted changes and notes what decides numbers; Snakemake runs scales full and
smoke, and goes on where it was stopped; `record` writes everything into a folder of its own and
puts that in the place of the record when it is whole. What no run makes stays: the claims that were
retired, and what runs at scale paper said and took.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.contract.data_folders import folder_of
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, datapackage, reference, whole_files
from whyspiking.stages import durations, provenance
from whyspiking.verdicts import published_size
from whyspiking.verdicts.repetition import FILE as REPETITION_FILE
from whyspiking_maintain import inputs, page
from whyspiking_maintain.record import record, write_csv

RUN = Path("results") / inputs.SCALE
SMOKE = Path("results/smoke")
BEGUN = "record.json"
"""File in the folder of the run that says from which commit and inputs it began."""
STAGED = Path(".record") / reference.FOLDER.name
"""Folder in which the record is written first; its depth and name are those that pages expect."""
FILES_NOT_FROM_RUN = ("retired.csv", "paper")
"""Files and folders of the record that no run makes."""


def begin(results: Path = RUN) -> None:
    """Prepare a folder for a full run; refuse uncommitted changes and results of other runs.

    Args:
        results: `results/full`.

    Raises:
        UserError: If a tracked file differs from its commit, or the folder holds a run that was not
            begun as a record, or was begun with other code.
    """
    committed()
    present_digests = digests(inputs.config_of())
    if any(path.name != "logs" for path in results.glob("*")):  # of data, by another target
        _refuse_other_inputs(results, present_digests)
        return
    results.mkdir(parents=True, exist_ok=True)
    start = {"commit": provenance.git("rev-parse", "HEAD"), "inputs": present_digests}
    whole_files.write(results / BEGUN, json.dumps(start, indent=1) + "\n")


def write(results: Path = RUN, smoke: Path = SMOKE, folder: Path = reference.FOLDER) -> list[str]:
    """Put the record of a finished run in the place of the one that is there.

    Args:
        results: The run, at scale full.
        smoke: A finished run at scale smoke, for what its jobs cost.
        folder: The record.

    Returns:
        What the manifest says, line by line.

    Raises:
        UserError: If the run is not finished, or what decides its numbers is not what is committed.
    """
    committed()
    run_manifest = whole_files.read_json(
        results / "manifest.json", "config", "machine", "arithmetic"
    )
    run_digests = digests(run_manifest["config"])
    _refuse_other_inputs(results, run_digests)
    old_folder = STAGED.with_name("before")
    if old_folder.is_dir() and not folder.is_dir():  # stopped between the two
        os.rename(old_folder, folder)
    shutil.rmtree(STAGED.parent, ignore_errors=True)
    STAGED.mkdir(parents=True)
    for name in _list_unchanged_files(folder, run_digests):
        source = folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, STAGED / name)
    summary = _stage_record(run_manifest, results, smoke, folder)
    os.rename(folder, old_folder)
    os.rename(STAGED, folder)
    shutil.rmtree(STAGED.parent)
    return summary


def _list_unchanged_files(folder: Path, run_digests: Mapping[str, str]) -> list[str]:
    """List files that no run makes; with the repetition, if the old record had the same inputs."""
    if not (folder / REPETITION_FILE).is_file():
        return [*FILES_NOT_FROM_RUN]
    old_digests = whole_files.read_json(folder / "manifest.json", "inputs")["inputs"]
    return [*FILES_NOT_FROM_RUN, *[REPETITION_FILE] * (old_digests == run_digests)]


def run(*arguments: str) -> None:
    """Run Snakemake to its end: it handles Ctrl-C itself.

    Raises:
        UserError: If it did not reach it.
    """
    process = subprocess.Popen([sys.executable, "-m", "snakemake", *arguments])
    while True:
        try:
            if process.wait():
                raise UserError(
                    "record: the run stopped before its end. Run the same command to continue it"
                )
            return
        except KeyboardInterrupt:
            continue


def _stage_record(
    run_manifest: Mapping[str, Any], results: Path, smoke: Path, folder: Path
) -> list[str]:
    """Write all files of the record; the page last, which states the hashes of the others."""
    from whyspiking_exchange.export import networks, shipped  # Brian2 and JAX

    config = run_manifest["config"]
    record(config, results, STAGED)
    old_durations = reference.table(folder / "durations.csv", columns.DURATIONS)
    larger_durations = old_durations[old_durations["scale"] == published_size.SCALE]
    write_durations(pd.concat([of_run(results), of_run(smoke), larger_durations]), config, STAGED)
    shipped.ship(results, STAGED, networks.SAMPLES, Path(config["build_folder"]))
    for name in registry.counted(registry.available()):
        shipped.keep(results, name, STAGED)
    page.keep_drawn(results, STAGED)
    _write_manifest(run_manifest)
    datapackage.write(STAGED)
    page.render(STAGED, folder)
    speed_factor, cpu = run_manifest["machine"]["speed_factor"], run_manifest["machine"]["cpu"]
    return [
        f"reference results: commit {run_manifest['commit'][:7]}, {cpu}, "
        f"speed factor {speed_factor:.2f}",
        f"SIMD level: {run_manifest['arithmetic']['vectors']}",
    ]


def of_run(run: Path) -> pd.DataFrame:
    """Read what the jobs of a finished run cost, columns of `columns.DURATIONS`.

    Args:
        run: `results/<scale>`.

    Raises:
        UserError: If the run is not finished, or does not tell the unit of its machine.
    """
    run_manifest = whole_files.read_json(run / "manifest.json", "scale", "machine")
    if run_manifest["machine"].get("speed_factor") is None:
        raise UserError(
            f"{run / 'manifest.json'}: machine.speed_factor is missing; expected the manifest of "
            f"a run of "
            "this version. Delete the file and rerun snakemake"
        )
    return durations.of_kinds(
        durations.of_jobs(run), run_manifest["scale"], run_manifest["machine"]["speed_factor"]
    )


def write_durations(rows: pd.DataFrame, config: Mapping[str, Any], folder: Path) -> None:
    """Write durations.csv of the record, in order; what scale default costs follows from full.

    Args:
        rows: Columns of `columns.DURATIONS`; those of scale default do not matter.
        config: The configuration at scale full.
        folder: The record.
    """
    default_config = inputs.config_of("default")
    measured_rows = rows[rows["scale"] != default_config["scale"]]
    all_rows = pd.concat([measured_rows, part(measured_rows, config, default_config)])
    write_csv(
        all_rows.sort_values(["scale", *durations.KIND], kind="stable"), folder / "durations.csv"
    )


def find_datasets(config: Mapping[str, Any]) -> set[str | None]:
    """Find the data sets, by their folders, that experiments of a configuration use."""
    return {
        folder_of(experiment.data_key, config["data"])
        for name in registry.available()
        for experiment in registry.load_talk(name).experiments.values()
        if registry.seeds(experiment, config)
    }


def part(
    rows: pd.DataFrame, larger_config: Mapping[str, Any], config: Mapping[str, Any]
) -> pd.DataFrame:
    """Estimate what the jobs of a scale cost that trains a part of the networks of a larger scale.

    Args:
        rows: Rows of durations.csv, those of the larger scale among them.
        larger_config: The configuration of the larger scale.
        config: That of the smaller one.

    Returns:
        A row a kind of job. Trainings cost the same, or a part of it if a default run repeats only
        the first part of them; a simulation costs as much as it has networks;
        data sets that no experiment of the smaller scale uses have none.
    """
    experiments = {
        (name, experiment.name): experiment
        for name in registry.available()
        for experiment in registry.load_talk(name).experiments.values()
    }
    used_datasets, scale = find_datasets(config), config["scale"]
    estimates = []
    for row in rows[rows["scale"] == larger_config["scale"]].to_dict("records"):
        if row["dataset"] and row["dataset"] not in used_datasets:
            continue
        experiment = experiments.get((row["talk"], row["experiment"]))
        if row["experiment"]:
            # The reference table may have rows of experiments and variants that are retired.
            if experiment is None or row["variant"] not in ("", *experiment.variants):
                continue
            variants = [row["variant"]] if row["rule"] == "train" else list(experiment.variants)
            n_networks, n_larger = (
                sum(len(registry.seeds(experiment, scale_config, name)) for name in variants)
                for scale_config in (config, larger_config)
            )
            if not n_networks:
                continue
            row["n_jobs"] = n_networks if row["rule"] == "train" else 1
            if row["rule"] == "train" and experiment.default_run and scale == "default":
                trained_fraction = experiment.default_run.trained_fraction
                row |= {
                    key: round(row[key] * trained_fraction, 1) for key in ("seconds", "cpu_seconds")
                }
            if row["rule"] == "simulate":
                row |= {
                    key: round(row[key] * n_networks / n_larger, 1)
                    for key in ("seconds", "cpu_seconds")
                }
        estimates.append({**row, "scale": config["scale"]})
    return columns.DURATIONS.table(estimates)


def _write_manifest(run_manifest: Mapping[str, Any]) -> None:
    """Write how the record was made: the manifest of the run, with digests of its inputs."""
    talks = registry.counted(run_manifest["config"]["talks"])
    manifest = {**run_manifest, "command": "make record", "date": inputs.today()}
    manifest |= {
        "config": {**run_manifest["config"], "talks": talks},
        "inputs": digests(run_manifest["config"]),
    }
    manifest.pop("reproduced", None)  # of the record before
    inputs.write_json(STAGED / "manifest.json", manifest)


def committed() -> None:
    """Refuse tracked files that are not as committed.

    Raises:
        UserError: Naming them.
    """
    changed = provenance.git("status", "--porcelain", "--untracked-files=no")
    if changed is None:
        raise UserError(
            "record: this folder is not a git checkout; expected one, because the reference "
            "results name their commit. Clone the repository"
        )
    if changed:
        changed_files = ", ".join(line[2:].strip() for line in changed.splitlines())
        raise UserError(
            f"record: {changed_files} differ from the last commit; expected the files of one "
            "commit. Commit the changes or undo them (git stash)"
        )


def digests(config: Mapping[str, Any], names: Sequence[str] = ()) -> dict[str, str]:
    """Compute for each talk the digest of all its inputs; of all talks if none is named."""
    talks = [registry.load_talk(name) for name in names or registry.available()]
    return {talk.name: inputs.digest_of(inputs.inputs_of(talk, config)) for talk in talks}


def _refuse_other_inputs(results: Path, present_digests: Mapping[str, str]) -> None:
    """Refuse a run that other inputs made, or whose inputs are not known."""
    path = results / BEGUN
    if not path.is_file():
        raise UserError(
            f"{results}: this folder contains a run that was not started by 'make record'; "
            "expected a run that 'make record' started. Move the folder away, or delete it"
        )
    start = whole_files.read_json(path, "commit", "inputs")
    if changed := [
        name for name in present_digests if start["inputs"].get(name) != present_digests[name]
    ]:
        raise UserError(
            f"{results}: the run was started at commit {start['commit'][:7]}, and inputs that "
            f"determine the numbers of {', '.join(changed)} changed since then; expected a run of "
            "one commit. Go back to that commit, or delete the folder and start from the "
            "beginning"
        )
