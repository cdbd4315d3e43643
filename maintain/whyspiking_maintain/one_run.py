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
from whyspiking.verdicts.repetition import FILE as AGAIN
from whyspiking_maintain import inputs, page
from whyspiking_maintain.record import record, write_csv

RUN = Path("results") / inputs.SCALE
SMOKE = Path("results/smoke")
BEGUN = "record.json"
"""In the folder of the run: with what it was begun."""
STAGED = Path(".record") / reference.FOLDER.name
"""Where the record is written before it takes its place; as deep, with the name that pages know."""
KEPT = ("retired.csv", "paper")
"""What no run makes."""


def begin(results: Path = RUN) -> None:
    """Allow a run to be recorded as a whole: all committed, and nothing of an older run in it.

    Args:
        results: `results/full`.

    Raises:
        UserError: If a tracked file differs from its commit, or the folder holds a run that was not
            begun as a record, or was begun with other code.
    """
    committed()
    now = digests(inputs.config_of())
    if any(path.name != "logs" for path in results.glob("*")):  # of data, by another target
        _same_inputs(results, now)
        return
    results.mkdir(parents=True, exist_ok=True)
    begun = {"commit": provenance.git("rev-parse", "HEAD"), "inputs": now}
    whole_files.write(results / BEGUN, json.dumps(begun, indent=1) + "\n")


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
    made = whole_files.read_json(results / "manifest.json", "config", "machine", "arithmetic")
    decides = digests(made["config"])
    _same_inputs(results, decides)
    before = STAGED.with_name("before")
    if before.is_dir() and not folder.is_dir():  # stopped between the two
        os.rename(before, folder)
    shutil.rmtree(STAGED.parent, ignore_errors=True)
    STAGED.mkdir(parents=True)
    for name in _kept(folder, decides):
        kept = folder / name
        (shutil.copytree if kept.is_dir() else shutil.copy)(kept, STAGED / name)
    told = _stage(made, results, smoke, folder)
    os.rename(folder, before)
    os.rename(STAGED, folder)
    shutil.rmtree(STAGED.parent)
    return told


def _kept(folder: Path, decides: Mapping[str, str]) -> list[str]:
    """What no run makes; and what was made again, where the same decided the numbers before."""
    if not (folder / AGAIN).is_file():
        return [*KEPT]
    before = whole_files.read_json(folder / "manifest.json", "inputs")["inputs"]
    return [*KEPT, *[AGAIN] * (before == decides)]


def run(*words: str) -> None:
    """Run Snakemake to its end: it handles Ctrl-C itself.

    Raises:
        UserError: If it did not reach it.
    """
    process = subprocess.Popen([sys.executable, "-m", "snakemake", *words])
    while True:
        try:
            if process.wait():
                raise UserError(
                    "record: the run stopped before its end. Run the same command to continue it"
                )
            return
        except KeyboardInterrupt:
            continue


def _stage(made: Mapping[str, Any], results: Path, smoke: Path, folder: Path) -> list[str]:
    """Write all files of the record; the page last, which states the hashes of the others."""
    from whyspiking_exchange.export import networks, shipped  # Brian2 and JAX

    config = made["config"]
    record(config, results, STAGED)
    timed = reference.table(folder / "durations.csv", columns.DURATIONS)
    published = timed[timed["scale"] == published_size.SCALE]
    write_durations(pd.concat([of_run(results), of_run(smoke), published]), config, STAGED)
    shipped.ship(results, STAGED, networks.SAMPLES, Path(config["build_folder"]))
    for name in registry.counted(registry.available()):
        shipped.keep(results, name, STAGED)
    page.keep_drawn(results, STAGED)
    _manifest(made)
    datapackage.write(STAGED)
    page.render(STAGED, folder)
    unit, cpu = made["machine"]["speed_factor"], made["machine"]["cpu"]
    return [
        f"reference results: commit {made['commit'][:7]}, {cpu}, speed factor {unit:.2f}",
        f"SIMD level: {made['arithmetic']['vectors']}",
    ]


def of_run(run: Path) -> pd.DataFrame:
    """What the jobs of a finished run cost, columns of `columns.DURATIONS`.

    Args:
        run: `results/<scale>`.

    Raises:
        UserError: If the run is not finished, or does not tell the unit of its machine.
    """
    made = whole_files.read_json(run / "manifest.json", "scale", "machine")
    if made["machine"].get("speed_factor") is None:
        raise UserError(
            f"{run / 'manifest.json'}: machine.speed_factor is missing; expected the manifest of "
            f"a run of "
            "this version. Delete the file and rerun snakemake"
        )
    return durations.of_kinds(
        durations.of_jobs(run), made["scale"], made["machine"]["speed_factor"]
    )


