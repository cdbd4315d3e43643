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
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from whyspiking.declared import claims_file, plans, registry
from whyspiking.declared.registry import Experiment, Talk
from whyspiking.declared.strict_yaml import Block, read_yaml
from whyspiking.errors import UserError
from whyspiking.records import columns, datapackage, glossary, reference, tables, whole_files
from whyspiking.running import code_inputs
from whyspiking.stages import collect, compare, durations, provenance
from whyspiking.verdicts import contrasts, judge, overview, rule, score_curves

SCALE = "full"
"""The scale that is recorded."""
GONE = "no longer an input"
UNREAD: dict[str, Any] = {
    **dict.fromkeys(("title", "from_scale", "parameters", "scaled"), True),
    "sizes": {"from_scale"},
    "variants": {"__all__": {"says", "from_scale"}},
}
"""Keys of an experiment that say nothing to stage collect, or in the plans of the other stages."""

type Inputs = dict[str, tuple[str, str]]
"""What decides a talk's tables: its name -> the first stage that uses it, and its digest."""


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
    if config["scale"] != SCALE:
        raise UserError(
            f"reference: the run is of scale '{config['scale']}'; expected '{SCALE}', at which all "
            f"claims are judged; run: snakemake reference --configfile config/{SCALE}.yaml"
        )
    contents = {}
    for file in (f"{name}/{file}" for name in talks for file in reference.TABLES):
        tables.read(results / file, reference.TABLES[Path(file).name])
        contents[file] = whole_files.read(results / file)
    for file, content in contents.items():
        write(folder / file, content)
    for name in talks:
        talk, own = registry.load_talk(name), folder / name
        timed, made = provenance.of_talk(talk, config, results)
        _replace_durations(folder / "durations.csv", name, timed)
        _write_manifest(own, {"format": reference.FORMAT, **made}, inputs_of(talk, config), [])
    write_joint(config, folder)


def add(
    name: str,
    experiments: Sequence[str],
    config: Mapping[str, Any],
    results: Path,
    folder: Path = reference.FOLDER,
) -> None:
    """Add finished experiments to what is recorded of a talk, or put them in their place there.

    All claims of the talk are judged again: those of the other experiments from the recorded rows.

    Args:
        name: Of the talk.
        experiments: Their names.
        config: The configuration of the run.
        results: `results/full`.
        folder: The reference.

    Raises:
        UserError: If the run lacks a file of one of the experiments.
    """
    talk, own = registry.load_talk(name), folder / name
    simulated, facts = _finished(talk, experiments, config, results / name)
    seen = registry.as_measured(talk, results / name)
    known = _still_run(reference.table(own / "metrics.csv", columns.METRICS), talk, config)
    known = known[~known["experiment"].isin(experiments)]
    fresh = [collect.measured(talk, simulated, facts, config)] if experiments else []
    table = pd.concat([known, *fresh], ignore_index=True)
    table = table.sort_values(columns.METRICS.names[:10], kind="stable")
    made = {
        "metrics.csv": table,
        "verdicts.csv": _judged_anew(table, seen, experiments, own),
        "measures.csv": overview.measures(table, {name: talk}),
        "energy.csv": contrasts.energy_ratios(table),
    }
    for file, content in made.items():
        _write_csv(content, own / file, metrics=file == "metrics.csv")
    if experiments:
        _note_added(talk, experiments, config, results, folder)
    return write_joint(config, folder)


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
            f"{missing[0]}: is not there; expected a finished run of it; run: snakemake "
            f"{missing[0]} --configfile config/{SCALE}.yaml"
        )
    return simulated, facts


