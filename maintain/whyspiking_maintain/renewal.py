"""Renews the reference results of single talks and experiments.

    python -m whyspiking.recording recollect
    python -m whyspiking.recording record bohte/ecg
    python -m whyspiking.recording record comsa/regimes --missing
    python -m whyspiking.recording paper goeltz

The manifest of a talk has the digests of all inputs that decide its numbers. `record` runs some
experiments and puts their rows in the place of the old ones; the manifest says how and when each of
them was made. With `--missing` it trains only networks that the reference results lack, and adds
their rows. `paper` keeps what a finished run at scale paper says of a talk beside that: its
verdicts and how they were made in `results/reference/paper/`, what its jobs took in
`durations.csv`; pages say where verdicts differ. `recollect` computes again what follows from
recorded rows.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.contract import network_files
from whyspiking.declared import key_claims, registry
from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.records.glossary import GLOSSARY
from whyspiking.stages import collect, durations
from whyspiking.verdicts import contrasts, differing_inputs, published_size
from whyspiking_maintain import inputs, one_run, page, record

COLLECT = "collect"
"""The stage whose results follow from recorded rows."""
LEARNING_CURVES = f"learning_curves.csv{tables.PACKED}"
"""Training histories of networks that were recorded in parts, in the folder of their experiment."""
ABBREVIATED_KEYS = ("versions", "arithmetic")
"""Keys of which an entry of an experiment lists only what differs from the entry of its talk."""


def recollect(folder: Path = reference.FOLDER) -> None:
    """Compute from recorded rows what stage collect does: contrasts, verdicts and measures."""
    config = inputs.config_of()
    for name in reference.recorded(folder):
        _rewrite_talk(registry.load_talk(name), config, folder)
    _update_joint_files(config, folder)


def renew(
    targets: Sequence[str],
    options: str = "",
    folder: Path = reference.FOLDER,
    only_missing: bool = False,
) -> None:
    """Put the rows of experiments, run at scale full by the present commit, in place of the old.

    Args:
        targets: Each a talk or one of its experiments, as TALK or TALK/EXPERIMENT.
        options: For Snakemake, which makes what is missing.
        folder: The record.
        only_missing: Whether networks that are recorded already stay as they are.

    Raises:
        UserError: If a tracked file differs from its commit, a part is not known or not run at
            scale full, or the run stopped; with `only_missing` also if no network is missing, or
            if recorded networks of the same experiment have other inputs.
    """
    from whyspiking_exchange.export import networks, shipped  # Brian2 and JAX

    one_run.committed()
    config = inputs.config_of()
    selection = dict(_resolve_targets(targets, config))
    recorded_talks = reference.recorded(folder)
    if name := next((n for n in selection if n not in recorded_talks and n not in targets), ""):
        raise UserError(
            f"record: talk '{name}' has no reference results yet; expected a run of the whole "
            f"talk first, whose parts can be replaced later. Run: record {name}"
        )
    run_config, overrides = config, []
    if only_missing:
        run_config = leave_out_recorded(selection, config, folder)
        overrides = ["--config", f"seeds_of={json.dumps(run_config['seeds_of'])}"]
    files = [
        file
        for talk, experiments in selection.items()
        for file in _list_files(talk, experiments, run_config)
    ]
    overlay = f"config/{inputs.SCALE}.yaml"
    # A file of the user comes first in `options` and is read after the overlay.
    one_run.run("--configfile", overlay, *shlex.split(options), *overrides, "--", *map(str, files))
    job_costs = durations.of_jobs(one_run.RUN)
    job_costs = job_costs[job_costs["rule"].isin(("train", "simulate"))]
    for name, experiments in selection.items():
        talk = registry.load_talk(name)
        run_talk = registry.as_measured(talk, one_run.RUN / name)
        network_paths = [
            p for p in _list_files(name, experiments, run_config) if p.name == "network.json"
        ]
        metrics = [one_run.RUN / name / experiment / "metrics.csv" for experiment in experiments]
        rows = collect.stacked(talk, metrics, network_paths, inputs.SCALE)
        _, metadata = record.of_talk(talk, config, one_run.RUN)
        talk_jobs, extended_names = job_costs[job_costs["talk"] == name], set()
        if name in recorded_talks:
            # Other experiments of the talk keep their rows and the entry of their own run.
            cpu_s = talk_jobs.groupby(["experiment", "rule"])["cpu_seconds"].sum().round(1)
            entry = {**metadata, "date": inputs.today()}
            entries = {e: {**entry, "cpu_seconds": cpu_s[e].to_dict()} for e in experiments}
            extended_names = {
                e for e in experiments if only_missing and _read_networks(name, e, folder)
            }
            for e in experiments if only_missing else []:
                folders = [path.parent for path in network_paths if path.parents[2].name == e]
                entries[e]["networks"] = describe_networks(folders)
                add_learning_curves(folders, folder / name / e / LEARNING_CURVES)
            _rewrite_talk(run_talk, config, folder, rows, entries, extended_names)
        else:
            all_rows = collect.contrasted(rows, run_talk)
            record.write_talk(all_rows, run_talk, columns.VERDICTS.table([]), folder / name)
            record.write_manifest(talk, config, metadata, folder / name)
        selected_jobs = talk_jobs[talk_jobs["experiment"].isin(experiments)]
        costs = durations.of_kinds(selected_jobs, inputs.SCALE, metadata["machine"]["speed_factor"])
        if only_missing:
            costs = one_run.part(costs, run_config, config)
        _set_costs(costs, ["scale", "rule", "talk", "experiment"], config, folder)
        experiments = [e for e in experiments if e not in extended_names]
        for path in (one_run.RUN / name / e / page.EXHIBITS for e in experiments):
            if path.is_file():
                page.keep_exhibits(path, folder)
        build_folder = Path(config["build_folder"])
        shipped.renew(one_run.RUN, folder, name, experiments, networks.SAMPLES, build_folder)
        if talk.counted and key_claims.of(talk).rows["experiment"] in experiments:
            shipped.keep(one_run.RUN, name, folder)
    _update_joint_files(config, folder)


def keep_published_size(
    name: str, results: Path = Path("results/paper"), folder: Path = reference.FOLDER
) -> None:
    """Keep the verdicts of a talk in a run at scale paper, and the cost of that run.

    Args:
        name: Of the talk.
        results: The run.
        folder: The record.

    Raises:
        UserError: If the talk is unknown, its run is not finished or is of another scale.
    """
    talk, scale = registry.load_talk(name), published_size.SCALE
    verdicts_path = results / name / "verdicts.csv"
    scales = set(tables.read(verdicts_path, columns.VERDICTS)["scale"])
    if scales != {scale}:
        raise UserError(
            f"{verdicts_path}: this run has scale {', '.join(sorted(scales))}; expected scale "
            f"'{scale}'. "
            f"Run: snakemake {name} --configfile config/{scale}.yaml"
        )
    kind_costs, metadata = record.of_talk(talk, inputs.config_of(scale), results)
    _set_costs(kind_costs, ["scale", "talk"], inputs.config_of(), folder)
    inputs.write(folder / scale / f"{name}.csv", whole_files.read(verdicts_path))
    inputs.write_json(folder / scale / f"{name}.json", metadata)


def _resolve_targets(
    targets: Iterable[str], config: Mapping[str, Any]
) -> Iterator[tuple[str, list[str]]]:
    """Yield each talk with its requested experiments, of which scale full trains some networks."""
    name_pairs = [target.partition("/")[::2] for target in targets]
    for talk in dict.fromkeys(talk for talk, _ in name_pairs):
        experiments = registry.load_talk(talk).experiments if talk in registry.available() else {}
        trained_names = [n for n, e in experiments.items() if registry.seeds(e, config)]
        requested_names = [name for target_talk, name in name_pairs if target_talk == talk]
        for name in requested_names:
            if not trained_names or name not in ("", *trained_names):
                raise UserError(
                    f"record: '{talk}{'/' * bool(name)}{name}' is not run at scale {inputs.SCALE}; "
                    f"expected a talk ({', '.join(registry.available())}) or an experiment of one"
                    f"{': ' * bool(trained_names)}{', '.join(trained_names)}; correct the name"
                )
        yield talk, trained_names if "" in requested_names else requested_names


def _list_files(talk: str, experiments: Iterable[str], config: Mapping[str, Any]) -> list[Path]:
    """List the files that a run makes of experiments: their metrics and a file per network."""
    paths = []
    for name in experiments:
        experiment, folder = registry.load_talk(talk).experiments[name], one_run.RUN / talk / name
        paths.append(folder / "metrics.csv")
        for variant in experiment.variants:
            seeds = registry.seeds(experiment, config, variant)
            paths += [folder / variant / f"seed-{seed}" / "network.json" for seed in seeds]
    return paths


def leave_out_recorded(
    selection: Mapping[str, Sequence[str]], config: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Return the configuration of a run that trains only networks that are not recorded.

    Args:
        selection: Talk -> its experiments.
        config: The configuration at scale full.
        folder: The reference results.

    Raises:
        UserError: If no network is missing, or inputs of recorded networks have changed.
    """
    n_missing, missing_entries, recorded_entries = 0, [], []
    for name, experiments in selection.items():
        talk = registry.load_talk(name)
        for experiment in map(talk.experiments.get, experiments):
            assert experiment is not None
            networks = _read_networks(name, experiment.name, folder)
            for variant in experiment.variants:
                path = f"{name}.{experiment.name}/{variant}"
                seeds = registry.seeds(experiment, config, variant)
                is_recorded = [(variant, seed) in networks for seed in seeds]
                seed_lists = {
                    is_old: [s for s, r in zip(seeds, is_recorded, strict=True) if r is is_old]
                    for is_old in (True, False)
                }
                recorded_entries.append({"experiment": path, "seeds": seed_lists[True]})
                missing_entries.append({"experiment": path, "seeds": seed_lists[False]})
                n_missing += len(seed_lists[False])
        # An experiment without recorded networks has no inputs from which new ones could differ.
        extended_names = [e for e in experiments if _read_networks(name, e, folder)]
        recorded_config = replace_seeds(config, recorded_entries)
        changed = [
            input_name
            for input_name, (stage, _) in inputs.stale(name, recorded_config, folder).items()
            if stage != COLLECT and experiment_of(input_name) in ("", *extended_names)
        ]
        if changed:
            raise UserError(
                f"record: {', '.join(changed)} of talk '{name}' changed since its networks were "
                "recorded; expected the same inputs for all networks of an experiment. Run: "
                "python -m whyspiking.recording restate"
            )
    if not n_missing:
        raise UserError(
            f"record: the reference results have all networks of {', '.join(selection)} that "
            f"config/{inputs.SCALE}.yaml names; expected one that is missing. Add seeds to "
            "'seeds_of', or leave out --missing"
        )
    return replace_seeds(config, missing_entries)


