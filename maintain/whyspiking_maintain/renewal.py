"""Renews the record in parts, and says what of the project is newer than it.

    python -m whyspiking.recording pending 47 "JAX adds in 32 bits whatever the shell says"
    python -m whyspiking.recording recollect
    python -m whyspiking.recording record bohte/ecg

A talk's manifest has the digests of all that decides its numbers, as the project is now. `behind`
has those of them that its numbers are older than, each with its stage and the digest that they were
made with; `experiments` says how an experiment was made since, and with which of these.
`pending.yaml` tells readers the same, a line for each change. Where nothing is behind, and no
experiment apart, the record is one run.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.declared import key_claims, registry
from whyspiking.declared.registry import Talk
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.records.glossary import GLOSSARY
from whyspiking.stages import collect, durations, provenance
from whyspiking.verdicts import comparison, contrasts
from whyspiking_maintain import inputs, one_run, page, record

COLLECT = "collect"
"""The stage whose results follow from recorded rows."""
STAGES = ("data", "train", "simulate", "score", COLLECT)
"""In order: what follows the first that is behind is behind as well."""
OFTEN_ALIKE = ("versions", "arithmetic")
"""Of how an experiment was made: what is told where it is other than of the talk."""


def pend(issue: int, why: str, folder: Path = reference.FOLDER) -> list[str]:
    """Say of every talk what changed since it was recorded, in pending.yaml and its manifest.

    Args:
        issue: Its number.
        why: What changed, in a line.
        folder: The record.

    Returns:
        Talk and stage that the line was added to, the first that has to be made again.

    Raises:
        UserError: If a tracked file differs from its commit, which the line names.
    """
    one_run.committed()
    config, lines = inputs.config_of(), reference.pending(folder)
    line, added = f"{issue}, {str(provenance.git('rev-parse', 'HEAD'))[:7]}: {why}", []
    for name in registry.available():
        changed: inputs.Inputs = {"": ("train", "")}  # of a talk that nobody has recorded
        if (folder / name / "manifest.json").is_file():
            changed = inputs.stale(name, config, folder)
            manifest = reference.manifest(folder / name)
            behind = manifest.setdefault("behind", {})
            for place, (stage, _) in changed.items():
                behind.setdefault(place, [stage, manifest["inputs"].get(place, "")])
            restate_inputs(manifest, registry.load_talk(name), config, folder, changed)
        first = [stage for stage in STAGES if stage in dict(changed.values())][:1]
        for stage in first:
            lines.setdefault(name, {}).setdefault(stage, []).append(line)
            added.append(f"{name}: {stage}")
    _tell(lines, config, folder)
    return added


def recollect(folder: Path = reference.FOLDER) -> list[str]:
    """Compute from recorded rows what stage collect does: contrasts, verdicts and measures.

    Returns:
        What is pending still, a line each.
    """
    config = inputs.config_of()
    for name in reference.recorded(folder):
        _collect(registry.load_talk(name), config, folder)
    return _finish(config, folder)


def renew(parts: Sequence[str], options: str = "", folder: Path = reference.FOLDER) -> list[str]:
    """Put the rows of experiments, run at scale full by the present commit, in place of the old.

    Args:
        parts: Each a talk or one of its experiments, as TALK or TALK/EXPERIMENT.
        options: For Snakemake, which makes what is missing.
        folder: The record.

    Returns:
        What is pending still, a line each.

    Raises:
        UserError: If a tracked file differs from its commit, a part is not known or not run at
            scale full, or the run stopped.
    """
    from whyspiking_exchange.export import networks, shipped  # Brian2 and JAX

    one_run.committed()
    config = inputs.config_of()
    chosen = dict(_chosen(parts, config))
    known = reference.recorded(folder)
    if name := next((n for n in chosen if n not in known and n not in parts), ""):
        raise UserError(
            f"record: '{name}' has no record yet; expected the whole talk, of which parts can be "
            f"put in later; run: record {name}"
        )
    files = [file for talk, own in chosen.items() for file in _files(talk, own, config)]
    overlay = f"config/{inputs.SCALE}.yaml"
    one_run.run("--configfile", overlay, *shlex.split(options), "--", *map(str, files))
    timed = durations.of_jobs(one_run.RUN)
    timed = timed[timed["rule"].isin(("train", "simulate"))]
    for name, own in chosen.items():
        talk = registry.load_talk(name)
        seen = registry.as_measured(talk, one_run.RUN / name)
        facts = [path for path in _files(name, own, config) if path.name == "network.json"]
        metrics = [one_run.RUN / name / experiment / "metrics.csv" for experiment in own]
        rows = collect.stacked(talk, metrics, facts, inputs.SCALE)
        _, how = record.of_talk(talk, config, one_run.RUN)
        jobs = timed[timed["talk"] == name]
        if name in known:
            cost = jobs.groupby(["experiment", "rule"])["cpu_seconds"].sum().round(1)
            made = {**how, "date": inputs.today()}
            made_of = {e: {**made, "cpu_seconds": cost[e].to_dict()} for e in own}
            _collect(seen, config, folder, rows, made_of)
        else:
            whole = collect.contrasted(rows, seen)
            record.write_talk(whole, seen, columns.VERDICTS.table([]), folder / name)
            record.write_manifest(talk, config, how, folder / name)
        _time(jobs[jobs["experiment"].isin(own)], how["machine"]["unit"], config, folder)
        for path in (of.with_name(page.EXHIBITS) for of in metrics):
            if path.is_file():
                page.keep_exhibits(path, folder)
        builds = Path(config["build_folder"])
        shipped.renew(one_run.RUN, folder, name, own, networks.SAMPLES, builds)
        if talk.counted and key_claims.of(talk).where["experiment"] in own:
            shipped.keep(one_run.RUN, name, folder)
    return _finish(config, folder)


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


def _collect(
    talk: Talk,
    config: Mapping[str, Any],
    folder: Path,
    rows: pd.DataFrame | None = None,
    made: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write the tables of a talk anew: of some experiments from new rows, of all else as recorded.

    Args:
        talk: With the provenance of the data that the new rows had.
        config: The configuration at scale full.
        folder: The record.
        rows: What was measured anew.
        made: Experiment -> how that was made.
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
    known = known[kept & ~known["experiment"].isin(made)]
    table = known if rows is None else pd.concat([known, rows], ignore_index=True)
    of = {claim.id: claim.where["experiment"] for claim in inputs.claims_of(talk)}
    data = dict(zip(before["claim"].map(of), before["data"], strict=True))
    data = {e: data[e] for e in talk.experiments if e in data and e not in made}
    record.write_talk(
        collect.contrasted(table, talk),
        registry.provided(talk, data),
        before[~before["claim"].map(of).isin(made)],
        own,
    )
    manifest, now = reference.manifest(own), inputs.inputs_of(talk, config)
    manifest["behind"] = {p: w for p, w in manifest.get("behind", {}).items() if w[0] != COLLECT}
    newer = {
        p: d
        for p, (_, d) in now.items()
        if p in manifest["behind"] or manifest["inputs"].get(p) != d
    }
    for name, how in made.items():
        own = {key: how[key] for key in ("commit", "date", "python", "machine", "cpu_seconds")}
        for key in OFTEN_ALIKE:
            own[key] = {k: x for k, x in how[key].items() if manifest[key].get(k) != x}
        own["with"] = {place: d for place, d in newer.items() if now[place][0] != COLLECT}
        manifest.setdefault("experiments", {})[name] = own
    renewed = {p: new for p, new in now.items() if new[0] == COLLECT or experiment_of(p) in made}
    restate_inputs(manifest, talk, config, folder, renewed)


def restate_inputs(
    manifest: dict[str, Any],
    talk: Talk,
    config: Mapping[str, Any],
    folder: Path,
    changed: inputs.Inputs,
) -> None:
    """Write a talk's manifest: the present digests of what changed, and what is behind still."""
    now = inputs.inputs_of(talk, config)
    known = {place: digest for place, digest in manifest["inputs"].items() if place in now}
    known |= {place: digest for place, (_, digest) in changed.items() if place in now}
    manifest["inputs"] = dict(sorted(known.items()))
    behind = manifest.pop("behind", {})
    run = [e.name for e in talk.experiments.values() if registry.seeds(e, config)]
    left = {p: was for p, was in behind.items() if p in now and _older(p, was, manifest, run)}
    if left:
        manifest["behind"] = dict(sorted(left.items()))
    present = {place: digest for place, (_, digest) in now.items()}
    for made in manifest.get("experiments", {}).values():
        made["with"] = {
            p: d for p, d in made["with"].items() if p in left or known.get(p) != present.get(p)
        }
    if known == present:
        manifest["recipe"] = comparison.list_parameters(talk)
    inputs.write_json(folder / talk.name / "manifest.json", manifest)