def _judged_anew(
    table: pd.DataFrame, seen: Talk, experiments: Sequence[str], recorded: Path
) -> pd.DataFrame:
    """Verdicts on all claims of a talk.

    Which data the first run had, and which files of others it lacked, its metrics do not tell: that
    is taken over from the recorded verdicts.
    """
    old = reference.table(recorded / "verdicts.csv", columns.VERDICTS).set_index("claim")
    claims = [
        claim.on(str(old["data"][claim.id]))
        if claim.id in old.index and claim.where["experiment"] not in experiments
        else claim
        for claim in _claims(seen)
    ]
    verdicts = judge.judge_all(table, claims, seen, SCALE)
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
    _replace_durations(folder / "durations.csv", talk.name, timed, experiments)
    manifest = reference.manifest(folder / talk.name)
    places = tuple(f"talk.yaml: {experiment}, " for experiment in experiments)
    now = sorted(inputs_of(talk, config).items())
    manifest["notes"].append(
        {
            "why": f"{', '.join(experiments)}: run apart from the others, commit {how['commit']}, "
            f"unit {how['machine']['unit']:.2f}",
            "date": _today(),
            "inputs": {k: digest for k, (_, digest) in now if k.startswith(places)},
        }
    )
    write(folder / talk.name / "manifest.json", _text(manifest))