def replace_seeds(
    config: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a configuration in which entries of `seeds_of` replace those of the same name."""
    replaced_names = {entry["experiment"] for entry in entries}
    other_entries = [e for e in config["seeds_of"] if e["experiment"] not in replaced_names]
    return {**config, "seeds_of": [*other_entries, *entries]}


def _read_networks(talk: str, experiment: str, folder: Path) -> set[tuple[str, int]]:
    """Read variant and seed of the networks of an experiment that the reference results have."""
    rows = reference.table(folder / talk / "metrics.csv", columns.METRICS)
    rows = rows[rows["experiment"] == experiment]
    return set(zip(rows["variant"], rows["seed"].astype(int), strict=True))


def describe_networks(folders: Iterable[Path]) -> list[dict[str, Any]]:
    """Describe trained networks whose weights the reference results do not keep.

    Args:
        folders: `results/full/<talk>/<experiment>/<variant>/seed-<n>` of each.

    Returns:
        Of each its variant, seed, SHA-256 of `network.npz`' arrays, and CPU seconds of training.
    """
    descriptions = []
    for path in folders:
        network = network_files.load_network(path)
        digest = hashlib.sha256()
        for array_name in sorted(network.arrays):
            array = np.ascontiguousarray(network.arrays[array_name])
            digest.update(f"{array_name} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        descriptions.append(
            {
                "variant": path.parent.name,
                "seed": int(path.name.removeprefix("seed-")),
                "sha256": digest.hexdigest(),
                "train_cpu_seconds": network.info.get("train_cpu_seconds"),
            }
        )
    return descriptions


def add_learning_curves(folders: Iterable[Path], path: Path) -> None:
    """Add the training histories of networks to a table; those of the same networks are replaced.

    Args:
        folders: As for `describe_networks`.
        path: The table, with the columns of `columns.HISTORY`; it is made if it does not exist.
    """
    rows: list[dict[str, Any]] = []
    for folder in folders:
        experiment, variant = folder.parents[1].name, folder.parent.name
        seed = int(folder.name.removeprefix("seed-"))
        network = {"experiment": experiment, "variant": variant, "seed": seed}
        rows += [{**network, **row} for row in network_files.load_network(folder).history]
    table, key = columns.HISTORY.table(rows), ["experiment", "variant", "seed"]
    if path.is_file():
        curves = tables.read(path, columns.HISTORY)
        is_new = pd.MultiIndex.from_frame(curves[key]).isin(pd.MultiIndex.from_frame(table[key]))
        table = pd.concat([curves[~is_new], table], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    record.write_csv(table, path)


def _rewrite_talk(
    talk: Talk,
    config: Mapping[str, Any],
    folder: Path,
    new_rows: pd.DataFrame | None = None,
    entries: Mapping[str, Mapping[str, Any]] | None = None,
    extended_names: Collection[str] = (),
) -> None:
    """Write the tables of a talk anew; experiments without new rows keep their recorded rows.

    Args:
        talk: With the provenance of the data that the new rows had.
        config: The configuration at scale full.
        folder: The record.
        new_rows: What was measured anew.
        entries: Experiment -> how it was made.
        extended_names: Experiments to whose recorded networks those of `new_rows` are added.
    """
    talk_folder, entries = folder / talk.name, entries or {}
    verdicts = tables.read(talk_folder / "verdicts.csv", columns.VERDICTS, other=True)
    old_rows = tables.read(talk_folder / "metrics.csv", columns.METRICS, other=True)
    trained_keys = {
        (experiment.name, variant, seed)
        for experiment in talk.experiments.values()
        for variant in experiment.variants
        for seed in registry.seeds(experiment, config, variant)
    }
    # Contrasts are computed again, and networks that the configuration does not name are dropped.
    row_keys = pd.MultiIndex.from_frame(old_rows[["experiment", "variant", "seed"]])
    is_kept = row_keys.isin(trained_keys) & old_rows["metric"].isin(
        set(GLOSSARY) - contrasts.CROSSED
    )
    old_rows = old_rows[is_kept & ~old_rows["experiment"].isin(entries.keys() - {*extended_names})]
    table = old_rows if new_rows is None else pd.concat([old_rows, new_rows], ignore_index=True)
    claim_experiments = {claim.id: claim.rows["experiment"] for claim in inputs.claims_of(talk)}
    # An experiment without new rows keeps the source of the data that its networks had.
    sources = dict(
        zip(verdicts["claim"].map(claim_experiments), verdicts["data_source"], strict=True)
    )
    sources = {e: sources[e] for e in talk.experiments if e in sources and e not in entries}
    record.write_talk(
        collect.contrasted(table, talk),
        registry.provided(talk, sources),
        verdicts[~verdicts["claim"].map(claim_experiments).isin(entries)],
        talk_folder,
    )
    manifest, inputs_now = reference.manifest(talk_folder), inputs.inputs_of(talk, config)
    for name, facts in entries.items():
        entry = {key: facts[key] for key in ("commit", "date", "python", "machine", "cpu_seconds")}
        entry |= {key: facts[key] for key in ("networks",) if key in facts}
        for key in ABBREVIATED_KEYS:
            entry[key] = {k: x for k, x in facts[key].items() if manifest[key].get(k) != x}
        experiments = manifest.setdefault("experiments", {})
        if name in extended_names:
            experiments.setdefault(name, {}).setdefault("added", []).append(entry)
        else:
            experiments[name] = entry
    is_complete = {experiment for experiment, _, _ in trained_keys} <= entries.keys()
    renewed_inputs = {
        input_name: digest
        for input_name, digest in inputs_now.items()
        if is_complete or digest[0] == COLLECT or experiment_of(input_name) in entries
    }
    write_digests(manifest, talk, config, folder, renewed_inputs)


def write_digests(
    manifest: dict[str, Any],
    talk: Talk,
    config: Mapping[str, Any],
    folder: Path,
    changed: inputs.Inputs,
) -> None:
    """Write the manifest of a talk with the present digests of some inputs.

    Args:
        manifest: Of the talk.
        talk: The talk.
        config: The configuration at scale full.
        folder: The reference results.
        changed: The inputs whose digests are replaced.
    """
    present = {name: digest for name, (_, digest) in inputs.inputs_of(talk, config).items()}
    digests = {name: digest for name, digest in manifest["inputs"].items() if name in present}
    digests |= {name: digest for name, (_, digest) in changed.items() if name in present}
    manifest["inputs"] = dict(sorted(digests.items()))
    if digests == present:
        manifest["recipe"] = differing_inputs.list_parameters(talk)
    inputs.write_json(folder / talk.name / "manifest.json", manifest)


def experiment_of(input_name: str) -> str:
    """Return the only experiment that depends on an input; empty if all depend on it."""
    experiment, _, stage = input_name.removeprefix(inputs.OF_TALK).partition(", ")
    return experiment if input_name.startswith(inputs.OF_TALK) and stage else ""


def _set_costs(rows: pd.DataFrame, key: list[str], config: Mapping[str, Any], folder: Path) -> None:
    """Put rows of durations.csv in place of those that have the same `key`."""
    costs = reference.table(folder / "durations.csv", columns.DURATIONS)
    is_unchanged = ~pd.MultiIndex.from_frame(costs[key]).isin(pd.MultiIndex.from_frame(rows[key]))
    one_run.write_durations(pd.concat([costs[is_unchanged], rows]), config, folder)


def _update_joint_files(config: Mapping[str, Any], folder: Path) -> None:
    """Join the talks, and drop durations of experiments, variants and data sets that are gone."""
    old_rows = reference.table(folder / "durations.csv", columns.DURATIONS)
    current_keys = {("", "", "")}
    for talk in map(registry.load_talk, registry.available()):
        current_keys.add((talk.name, "", ""))
        for experiment in talk.experiments.values():
            names = ["", *experiment.variants]
            current_keys.update((talk.name, experiment.name, name) for name in names)
    row_keys = pd.MultiIndex.from_frame(old_rows[["talk", "experiment", "variant"]])
    datasets = {
        "",
        *one_run.find_datasets(config),
        *one_run.find_datasets(inputs.config_of("smoke")),
    }
    is_current = row_keys.isin(current_keys) & old_rows["dataset"].isin(datasets)
    one_run.write_durations(old_rows[is_current], config, folder)
    record.write_joint(config, folder)
    manifest = whole_files.read_json(folder / "manifest.json", "config")
    old_settings, settings = map(differing_inputs.list_settings, (manifest["config"], config))
    changed_settings = differing_inputs.find_changes(old_settings, settings)
    manifest["inputs"] = one_run.digests(config, reference.recorded(folder))
    manifest["config_since"] = {change.key: change.now for change in changed_settings}
    inputs.write_json(folder / "manifest.json", manifest)
