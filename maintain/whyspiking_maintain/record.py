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
    run_commit = {"commit": whole_files.read_json(results / "manifest.json", "commit")["commit"]}
    for name in registry.available():
        talk, talk_folder = registry.load_talk(name), folder / name
        metrics = tables.read(results / name / "metrics.csv", columns.METRICS)
        run_verdicts = tables.read(results / name / "verdicts.csv", columns.VERDICTS)
        # Of the run's own rows alone: it may have been held against an earlier record.
        write_talk(metrics, registry.as_measured(talk, results / name), run_verdicts, talk_folder)
        _, run_metadata = of_talk(talk, config, results)
        write_manifest(talk, config, {**run_metadata, **run_commit}, talk_folder)
    # A run's manifest names the talks alone; what is computed of all asks the ground as well.
    write_joint({**config, "talks": inputs.config_of()["talks"]}, folder)


def of_talk(
    talk: Talk, config: Mapping[str, Any], folder: Path
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of durations.csv of one talk, and how its tables were made.

    Args:
        talk: The talk.
        config: The run configuration.
        folder: `results/<scale>`.
    """
    speed_factor = machine.unit(Path(config["build_folder"]))
    job_durations = durations.of_jobs(folder)
    job_durations = job_durations[job_durations["talk"] == talk.name]
    run_manifest = provenance.manifest(config, job_durations, speed_factor)
    data_keys = {experiment.data_key for experiment in talk.experiments.values()}
    used_datasets = {folder_of(key, config["data"]) for key in data_keys}
    talk_seeds = [e for e in config["seeds_of"] if e["experiment"].partition(".")[0] == talk.name]
    metadata_keys = (
        "commit",
        "uncommitted_changes",
        "scale",
        "python",
        "versions",
        "machine",
        "arithmetic",
    )
    return durations.of_kinds(job_durations, config["scale"], speed_factor), {
        "talk": talk.name,
        **{key: run_manifest[key] for key in metadata_keys},
        "config": {"seeds": config["seeds"], "seeds_of": talk_seeds},
        "config_sha256": run_manifest["config_sha256"],
        "protocols": {k: x for k, x in run_manifest["protocols"].items() if k == talk.name},
        "data": {
            name: facts for name, facts in run_manifest["data"].items() if name in used_datasets
        },
        "costs": run_manifest["talks"].get(talk.name, {}),
    }


def write_manifest(
    talk: Talk, config: Mapping[str, Any], run_metadata: Mapping[str, Any], folder: Path
) -> None:
    """Write how the tables of a talk were made, all of them by one run.

    Args:
        talk: The talk.
        config: The configuration of the run.
        run_metadata: What `of_talk` says of it.
        folder: Of the talk.
    """
    digests = {name: digest for name, (_, digest) in inputs.inputs_of(talk, config).items()}
    metadata = {
        "format": reference.FORMAT,
        **run_metadata,
        "recipe": differing_inputs.list_parameters(talk),
        "date": inputs.today(),
    }
    manifest = {**metadata, "inputs": dict(sorted(digests.items()))}
    inputs.write_json(folder / "manifest.json", manifest)


def write_talk(metrics: pd.DataFrame, talk: Talk, run_verdicts: pd.DataFrame, folder: Path) -> None:
    """Write the tables of a talk that follow from all its measurements.

    Args:
        metrics: Rows of the metrics table, contrasts included.
        talk: With the provenance of the data that its networks had.
        run_verdicts: Rows of verdicts.csv that say why a network could not be had.
        folder: Of the talk.
    """
    write_csv(metrics, folder / f"metrics.csv{tables.PACKED}", is_metrics=True)
    # All other tables follow from the digits that are written.
    rounded_metrics = tables.read_metrics([folder / "metrics.csv"])
    derived_tables = {
        "verdicts.csv": _judge_claims(rounded_metrics, talk, run_verdicts),
        "measures.csv": overview.measures(rounded_metrics, talk),
    }
    for file_name, table in derived_tables.items():
        write_csv(table, folder / file_name)


def _judge_claims(metrics: pd.DataFrame, talk: Talk, run_verdicts: pd.DataFrame) -> pd.DataFrame:
    """Judge all claims of a talk; the run says why a network could not be had."""
    verdicts = judge.judge_all(metrics, inputs.claims_of(talk), talk, inputs.SCALE)
    comments = run_verdicts.set_index("claim")["comment"]
    has_comment = (verdicts["verdict"] == rule.NOT_MEASURED) & verdicts["claim"].isin(
        comments.index
    )
    verdicts.loc[has_comment, "comment"] = verdicts.loc[has_comment, "claim"].map(comments)
    return verdicts


def write_joint(config: Mapping[str, Any], folder: Path = reference.FOLDER) -> None:
    """Compute the joint tables from those of the recorded talks, and describe all of them.

    Args:
        config: The configuration.
        folder: The reference.
    """
    recorded_talks = [name for name in config["talks"] if name in reference.recorded(folder)]
    counted_talks, protocol_talks = (
        registry.counted(recorded_talks),
        registry.with_protocol(recorded_talks),
    )
    metrics, protocol_metrics = (
        tables.read_metrics([folder / name / "metrics.csv" for name in talk_names])
        for talk_names in (counted_talks, protocol_talks)
    )
    joint_tables = compare.joint(metrics, protocol_metrics, counted_talks, config)
    verdicts = [
        reference.table(folder / name / "verdicts.csv", columns.VERDICTS) for name in counted_talks
    ]
    talks = [registry.load_talk(name) for name in counted_talks]
    joint_tables["concordance.csv"] = concordance.rows(tables.stacked(verdicts), talks, config)
    for file_name, table in joint_tables.items():
        write_csv(table, folder / file_name)
    datapackage.write(folder)


def write_csv(table: pd.DataFrame, path: Path, is_metrics: bool = False) -> None:
    """Write a table without a seal: git keeps what is committed."""
    (tables.write_metrics if is_metrics else tables.write_csv)(table, path)
    whole_files.seal_of(path).unlink()