def _older(place: str, was: Sequence[str], manifest: Mapping[str, Any], run: Sequence[str]) -> bool:
    """Whether numbers of a talk were made with another digest of a place than it has now.

    Args:
        place: The place.
        was: Its stage, and its digest when the whole talk was recorded.
        manifest: Of the talk.
        run: Experiments that are run at scale full.
    """
    now, since = manifest["inputs"][place], manifest.get("experiments", {})
    users = [name for name in run if experiment_of(place) in ("", name)]
    made = [since.get(name, {}).get("with", {}).get(place) == now for name in users]
    return not all(made) and (any(made) or now != was[1])


def experiment_of(place: str) -> str:
    """The experiment that alone depends on a place; empty where all do."""
    own, _, stage = place.removeprefix(inputs.OF_TALK).partition(", ")
    return own if place.startswith(inputs.OF_TALK) and stage else ""


def _time(jobs: pd.DataFrame, unit: float, config: Mapping[str, Any], folder: Path) -> None:
    """Put what jobs of experiments cost in place of what they did before."""
    new = durations.of_kinds(jobs, inputs.SCALE, unit)
    known = reference.table(folder / "durations.csv", columns.DURATIONS)
    key = ["scale", "rule", "talk", "experiment"]
    apart = ~pd.MultiIndex.from_frame(known[key]).isin(pd.MultiIndex.from_frame(new[key]))
    one_run.write_durations(pd.concat([known[apart], new]), config, folder)


