"""Writes the recorded tables: of every talk from a finished run, and those that join the talks.

`make record` calls it (`one_run`). A talk's manifest holds a digest of everything that decides its
tables: files of code (of Python what they do, not how they are laid out), what talk.yaml,
claims.yaml and the config say at scale full. A digest that differs asks for a new record; a test
refuses one. What joins the talks follows from their tables, and `joint` computes it anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.contract.data_folders import folder_of
from whyspiking.declared import registry
from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError
from whyspiking.records import columns, datapackage, reference, tables, whole_files
from whyspiking.running import machine
from whyspiking.stages import compare, durations, provenance
from whyspiking.verdicts import differing_inputs, judge, overview, rule
from whyspiking_maintain import concordance, inputs


def record(config: Mapping[str, Any], results: Path, folder: Path) -> None:
    """Record all talks of a finished run, and compute the joint tables.

    Args:
        config: The configuration of the run.
        results: `results/full`.
        folder: Where to.

    Raises:
        UserError: If the run is of another scale or not finished, or a table is not what it wrote.
    """
    if config["scale"] != inputs.SCALE:
        raise UserError(
            f"record: the run has scale '{config['scale']}'; expected scale '{inputs.SCALE}', at "
            "which all claims are judged. Run: make record"
        )
    # Code of pages may have changed since the run.
    of_run = {"commit": whole_files.read_json(results / "manifest.json", "commit")["commit"]}
    for name in registry.available():
        talk, own = registry.load_talk(name), folder / name
        metrics = tables.read(results / name / "metrics.csv", columns.METRICS)
        run = tables.read(results / name / "verdicts.csv", columns.VERDICTS)
        # Of the run's own rows alone: it may have been held against an earlier record.
        write_talk(metrics, registry.as_measured(talk, results / name), run, own)
        _, how = of_talk(talk, config, results)
        write_manifest(talk, config, {**how, **of_run}, own)
    # A run's manifest names the talks alone; what is computed of all asks the ground as well.
    write_joint({**config, "talks": inputs.config_of()["talks"]}, folder)


def of_talk(
    talk: Talk, config: Mapping[str, Any], folder: Path
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Rows of durations.csv for one talk, and how its tables were made.

    Args:
        talk: The talk.
        config: The run configuration.
        folder: `results/<scale>`.
    """
    unit = machine.unit(Path(config["build_folder"]))
    timed = durations.of_jobs(folder)
    timed = timed[timed["talk"] == talk.name]
    whole = provenance.manifest(config, timed, unit)
    keys = {experiment.data_key for experiment in talk.experiments.values()}
    used = {folder_of(key, config["data"]) for key in keys}
    own = [e for e in config["seeds_of"] if e["experiment"].partition(".")[0] == talk.name]
    kept = ("commit", "uncommitted_changes", "scale", "python", "versions", "machine", "arithmetic")
    return durations.of_kinds(timed, config["scale"], unit), {
        "talk": talk.name,
        **{key: whole[key] for key in kept},
        "config": {"seeds": config["seeds"], "seeds_of": own},
        "config_sha256": whole["config_sha256"],
        "protocols": {k: x for k, x in whole["protocols"].items() if k == talk.name},
        "data": {name: facts for name, facts in whole["data"].items() if name in used},
        "costs": whole["talks"].get(talk.name, {}),
    }


def write_manifest(
    talk: Talk, config: Mapping[str, Any], how: Mapping[str, Any], folder: Path
) -> None:
    """Say how the tables of a talk were made, all of them by one run.

    Args:
        talk: The talk.
        config: The configuration of the run.
        how: What `of_talk` says of it.
        folder: Of the talk.
    """
    decides = {place: digest for place, (_, digest) in inputs.inputs_of(talk, config).items()}
    made = {
        "format": reference.FORMAT,
        **how,
        "recipe": differing_inputs.list_parameters(talk),
        "date": inputs.today(),
    }
    whole = {**made, "inputs": dict(sorted(decides.items()))}
    inputs.write_json(folder / "manifest.json", whole)


def write_talk(metrics: pd.DataFrame, talk: Talk, before: pd.DataFrame, folder: Path) -> None:
    """Write the tables of a talk that follow from all its measurements.

    Args:
        metrics: Rows of the metrics table, contrasts included.
        talk: With the provenance of the data that its networks had.
        before: Rows of verdicts.csv that say why a network could not be had.
        folder: Of the talk.
    """
    write_csv(metrics, folder / f"metrics.csv{tables.PACKED}", metrics=True)
    written = tables.read_metrics([folder / "metrics.csv"])  # all else follows from these digits
    made = {
        "verdicts.csv": _judged(written, talk, before),
        "measures.csv": overview.measures(written, talk),
    }
    for file, content in made.items():
        write_csv(content, folder / file)


def _judged(table: pd.DataFrame, seen: Talk, run: pd.DataFrame) -> pd.DataFrame:
    """Verdicts on all claims of a talk; why a network could not be had, the run's own say."""
    verdicts = judge.judge_all(table, inputs.claims_of(seen), seen, inputs.SCALE)
    told = run.set_index("claim")["comment"]
    lacking = (verdicts["verdict"] == rule.NOT_MEASURED) & verdicts["claim"].isin(told.index)
    verdicts.loc[lacking, "comment"] = verdicts.loc[lacking, "claim"].map(told)
    return verdicts


def write_joint(config: Mapping[str, Any], folder: Path = reference.FOLDER) -> None:
    """Compute the joint tables from those of the recorded talks, and describe all of them.

    Args:
        config: The configuration.
        folder: The reference.
    """
    recorded = [name for name in config["talks"] if name in reference.recorded(folder)]
    names, ground = registry.counted(recorded), registry.with_protocol(recorded)
    metrics, references = (
        tables.read_metrics([folder / name / "metrics.csv" for name in own])
        for own in (names, ground)
    )
    made = compare.joint(metrics, references, names, config)
    verdicts = [reference.table(folder / name / "verdicts.csv", columns.VERDICTS) for name in names]
    talks = [registry.load_talk(name) for name in names]
    made["concordance.csv"] = concordance.rows(tables.stacked(verdicts), talks, config)
    for file, table in made.items():
        write_csv(table, folder / file)
    datapackage.write(folder)


def write_csv(table: pd.DataFrame, path: Path, metrics: bool = False) -> None:
    """Write a table without a seal: git keeps what is committed."""
    (tables.write_metrics if metrics else tables.write_csv)(table, path)
    whole_files.seal_of(path).unlink()
