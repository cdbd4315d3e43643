"""Renews the reference results in parts.

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
OFTEN_ALIKE = ("versions", "arithmetic")
"""Of how an experiment was made: what is told where it is other than of the talk."""


def recollect(folder: Path = reference.FOLDER) -> None:
    """Compute from recorded rows what stage collect does: contrasts, verdicts and measures."""
    config = inputs.config_of()
    for name in reference.recorded(folder):
        _collect(registry.load_talk(name), config, folder)
    _finish(config, folder)


def renew(
    parts: Sequence[str],
    options: str = "",
    folder: Path = reference.FOLDER,
    only_missing: bool = False,
) -> None:
    """Put the rows of experiments, run at scale full by the present commit, in place of the old.

    Args:
        parts: Each a talk or one of its experiments, as TALK or TALK/EXPERIMENT.
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
    chosen = dict(_chosen(parts, config))
    known = reference.recorded(folder)
    if name := next((n for n in chosen if n not in known and n not in parts), ""):
        raise UserError(
            f"record: talk '{name}' has no reference results yet; expected a run of the whole "
            f"talk first, whose parts can be replaced later. Run: record {name}"
        )
    run_config, overrides = config, []
    if only_missing:
        run_config = leave_out_recorded(chosen, config, folder)
        overrides = ["--config", f"seeds_of={json.dumps(run_config['seeds_of'])}"]
    files = [file for talk, own in chosen.items() for file in _files(talk, own, run_config)]
    overlay = f"config/{inputs.SCALE}.yaml"
    # A file of the user comes first in `options` and is read after the overlay.
    one_run.run("--configfile", overlay, *shlex.split(options), *overrides, "--", *map(str, files))
    timed = durations.of_jobs(one_run.RUN)
    timed = timed[timed["rule"].isin(("train", "simulate"))]
    for name, own in chosen.items():
        talk = registry.load_talk(name)
        seen = registry.as_measured(talk, one_run.RUN / name)
        facts = [path for path in _files(name, own, run_config) if path.name == "network.json"]
        metrics = [one_run.RUN / name / experiment / "metrics.csv" for experiment in own]
        rows = collect.stacked(talk, metrics, facts, inputs.SCALE)
        _, how = record.of_talk(talk, config, one_run.RUN)
        jobs, is_extended = timed[timed["talk"] == name], set()
        if name in known:
            cost = jobs.groupby(["experiment", "rule"])["cpu_seconds"].sum().round(1)
            made = {**how, "date": inputs.today()}
            made_of = {e: {**made, "cpu_seconds": cost[e].to_dict()} for e in own}
            is_extended = {e for e in own if only_missing and _recorded_networks(name, e, folder)}
            for e in own if only_missing else []:
                folders = [path.parent for path in facts if path.parents[2].name == e]
                made_of[e]["networks"] = describe_networks(folders)
                add_learning_curves(folders, folder / name / e / LEARNING_CURVES)
            _collect(seen, config, folder, rows, made_of, is_extended)
        else:
            whole = collect.contrasted(rows, seen)
            record.write_talk(whole, seen, columns.VERDICTS.table([]), folder / name)
            record.write_manifest(talk, config, how, folder / name)
        own_jobs = jobs[jobs["experiment"].isin(own)]
        timed_kinds = durations.of_kinds(own_jobs, inputs.SCALE, how["machine"]["speed_factor"])
        if only_missing:
            timed_kinds = one_run.part(timed_kinds, run_config, config)
        _time(timed_kinds, ["scale", "rule", "talk", "experiment"], config, folder)
        own = [e for e in own if e not in is_extended]
        for path in (one_run.RUN / name / e / page.EXHIBITS for e in own):
            if path.is_file():
                page.keep_exhibits(path, folder)
        builds = Path(config["build_folder"])
        shipped.renew(one_run.RUN, folder, name, own, networks.SAMPLES, builds)
        if talk.counted and key_claims.of(talk).rows["experiment"] in own:
            shipped.keep(one_run.RUN, name, folder)
    _finish(config, folder)


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
    source = results / name / "verdicts.csv"
    scales = set(tables.read(source, columns.VERDICTS)["scale"])
    if scales != {scale}:
        raise UserError(
            f"{source}: this run has scale {', '.join(sorted(scales))}; expected scale '{scale}'. "
            f"Run: snakemake {name} --configfile config/{scale}.yaml"
        )
    timed, made = record.of_talk(talk, inputs.config_of(scale), results)
    _time(timed, ["scale", "talk"], inputs.config_of(), folder)
    inputs.write(folder / scale / f"{name}.csv", whole_files.read(source))
    inputs.write_json(folder / scale / f"{name}.json", made)