def write_durations(rows: pd.DataFrame, config: Mapping[str, Any], folder: Path) -> None:
    """Write durations.csv of the record, in order; what scale default costs follows from full.

    Args:
        rows: Columns of `columns.DURATIONS`; those of scale default do not matter.
        config: The configuration at scale full.
        folder: The record.
    """
    default = inputs.config_of("default")
    timed = rows[rows["scale"] != default["scale"]]
    whole = pd.concat([timed, part(timed, config, default)])
    write_csv(
        whole.sort_values(["scale", *durations.KIND], kind="stable"), folder / "durations.csv"
    )


def find_datasets(config: Mapping[str, Any]) -> set[str | None]:
    """Find the data sets, by their folders, that experiments of a configuration use."""
    return {
        folder_of(experiment.data_key, config["data"])
        for name in registry.available()
        for experiment in registry.load_talk(name).experiments.values()
        if registry.seeds(experiment, config)
    }


def part(rows: pd.DataFrame, whole: Mapping[str, Any], config: Mapping[str, Any]) -> pd.DataFrame:
    """What the jobs of a scale cost that trains a part of the networks of another by its recipes.

    Args:
        rows: Rows of durations.csv, those of the larger scale among them.
        whole: The configuration of the larger scale.
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
    used, scale = find_datasets(config), config["scale"]
    found = []
    for row in rows[rows["scale"] == whole["scale"]].to_dict("records"):
        if row["dataset"] and row["dataset"] not in used:
            continue
        experiment = experiments.get((row["talk"], row["experiment"]))
        if row["experiment"]:
            # The reference table may have rows of experiments and variants that are retired.
            if experiment is None or row["variant"] not in ("", *experiment.variants):
                continue
            variants = [row["variant"]] if row["rule"] == "train" else list(experiment.variants)
            here, there = (
                sum(len(registry.seeds(experiment, of, name)) for name in variants)
                for of in (config, whole)
            )
            if not here:
                continue
            row["n_jobs"] = here if row["rule"] == "train" else 1
            if row["rule"] == "train" and experiment.default_run and scale == "default":
                share = experiment.default_run.trained_fraction
                row |= {key: round(row[key] * share, 1) for key in ("seconds", "cpu_seconds")}
            if row["rule"] == "simulate":
                row |= {
                    key: round(row[key] * here / there, 1) for key in ("seconds", "cpu_seconds")
                }
        found.append({**row, "scale": config["scale"]})
    return columns.DURATIONS.table(found)


def _manifest(made: Mapping[str, Any]) -> None:
    """How the record was made: that of the run, with what decides its numbers."""
    talks = registry.counted(made["config"]["talks"])
    whole = {**made, "command": "make record", "date": inputs.today()}
    whole |= {"config": {**made["config"], "talks": talks}, "inputs": digests(made["config"])}
    whole.pop("reproduced", None)  # of the record before
    inputs.write_json(STAGED / "manifest.json", whole)


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
        listed = ", ".join(line[2:].strip() for line in changed.splitlines())
        raise UserError(
            f"record: {listed} differ from the last commit; expected the files of one commit. "
            "Commit the changes or undo them (git stash)"
        )


def digests(config: Mapping[str, Any], names: Sequence[str] = ()) -> dict[str, str]:
    """Talk -> digest of everything that decides its numbers; of all where none is named."""
    talks = [registry.load_talk(name) for name in names or registry.available()]
    return {talk.name: inputs.digest_of(inputs.inputs_of(talk, config)) for talk in talks}


def _same_inputs(results: Path, now: Mapping[str, str]) -> None:
    """Refuse a run of other code, or one of which nobody knows by what it was made."""
    path = results / BEGUN
    if not path.is_file():
        raise UserError(
            f"{results}: this folder contains a run that was not started by 'make record'; "
            "expected a run that 'make record' started. Move the folder away, or delete it"
        )
    begun = whole_files.read_json(path, "commit", "inputs")
    if changed := [name for name in now if begun["inputs"].get(name) != now[name]]:
        raise UserError(
            f"{results}: the run was started at commit {begun['commit'][:7]}, and inputs that "
            f"determine the numbers of {', '.join(changed)} changed since then; expected a run of "
            "one commit. Go back to that commit, or delete the folder and start from the "
            "beginning"
        )
