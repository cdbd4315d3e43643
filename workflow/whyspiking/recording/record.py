"""Record finished results in `results/reference`, talk by talk, and tell which are out of date.

`make reference TALK=naud` records one talk, `make reference` all, and computes the joint tables. A
talk's manifest holds a digest of everything that decides its tables: files of code (of Python what
they do, not how they are laid out), what talk.yaml, claims.yaml and the config say at scale full. A
digest that differs asks for a new record of that talk, unless a note in the manifest says why the
change does not matter; a note covers the state it was written for and no later one.

`add` puts experiments that were run by themselves into what is recorded of a talk; with none named
it computes verdicts, measures and energies anew from the recorded rows. What talk.yaml no longer
has goes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared import registry
from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError
from whyspiking.recording import inputs
from whyspiking.records import columns, datapackage, glossary, reference, tables, whole_files
from whyspiking.stages import collect, compare, durations, provenance
from whyspiking.verdicts import concordance, contrasts, judge, overview, recipe, rule


def record(
    talks: Sequence[str], config: Mapping[str, Any], results: Path, folder: Path = reference.FOLDER
) -> None:
    """Record talks of a finished run, and compute the joint tables.

    Args:
        talks: Their names.
        config: The configuration of the run.
        results: `results/full`.
        folder: Where to.

    Raises:
        UserError: If the run is of another scale, or a table is not what the run wrote.
    """
    if config["scale"] != inputs.SCALE:
        raise UserError(
            f"reference: the run is of scale '{config['scale']}'; expected '{inputs.SCALE}', at "
            f"which all claims are judged; run: snakemake reference --configfile "
            f"config/{inputs.SCALE}.yaml"
        )
    for name in talks:
        talk, own = registry.load_talk(name), folder / name
        metrics = tables.read(results / name / "metrics.csv", columns.METRICS)
        run = tables.read(results / name / "verdicts.csv", columns.VERDICTS)
        seen = registry.as_measured(talk, results / name)
        # Of the run's own rows alone: it may have been held against an earlier record.
        _write_tables(own, talk, metrics, _judged_anew(metrics, seen, talk.experiments, run))
        timed, made = provenance.of_talk(talk, config, results)
        _replace_durations(folder / "durations.csv", name, timed)
        made = {"format": reference.FORMAT, **made, "recipe": recipe.of(talk)}
        _write_manifest(own, made, inputs.inputs_of(talk, config), [])
    write_joint(config, folder, results)


def _write_tables(folder: Path, talk: Talk, metrics: pd.DataFrame, verdicts: pd.DataFrame) -> None:
    """All recorded tables of a talk, from its metrics and verdicts."""
    made = {
        "metrics.csv": metrics,
        "verdicts.csv": verdicts,
        "measures.csv": overview.measures(metrics, {talk.name: talk}),
        "energy.csv": contrasts.energy_ratios(metrics),
    }
    for file, content in made.items():
        _write_csv(content, folder / file, metrics=file == "metrics.csv")


def add(
    name: str,
    experiments: Sequence[str],
    config: Mapping[str, Any],
    results: Path,
    folder: Path = reference.FOLDER,
) -> None:
    """Add networks of finished experiments to what is recorded of a talk, or replace them there.

    All claims of the talk are judged again, from the recorded rows where the run has no others.

    Args:
        name: Of the talk.
        experiments: Their names.
        config: The configuration of the run, of the recorded scale or of one that is a part of it.
        results: Of the run.
        folder: The reference.

    Raises:
        UserError: If the run lacks a file of one of the experiments.
    """
    talk, own = registry.load_talk(name), folder / name
    simulated, facts = _finished(talk, experiments, config, results / name)
    seen = registry.as_measured(talk, results / name)
    old = reference.table(own / "verdicts.csv", columns.VERDICTS)
    table = _still_run(reference.table(own / "metrics.csv", columns.METRICS), talk)
    if experiments:
        fresh = collect.measured(talk, simulated, facts, config).assign(scale=inputs.SCALE)
        # Written and read again: what follows from it is to follow from the recorded digits.
        _write_csv(_joined(table, fresh, talk, config), own / "metrics.csv", metrics=True)
        table = reference.table(own / "metrics.csv", columns.METRICS)
    _write_tables(own, talk, table, _judged_anew(table, seen, experiments, old))
    if experiments:
        _note_added(talk, experiments, config, results, folder)
    write_joint(inputs.config_of(), folder, results)


def _joined(
    known: pd.DataFrame, fresh: pd.DataFrame, talk: Talk, config: Mapping[str, Any]
) -> pd.DataFrame:
    """Recorded rows with those of some networks made anew; what compares networks, of all."""
    network = ["experiment", "variant", "seed"]
    again = pd.MultiIndex.from_frame(known[network]).isin(pd.MultiIndex.from_frame(fresh[network]))
    table = pd.concat([known[~again], fresh], ignore_index=True)
    crossed = columns.METRICS.table(contrasts.cross_rows(table, talk, config))
    table = pd.concat(
        [table[~table["metric"].isin(crossed["metric"].unique())], crossed], ignore_index=True
    )
    return table.sort_values(columns.METRICS.names[:10], kind="stable")


def _finished(
    talk: Talk, experiments: Sequence[str], config: Mapping[str, Any], results: Path
) -> tuple[list[Path], list[Path]]:
    """Tables and facts of some experiments of a run; refuses what is missing."""
    simulated = [results / experiment / "metrics.csv" for experiment in experiments]
    facts = [
        results / experiment / variant / f"seed-{seed}" / "network.json"
        for experiment in experiments
        for variant in talk.experiments[experiment].variants
        for seed in registry.seeds(talk.experiments[experiment], config, variant)
    ]
    if missing := [path for path in (*simulated, *facts) if not path.is_file()]:
        raise UserError(
            f"{missing[0]}: is not there; expected a finished run of it at scale "
            f"'{config['scale']}'; run snakemake {missing[0]} with that scale's configuration"
        )
    return simulated, facts


def _judged_anew(
    table: pd.DataFrame, seen: Talk, experiments: Collection[str], before: pd.DataFrame
) -> pd.DataFrame:
    """Verdicts on all claims of a talk.

    Which data a run had, and which files of others it lacked, its metrics do not tell: that is
    taken over from the verdicts before, but for some experiments whose data are known.
    """
    old = before.set_index("claim")
    claims = [
        claim.on(str(old["data"][claim.id]))
        if claim.id in old.index and claim.where["experiment"] not in experiments
        else claim
        for claim in inputs.claims_of(seen)
    ]
    verdicts = judge.judge_all(table, claims, seen, inputs.SCALE)
    lacking = verdicts["verdict"] == rule.NOT_MEASURED
    for row in verdicts.index[lacking & verdicts["claim"].isin(old.index)]:
        verdicts.loc[row, "note"] = old["note"][verdicts["claim"][row]]
    return verdicts


def _note_added(
    talk: Talk,
    experiments: Sequence[str],
    config: Mapping[str, Any],
    results: Path,
    folder: Path,
) -> None:
    """Keep how long the added experiments took, and note in the manifest how they were made."""
    timed, how = provenance.of_talk(talk, config, results)
    timed = timed[timed["experiment"].isin(experiments)]
    if config["scale"] == inputs.SCALE:
        _replace_durations(folder / "durations.csv", talk.name, timed, experiments)
    manifest = reference.manifest(folder / talk.name)
    places = tuple(f"talk.yaml: {experiment}, " for experiment in experiments)
    now = sorted(inputs.inputs_of(talk, inputs.config_of()).items())
    which = "networks" if config["scale"] == inputs.SCALE else f"networks of {config['scale']}"
    manifest["notes"].append(
        {
            "why": f"{', '.join(experiments)}: {which} run apart from the others, commit "
            f"{how['commit']}, unit {how['machine']['unit']:.2f}",
            "date": inputs.today(),
            "inputs": {k: digest for k, (_, digest) in now if k.startswith(places)},
        }
    )
    inputs.write(folder / talk.name / "manifest.json", inputs.text_of(manifest))


def _still_run(metrics: pd.DataFrame, talk: Talk) -> pd.DataFrame:
    """Rows of networks and metrics that the talk still has at the recorded scale."""
    config = inputs.config_of()
    networks = {
        (experiment.name, variant, seed)
        for experiment in talk.experiments.values()
        for variant in experiment.variants
        for seed in registry.seeds(experiment, config, variant)
    }
    places = zip(metrics["experiment"], metrics["variant"], metrics["seed"], strict=True)
    declared = np.array([place in networks for place in places], bool)
    if declared.all():
        return metrics[metrics["metric"].isin(list(glossary.GLOSSARY))]
    kept = metrics[metrics["metric"].isin(list(glossary.GLOSSARY)) & declared]
    # A contrast with a network that is gone goes with it.
    return _joined(kept, kept[:0], talk, config)


def write_joint(
    config: Mapping[str, Any], folder: Path = reference.FOLDER, run: Path | None = None
) -> None:
    """Compute the joint tables from those of the recorded talks, and describe all of them.

    Args:
        config: The configuration.
        folder: The reference.
        run: A run that was recorded, whose exhibits tell the scores along time; those of other
            networks stay.
    """
    reference.check(folder)
    names = _names(config, folder)
    inputs.keep_recipes(reference.recorded(folder), config, folder)
    metrics = tables.read_metrics([folder / name / "metrics.csv" for name in names])
    for file, table in compare.joint(metrics, names, config, run).items():
        whole = _with_times(table, folder / file) if file == "curves.csv" else table
        _write_csv(whole, folder / file)
    described = [registry.load_talk(name) for name in names]
    verdicts = [reference.table(folder / name / "verdicts.csv", columns.VERDICTS) for name in names]
    replicated = concordance.rows(tables.stacked(verdicts), described, config)
    _write_csv(replicated, folder / "concordance.csv")
    inputs.write(folder / "manifest.json", inputs.text_of(_of_all(config, folder)))
    datapackage.write(folder)


def _with_times(curves: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Curves with recorded scores along time, where the run has fewer networks or none."""
    if not path.is_file():
        return curves
    old = reference.table(path, columns.CURVES)
    made = {name: registry.load_talk(name).experiments for name in old["talk"].unique()}
    pairs = zip(old["talk"], old["experiment"], strict=True)
    old = old[[experiment in made[talk] for talk, experiment in pairs]]
    network = ["talk", "experiment", "variant"]
    both = pd.concat([curves, old[old["along"] == "time"]], ignore_index=True)
    along_time = both["along"] == "time"
    most = both[along_time].groupby(network)["seeds"].transform("max")
    kept = both[along_time][both[along_time]["seeds"] == most].drop_duplicates([*network, "at"])
    return pd.concat([both[~along_time], kept], ignore_index=True)