def _chosen(parts: Iterable[str], config: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Talk and names of its experiments, of which some networks are trained at scale full."""
    named = [part.partition("/")[::2] for part in parts]
    for talk in dict.fromkeys(talk for talk, _ in named):
        there = registry.load_talk(talk).experiments if talk in registry.available() else {}
        known = [name for name, experiment in there.items() if registry.seeds(experiment, config)]
        asked = [name for of, name in named if of == talk]
        for name in asked:
            if not known or name not in ("", *known):
                raise UserError(
                    f"record: '{talk}{'/' * bool(name)}{name}' is not run at scale {inputs.SCALE}; "
                    f"expected a talk ({', '.join(registry.available())}) or an experiment of one"
                    f"{': ' * bool(known)}{', '.join(known)}; correct the name"
                )
        yield talk, known if "" in asked else asked


def _files(talk: str, experiments: Iterable[str], config: Mapping[str, Any]) -> list[Path]:
    """What the run has of some experiments: their metrics, and the facts of every network."""
    found = []
    for name in experiments:
        experiment, own = registry.load_talk(talk).experiments[name], one_run.RUN / talk / name
        found.append(own / "metrics.csv")
        for variant in experiment.variants:
            seeds = registry.seeds(experiment, config, variant)
            found += [own / variant / f"seed-{seed}" / "network.json" for seed in seeds]
    return found


def leave_out_recorded(
    chosen: Mapping[str, Sequence[str]], config: Mapping[str, Any], folder: Path
) -> dict[str, Any]:
    """Return the configuration of a run that trains only networks that are not recorded.

    Args:
        chosen: Talk -> its experiments.
        config: The configuration at scale full.
        folder: The reference results.

    Raises:
        UserError: If no network is missing, or inputs of recorded networks have changed.
    """
    n_missing, missing, recorded = 0, [], []
    for name, experiments in chosen.items():
        talk = registry.load_talk(name)
        for experiment in map(talk.experiments.get, experiments):
            assert experiment is not None
            networks = _recorded_networks(name, experiment.name, folder)
            for variant in experiment.variants:
                place = f"{name}.{experiment.name}/{variant}"
                seeds = registry.seeds(experiment, config, variant)
                is_recorded = [(variant, seed) in networks for seed in seeds]
                lists = {
                    found: [s for s, r in zip(seeds, is_recorded, strict=True) if r is found]
                    for found in (True, False)
                }
                recorded.append({"experiment": place, "seeds": lists[True]})
                missing.append({"experiment": place, "seeds": lists[False]})
                n_missing += len(lists[False])
        # An experiment without recorded networks has no inputs from which new ones could differ.
        with_networks = [e for e in experiments if _recorded_networks(name, e, folder)]
        of_recorded = replace_seeds(config, recorded)
        changed = [
            place
            for place, (stage, _) in inputs.stale(name, of_recorded, folder).items()
            if stage != COLLECT and experiment_of(place) in ("", *with_networks)
        ]
        if changed:
            raise UserError(
                f"record: {', '.join(changed)} of talk '{name}' changed since its networks were "
                "recorded; expected the same inputs for all networks of an experiment. Run: "
                "python -m whyspiking.recording restate"
            )
    if not n_missing:
        raise UserError(
            f"record: the reference results have all networks of {', '.join(chosen)} that "
            f"config/{inputs.SCALE}.yaml names; expected one that is missing. Add seeds to "
            "'seeds_of', or leave out --missing"
        )
    return replace_seeds(config, missing)


def replace_seeds(
    config: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a configuration in which entries of `seeds_of` replace those of the same name."""
    names = {entry["experiment"] for entry in entries}
    others = [entry for entry in config["seeds_of"] if entry["experiment"] not in names]
    return {**config, "seeds_of": [*others, *entries]}


def _recorded_networks(talk: str, experiment: str, folder: Path) -> set[tuple[str, int]]:
    """Variant and seed of the networks of an experiment that the reference results have."""
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
    described = []
    for path in folders:
        network = network_files.load_network(path)
        digest = hashlib.sha256()
        for array_name in sorted(network.arrays):
            array = np.ascontiguousarray(network.arrays[array_name])
            digest.update(f"{array_name} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
        described.append(
            {
                "variant": path.parent.name,
                "seed": int(path.name.removeprefix("seed-")),
                "sha256": digest.hexdigest(),
                "train_cpu_seconds": network.info.get("train_cpu_seconds"),
            }
        )
    return described


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
        before = tables.read(path, columns.HISTORY)
        is_new = pd.MultiIndex.from_frame(before[key]).isin(pd.MultiIndex.from_frame(table[key]))
        table = pd.concat([before[~is_new], table], ignore_index=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    record.write_csv(table, path)


def _collect(
    talk: Talk,
    config: Mapping[str, Any],
    folder: Path,
    rows: pd.DataFrame | None = None,
    made: Mapping[str, Mapping[str, Any]] | None = None,
    extended: Collection[str] = (),
) -> None:
    """Write the tables of a talk anew: of some experiments from new rows, of all else as recorded.

    Args:
        talk: With the provenance of the data that the new rows had.
        config: The configuration at scale full.
        folder: The record.
        rows: What was measured anew.
        made: Experiment -> how that was made.
        extended: Experiments to whose recorded networks those of `rows` are added.
    """
    own, made = folder / talk.name, made or {}
    before = tables.read(own / "verdicts.csv", columns.VERDICTS, other=True)
    known = tables.read(own / "metrics.csv", columns.METRICS, other=True)
    trained = {
        (experiment.name, variant, seed)
        for experiment in talk.experiments.values()
        for variant in experiment.variants
        for seed in registry.seeds(experiment, config, variant)
    }
    networks = pd.MultiIndex.from_frame(known[["experiment", "variant", "seed"]])
    kept = networks.isin(trained) & known["metric"].isin(set(GLOSSARY) - contrasts.CROSSED)
    known = known[kept & ~known["experiment"].isin(made.keys() - {*extended})]
    table = known if rows is None else pd.concat([known, rows], ignore_index=True)
    of = {claim.id: claim.rows["experiment"] for claim in inputs.claims_of(talk)}
    data = dict(zip(before["claim"].map(of), before["data_source"], strict=True))
    data = {e: data[e] for e in talk.experiments if e in data and e not in made}
    record.write_talk(
        collect.contrasted(table, talk),
        registry.provided(talk, data),
        before[~before["claim"].map(of).isin(made)],
        own,
    )
    manifest, now = reference.manifest(own), inputs.inputs_of(talk, config)
    for name, how in made.items():
        own = {key: how[key] for key in ("commit", "date", "python", "machine", "cpu_seconds")}
        own |= {key: how[key] for key in ("networks",) if key in how}
        for key in OFTEN_ALIKE:
            own[key] = {k: x for k, x in how[key].items() if manifest[key].get(k) != x}
        experiments = manifest.setdefault("experiments", {})
        if name in extended:
            experiments.setdefault(name, {}).setdefault("added", []).append(own)
        else:
            experiments[name] = own
    is_whole = {experiment for experiment, _, _ in trained} <= made.keys()
    renewed = {
        place: new
        for place, new in now.items()
        if is_whole or new[0] == COLLECT or experiment_of(place) in made
    }
    write_digests(manifest, talk, config, folder, renewed)


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
    present = {place: digest for place, (_, digest) in inputs.inputs_of(talk, config).items()}
    digests = {place: digest for place, digest in manifest["inputs"].items() if place in present}
    digests |= {place: digest for place, (_, digest) in changed.items() if place in present}
    manifest["inputs"] = dict(sorted(digests.items()))
    if digests == present:
        manifest["recipe"] = differing_inputs.list_parameters(talk)
    inputs.write_json(folder / talk.name / "manifest.json", manifest)


def experiment_of(place: str) -> str:
    """The experiment that alone depends on a place; empty where all do."""
    own, _, stage = place.removeprefix(inputs.OF_TALK).partition(", ")
    return own if place.startswith(inputs.OF_TALK) and stage else ""


def _time(rows: pd.DataFrame, key: list[str], config: Mapping[str, Any], folder: Path) -> None:
    """Put rows of durations.csv in place of those that have the same `key`."""
    known = reference.table(folder / "durations.csv", columns.DURATIONS)
    apart = ~pd.MultiIndex.from_frame(known[key]).isin(pd.MultiIndex.from_frame(rows[key]))
    one_run.write_durations(pd.concat([known[apart], rows]), config, folder)


def _finish(config: Mapping[str, Any], folder: Path) -> None:
    """Join the talks, and forget what experiments, variants and data sets that are gone cost."""
    durations_before = reference.table(folder / "durations.csv", columns.DURATIONS)
    known = {("", "", "")}
    for talk in map(registry.load_talk, registry.available()):
        known.add((talk.name, "", ""))
        for experiment in talk.experiments.values():
            names = ["", *experiment.variants]
            known.update((talk.name, experiment.name, name) for name in names)
    places = pd.MultiIndex.from_frame(durations_before[["talk", "experiment", "variant"]])
    used = {"", *one_run.find_datasets(config), *one_run.find_datasets(inputs.config_of("smoke"))}
    is_known = places.isin(known) & durations_before["dataset"].isin(used)
    one_run.write_durations(durations_before[is_known], config, folder)
    record.write_joint(config, folder)
    whole = whole_files.read_json(folder / "manifest.json", "config")
    before, now = map(differing_inputs.list_settings, (whole["config"], config))
    differing = differing_inputs.find_changes(before, now)
    whole["inputs"] = one_run.digests(config, reference.recorded(folder))
    whole["config_since"] = {change.key: change.now for change in differing}
    inputs.write_json(folder / "manifest.json", whole)