def _finish(config: Mapping[str, Any], folder: Path) -> list[str]:
    """Join the talks, forget what experiments that are gone cost; returns what is pending still."""
    known = reference.table(folder / "durations.csv", columns.DURATIONS)
    talks = {name: registry.load_talk(name).experiments for name in registry.available()}
    there = [
        not row["experiment"] or row["experiment"] in talks.get(row["talk"], ())
        for row in known.to_dict("records")
    ]
    one_run.write_durations(known[there], config, folder)
    record.write_joint(config, folder)
    lines = _tell(reference.pending(folder), config, folder)
    return [
        f"{talk}, {stage}: {line}"
        for talk, of in lines.items()
        for stage in of
        for line in of[stage]
    ]


def _tell(
    lines: Mapping[str, Mapping[str, Sequence[str]]], config: Mapping[str, Any], folder: Path
) -> dict[str, dict[str, Sequence[str]]]:
    """Write pending.yaml, without the stages that are no longer behind, and the joint manifest."""
    recorded, left = reference.recorded(folder), {}
    for name in lines:
        behind = reference.manifest(folder / name).get("behind", {}) if name in recorded else None
        stages = {stage for stage, _ in (behind or {}).values()} & set(lines[name])
        if behind is None or behind:
            left[name] = {s: own for s, own in lines[name].items() if s in stages or not stages}
    inputs.write_pending(left, folder)
    whole = whole_files.read_json(folder / "manifest.json", "config")
    before, now = map(comparison.list_settings, (whole["config"], config))
    differing = comparison.find_changes(before, now)
    whole["inputs"] = one_run.digests(config, recorded)
    whole["config_since"] = {change.key: change.now for change in differing}
    inputs.write_json(folder / "manifest.json", whole)
    return left