def _names(config: Mapping[str, Any], folder: Path) -> list[str]:
    """The recorded talks, in the order of the report."""
    recorded = registry.counted(reference.recorded(folder))
    listed = [name for name in config["talks"] if name in recorded]
    return listed + [name for name in recorded if name not in listed]


def _of_all(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """How the recorded run was made, for its page; several values where talks differ."""
    made = {name: reference.manifest(folder / name) for name in reference.recorded(folder)}

    def distinct(*path: str) -> str:
        values = set()
        for manifest in made.values():
            value: Any = manifest
            for key in path:
                value = value.get(key, "")
            values.add(str(value)[:7] if path == ("commit",) else str(value))
        return ", ".join(sorted(values))

    versions = {name for manifest in made.values() for name in manifest["versions"]}
    return {
        "scale": inputs.SCALE,
        "command": "make reference",
        "commit": distinct("commit"),
        "uncommitted_changes": any(m["uncommitted_changes"] for m in made.values()),
        "config": json.loads(json.dumps({**config, "talks": _names(config, folder)}, default=str)),
        "config_sha256": distinct("config_sha256"),
        "python": distinct("python"),
        "versions": {name: distinct("versions", name) for name in sorted(versions)},
        "machine": {name: distinct("machine", name) for name in ("cpu", "system", "arch")},
        "talks": {name: manifest["costs"] for name, manifest in made.items()},
        "data": {k: v for manifest in made.values() for k, v in manifest["data"].items()},
    }


def _replace_durations(
    path: Path, talk: str, own: pd.DataFrame, experiments: Sequence[str] = ()
) -> None:
    """Put rows in the place of those of the talk, or only of some of its experiments."""
    schema = columns.DURATIONS
    known = reference.table(path, schema) if path.is_file() else schema.table([])
    replaced = (known["talk"] == talk) & (known["scale"] == inputs.SCALE)
    if experiments:
        replaced &= known["experiment"].isin(experiments)
    others = known[~replaced]
    parts = [part for part in (others, own) if not part.empty]
    stacked = pd.concat(parts, ignore_index=True) if parts else own
    _write_csv(stacked.sort_values(["scale", *durations.KIND], kind="stable"), path)


def _write_manifest(
    folder: Path,
    made: Mapping[str, Any],
    decides: inputs.Inputs,
    notes: Sequence[Mapping[str, Any]],
) -> None:
    digests = {place: digest for place, (_, digest) in sorted(decides.items())}
    whole = {**made, "date": inputs.today(), "notes": list(notes), "inputs": digests}
    inputs.write(folder / "manifest.json", inputs.text_of(whole))


def _write_csv(table: pd.DataFrame, path: Path, metrics: bool = False) -> None:
    (tables.write_metrics if metrics else tables.write_csv)(table, path)
    whole_files.seal_of(path).unlink()


def run(given: argparse.Namespace) -> None:
    """One of the commands `check`, `excuse`, `joint` and `add`.

    Raises:
        UserError: If a talk is not recorded, or `check` finds what changed.
    """
    config = inputs.config_of()
    if given.command == "joint":
        return write_joint(config)
    if given.command == "add":
        run = inputs.config_of(given.scale)
        return add(given.talk, given.experiments, run, Path("results") / given.scale)
    known = reference.recorded()
    for name in given.talks:
        if name not in known:
            raise UserError(
                f"talk '{name}' is not recorded in {reference.FOLDER}; expected one of "
                f"{', '.join(known)}; correct the name"
            )
    chosen = given.talks or known
    if given.command == "check":
        return inputs.check(chosen, config)
    noted = inputs.excuse(chosen, given.why, config)
    print("noted in:", ", ".join(noted) or "none; all is as recorded")
    return None