def _still_run(metrics: pd.DataFrame, talk: Talk, config: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of networks and metrics that the talk still has at the scale of the config."""
    networks = {
        (experiment.name, variant)
        for experiment in talk.experiments.values()
        for variant in experiment.variants
        if registry.seeds(experiment, config, variant)
    }
    places = zip(metrics["experiment"], metrics["variant"], strict=True)
    declared = np.array([place in networks for place in places], bool)
    return metrics[metrics["metric"].isin(list(glossary.GLOSSARY)) & declared]


def write_joint(config: Mapping[str, Any], folder: Path = reference.FOLDER) -> None:
    """Compute the joint tables from those of the recorded talks, and describe all of them."""
    reference.check(folder)
    for file, table in joint(config, folder).items():
        _write_csv(table, folder / file)
    write(folder / "manifest.json", _text(_of_all(config, folder)))
    datapackage.write(folder)


def joint(config: Mapping[str, Any], folder: Path = reference.FOLDER) -> dict[str, pd.DataFrame]:
    """The joint tables by file; not the metrics, which lie in the folders of the talks."""
    found = reference.recorded(folder)
    names = [name for name in config["talks"] if name in found]
    names += [name for name in found if name not in names]
    made = compare.joint(names, config, folder)
    talks = {name: registry.load_talk(name) for name in names}
    made["curves.csv"] = score_curves.curves(made["metrics.csv"], talks)
    return {file: table for file, table in made.items() if file != "metrics.csv"}


def _of_all(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """How the recorded run was made, as its page tells it; several words where talks differ."""
    made = {name: reference.manifest(folder / name) for name in reference.recorded(folder)}

    def told(*path: str) -> str:
        values = set()
        for manifest in made.values():
            value: Any = manifest
            for key in path:
                value = value.get(key, "")
            values.add(str(value)[:7] if path == ("commit",) else str(value))
        return ", ".join(sorted(values))

    versions = {name for manifest in made.values() for name in manifest["versions"]}
    return {
        "scale": SCALE,
        "command": "make reference",
        "commit": told("commit"),
        "uncommitted_changes": any(m["uncommitted_changes"] for m in made.values()),
        "config": json.loads(json.dumps(config, default=str)),
        "config_sha256": told("config_sha256"),
        "python": told("python"),
        "versions": {name: told("versions", name) for name in sorted(versions)},
        "machine": {name: told("machine", name) for name in ("cpu", "system", "arch")},
        "talks": {name: manifest["costs"] for name, manifest in made.items()},
        "data": {k: v for manifest in made.values() for k, v in manifest["data"].items()},
    }


def inputs_of(talk: Talk, config: Mapping[str, Any]) -> Inputs:
    """Everything that decides a talk's tables, as it is now."""
    keys = {experiment.data_key for experiment in talk.experiments.values()}
    return {**code_inputs.of_results(talk.name, keys), **_declared(talk, config)}


def stale(name: str, config: Mapping[str, Any], folder: Path = reference.FOLDER) -> Inputs:
    """What changed since a talk was recorded and no note covers: name -> stage, digest now."""
    manifest = reference.manifest(folder / name)
    now = inputs_of(registry.load_talk(name), config)
    accepted = [manifest["inputs"], *(note["inputs"] for note in manifest["notes"])]
    found: Inputs = {}
    for place in {**manifest["inputs"], **now}:
        stage, digest = now.get(place, (GONE, ""))
        if all(known.get(place) != digest for known in accepted):
            found[place] = (stage, digest)
    return found


def check(names: Sequence[str], config: Mapping[str, Any], folder: Path = reference.FOLDER) -> None:
    """Refuse talks whose tables the present code might not give.

    Raises:
        UserError: Naming each, what changed and the stage that it is first used in.
    """
    reference.check(folder)
    changed = {name: found for name in names if (found := stale(name, config, folder))}
    if changed:
        told = "\n".join(
            f"  {name}: {', '.join(f'{place} ({stage})' for place, (stage, _) in found.items())}"
            for name, found in changed.items()
        )
        one = next(iter(changed))
        raise UserError(
            f"{folder}: recorded before a change of\n{told}\nexpected what it was recorded with; "
            f"record the talk again (make reference TALK={one}), or say why no number depends on "
            f'the change (python -m whyspiking.recording excuse {one} --why "...")'
        )


def excuse(
    names: Sequence[str], why: str, config: Mapping[str, Any], folder: Path = reference.FOLDER
) -> list[str]:
    """Note in the manifests why no number depends on what changed; returns the talks noted in.

    Args:
        names: Of the talks; those of which nothing changed get no note.
        why: The reason, for all that changed.
        config: The configuration at the recorded scale.
        folder: Of the reference.

    Raises:
        UserError: If the reason is too short to be one.
    """
    if len(why) < 10:
        raise UserError(f"--why is '{why}'; expected the reason in words; write it out")
    noted = []
    for name in names:
        found = stale(name, config, folder)
        if found:
            kept = reference.manifest(folder / name)
            digests = {place: digest for place, (_, digest) in sorted(found.items())}
            kept["notes"].append({"why": why, "date": _today(), "inputs": digests})
            write(folder / name / "manifest.json", _text(kept))
            noted.append(name)
    return noted


def config_of(scale: str = SCALE) -> dict[str, Any]:
    """The configuration at a scale, merged as Snakemake does."""
    from snakemake.utils import update_config  # half a second, and no job needs it

    config = read_yaml(Path("config/config.yaml"))
    update_config(config, read_yaml(Path(f"config/{scale}.yaml")))
    return config


def _declared(talk: Talk, config: Mapping[str, Any]) -> Inputs:
    """What YAML files say of a talk at the scale of the config, without folders of a machine."""
    # Which files of others a machine has is told by the tables and by `data` in the manifest.
    anywhere = {**config["data"], "originals_dir": None}
    for key in ("spoken", "nmnist"):
        anywhere[key] = {**anywhere[key], "source": "auto"}
    config = {**config, "data": anywhere}
    told: dict[str, tuple[str, Any]] = {
        "config: battery": ("simulate", config["battery"]),
        "config: energy": ("collect", config["energy"]),
        "talk.yaml: learning": ("collect", [_said(rule) for rule in talk.learning]),
        "claims.yaml": ("collect", [_judged(claim, config) for claim in _claims(talk)]),
    }
    for name, experiment in talk.experiments.items():
        if registry.seeds(experiment, config):
            for stage, what in _planned(
                experiment, talk.unit_of_jitter_ms(experiment), config
            ).items():
                told[f"talk.yaml: {name}, {stage}"] = (stage, what)
    return {
        place: (stage, code_inputs.short_hash(json.dumps(what, sort_keys=True).encode()))
        for place, (stage, what) in told.items()
    }


def _planned(
    experiment: Experiment, tau_char_ms: float, config: Mapping[str, Any]
) -> dict[str, Any]:
    """What each stage is told of an experiment."""
    training = {}
    for variant in experiment.variants:
        params = registry.params(experiment, config, 0, variant)
        seeds = registry.seeds(experiment, config, variant)
        if seeds:
            training[variant] = [seeds, _placeless(plans.training(experiment, variant, params))]
    measuring = plans.measuring(experiment, registry.params(experiment, config), tau_char_ms)
    return {
        "train": [training, config["data"].get(experiment.data_key)],
        "simulate": _placeless(measuring),
        "collect": _said(experiment, UNREAD),
    }


def _placeless(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan without the folders of a machine."""
    params = {key: value for key, value in plan["params"].items() if not key.endswith("_dir")}
    return {**plan, "params": params}


def _claims(talk: Talk) -> list[claims_file.Claim]:
    return claims_file.load(talk.folder / "claims.yaml", talk)


def _judged(claim: claims_file.Claim, config: Mapping[str, Any]) -> dict[str, Any]:
    """All of a claim that its row of verdicts.csv depends on."""
    band = claim.band(config["scale"])
    kept = _said(claim, {"accept": True, "source": True, "axis": True})
    return {**kept, "band": band and asdict(band)}


def _said(block: Block, but: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a block of a YAML file says, but for some keys."""
    return block.model_dump(mode="json", exclude=dict(but or {}), exclude_defaults=True)


def _replace_durations(
    path: Path, talk: str, own: pd.DataFrame, experiments: Sequence[str] = ()
) -> None:
    """Put rows in the place of those of the talk, or only of some of its experiments."""
    schema = columns.DURATIONS
    known = reference.table(path, schema) if path.is_file() else schema.table([])
    replaced = (known["talk"] == talk) & (known["scale"] == SCALE)
    if experiments:
        replaced &= known["experiment"].isin(experiments)
    others = known[~replaced]
    parts = [part for part in (others, own) if not part.empty]
    stacked = pd.concat(parts, ignore_index=True) if parts else own
    _write_csv(stacked.sort_values(["scale", *durations.KIND], kind="stable"), path)


def _write_manifest(
    folder: Path, made: Mapping[str, Any], inputs: Inputs, notes: Sequence[Mapping[str, Any]]
) -> None:
    digests = {place: digest for place, (_, digest) in sorted(inputs.items())}
    whole = {**made, "date": _today(), "notes": list(notes), "inputs": digests}
    write(folder / "manifest.json", _text(whole))


def _text(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()


def _write_csv(table: pd.DataFrame, path: Path, metrics: bool = False) -> None:
    (tables.write_metrics if metrics else tables.write_csv)(table, path)
    whole_files.seal_of(path).unlink()


def write(path: Path, content: bytes) -> None:
    """Unsealed, like all tables here: git keeps what is committed."""
    with whole_files.replacing(path) as partial:
        partial.write_bytes(content)


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def run(given: argparse.Namespace) -> None:
    """One of the commands `check`, `excuse`, `joint` and `add`.

    Raises:
        UserError: If a talk is not recorded, or `check` finds what changed.
    """
    config = config_of()
    if given.command == "joint":
        return write_joint(config)
    if given.command == "add":
        return add(given.talk, given.experiments, config, Path("results") / SCALE)
    known = reference.recorded()
    for name in given.talks:
        if name not in known:
            raise UserError(
                f"talk '{name}' is not recorded in {reference.FOLDER}; expected one of "
                f"{', '.join(known)}; correct the name"
            )
    chosen = given.talks or known
    if given.command == "check":
        return check(chosen, config)
    noted = excuse(chosen, given.why, config)
    print("noted in:", ", ".join(noted) or "none; all is as recorded")
    return None
