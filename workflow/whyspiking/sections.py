"""Sections of the report, each made from the tables of a run: nothing here is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from whyspiking import axes as axes_of_spiking
from whyspiking import markup
from whyspiking.markup import Cell
from whyspiking.registry import Experiment, Talk
from whyspiking.tables import GLOSSARY, Table

PASSES = ("replicated", "replicated, within noise")


def summary(verdicts: Table, axes: Table, talks: Mapping[str, Talk], scale: str) -> str:
    """What came out, in sentences filled from the tables."""
    if scale == "smoke":
        return ""
    keys = verdicts[verdicts["role"] == "key"]
    sentences = [
        f"<strong>{_count(keys, PASSES)} of {len(keys)} key claims</strong> replicated or did so "
        f"within noise; {_count(keys, ['not replicated'])} did not, "
        f"{_count(keys, ['inconclusive'])} remained inconclusive, "
        f"{len(keys) - _judged(keys)} could not be judged.",
    ]
    rest = verdicts[verdicts["role"] != "key"]
    if len(rest):
        sentences.append(
            f"Of {len(rest)} secondary claims {_count(rest, PASSES)} replicated or did so within "
            f"noise, {_count(rest, ['not replicated'])} did not, "
            f"{_count(rest, ['inconclusive'])} remained inconclusive, "
            f"{len(rest) - _judged(rest)} could not be judged."
        )
    for row in keys.itertuples(index=False):
        sentences.append(
            f"{escape(talks[str(row.talk)].speaker)}: {escape(str(row.says)).rstrip('.')} – "
            f"<strong>{escape(str(row.label))}</strong>, "
            f"{_inline(row.value, row.low, row.high, str(row.unit))} over {int(str(row.seeds))} "
            f"seed{'s' if int(str(row.seeds)) != 1 else ''}."
        )
    items = "".join(f"<li>{sentence}</li>" for sentence in sentences)
    items += "".join(f"<li>{sentence}</li>" for sentence in axis_sentences(axes))
    return f'<h3 id="in-one-screen">In one screen</h3><div class="summary"><ul>{items}</ul></div>'


def _inline(mean: Any, low: Any, high: Any, unit: str) -> str:
    shown = markup.value(float(mean), unit)
    if not np.isfinite(float(low)):
        return shown
    return f"{shown} [{markup.bare(float(low), unit)}, {markup.bare(float(high), unit)}]"


def _count(table: Table, verdicts: Sequence[str]) -> int:
    return int(table["verdict"].isin(list(verdicts)).sum())


def _judged(table: Table) -> int:
    return _count(table, [*PASSES, "inconclusive", "not replicated"])


def axis_sentences(axes: Table) -> list[str]:
    """One sentence per measure: in how many experiments its interval excludes the null."""
    sentences = []
    summary_of_axes: Table = axes_of_spiking.summarise(axes)
    for row in summary_of_axes.itertuples(index=False):
        part = axes[(axes["axis"] == row.axis) & (axes["measure"] == row.measure)]
        if not part["null"].notna().any():
            continue
        says = str(part["says"].iloc[0]).rstrip(".")
        sentences.append(
            f"{escape(str(row.axis).capitalize())} ({escape(str(row.measure))}: "
            f"{escape(says[0].lower() + says[1:])}): the interval favours spikes in "
            f"<strong>{row.favours} of {row.measured}</strong> comparisons, speaks against them in "
            f"{row.against}, and decides nothing in {row.unclear}."
        )
    return sentences


def axes_table(axes: Table) -> str:
    """Every contrast behind the answer, with its interval and its null."""
    heads = [
        "Axis",
        "Measure",
        "Talk",
        "Where",
        "Effect [95 % interval]",
        "Null",
        "Seeds",
        "Favours spikes",
    ]
    rows = []
    for row in axes.itertuples(index=False):
        unit = str(row.unit)
        place = " · ".join(
            str(part).replace("_", " ")
            for part in (row.experiment, row.perturbation, row.locus)
            if str(part) not in ("", "none", "nan")
        )
        effect, low, high, null = (float(x) for x in (row.effect, row.low, row.high, row.null))
        word = str(row.favours_spikes)
        look = {"yes": ("✓", "green"), "no": ("✗", "red")}.get(word, ("?", "grey"))
        chip = markup.labelled(*look, word)
        rows.append(
            [
                markup.text(row.axis),
                markup.text(row.measure),
                markup.text(row.talk),
                markup.text(place),
                Cell(markup.interval(effect, low, high, unit), markup.sort_key(effect), "number"),
                markup.number(markup.value(null, unit), null),
                markup.number(str(int(str(row.seeds))), float(str(row.seeds))),
                Cell(chip, word),
            ]
        )
    return markup.table(
        heads,
        rows,
        name="axes",
        caption="Spiking network against its matched control, or against the null of the measure.",
        numbers=("Effect [95 % interval]", "Null", "Seeds"),
        sortable=True,
    )


def deviations(talks: Sequence[Talk], scale: str) -> str:
    """Published value against value used, with the reason, generated from talk.yaml."""
    rows = []
    for talk in talks:
        for experiment in talk.experiments.values():
            for name, change in experiment.scaled.get(scale, {}).items():
                if change["value"] == experiment.published[name]:
                    continue
                unit = experiment.units.get(name, "")
                rows.append(
                    [
                        markup.text(talk.name),
                        markup.text(experiment.name.replace("_", " ")),
                        Cell(f"<code>{escape(name)}</code>"),
                        Cell(
                            f"{_setting(experiment.published[name], unit)}"
                            f"<small>{escape(experiment.sources[name])}</small>"
                        ),
                        Cell(_setting(change["value"], unit)),
                        markup.text(change["why"]),
                    ]
                )
    if not rows:
        return markup.note("At this scale every parameter has its published value.")
    return markup.table(
        ["Talk", "Experiment", "Parameter", "Published", "Used here", "Why"],
        rows,
        name="deviations",
        caption=f"Parameters that the {scale} scale changes against the publication.",
        sortable=len(talks) > 1,
    )


def _setting(value: Any, unit: str) -> str:
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return escape(f"{shown} {unit}".strip().replace("None", "none"))


def data_table(talks: Sequence[Talk]) -> str:
    """Which data each experiment runs on, and whether they stand in for others."""
    rows = [
        [
            markup.text(talk.name),
            Cell(f"{escape(experiment.title)}<small>{escape(experiment.name)}</small>"),
            markup.text(experiment.data_key),
            Cell(markup.data_word(experiment.provenance)),
        ]
        for talk in talks
        for experiment in talk.experiments.values()
    ]
    return markup.table(
        ["Talk", "Experiment", "Data set", "Where it comes from"],
        rows,
        name="data",
        caption="Data by definition are generated exactly as the paper defines them.",
    )


def variants_table(experiments: Sequence[Experiment]) -> str:
    """What was trained."""
    rows = [
        [
            markup.text(experiment.title),
            Cell(f"<code>{escape(variant.name)}</code>"),
            markup.text(variant.role.replace("_", " ")),
            markup.text(variant.says),
        ]
        for experiment in experiments
        for variant in experiment.variants.values()
    ]
    return markup.table(
        ["Experiment", "Variant", "Role", "What it is"],
        rows,
        name="variants",
        caption="Everything that was trained, controls included.",
    )


def glossary() -> str:
    """The closed list of metrics."""
    rows = [
        [
            Cell(f"<code>{escape(name)}</code>"),
            markup.text(metric.unit),
            markup.text(metric.definition),
        ]
        for name, metric in GLOSSARY.items()
    ]
    return markup.table(
        ["Metric", "Unit", "Definition"],
        rows,
        name="glossary",
        caption="The closed list of metrics.",
    )


def provenance(manifest: Mapping[str, Any]) -> str:
    """How this run was made: code, configuration, machine, seconds, seeds, data."""
    commit = manifest["commit"] or "not a git checkout"
    if manifest["uncommitted_changes"]:
        commit += " with uncommitted changes"
    config = manifest["config"]
    seeds = f"{config['seeds']}; " + "; ".join(
        f"{entry['experiment']}: {entry['seeds']}" for entry in config["seeds_of"]
    )
    machine = manifest["machine"]
    pairs = [
        ("Commit", f"<code>{escape(commit)}</code>"),
        ("Command", f"<code>{escape(manifest['command'])}</code>"),
        ("Configuration", f"SHA-256 <code>{escape(manifest['config_sha256'])}</code>"),
        ("Seeds", escape(seeds.rstrip("; "))),
        ("Machine", escape(", ".join(str(machine[key]) for key in ("cpu", "system", "arch")))),
        ("Python", escape(manifest["python"])),
        ("Versions", escape(", ".join(f"{k} {v}" for k, v in manifest["versions"].items()))),
    ]
    for name, entry in manifest["data"].items():
        digest = entry["sha256"]
        hashes = digest.items() if isinstance(digest, Mapping) else [("", digest)]
        shown = "<br>".join(f"{escape(k)} <code>{escape(str(v))}</code>" for k, v in hashes)
        pairs.append(
            (f"Data: {name}", f"{markup.data_word(entry['provenance'])}<br>SHA-256 {shown}")
        )
    times = [
        [
            markup.text(talk),
            markup.number(str(entry["jobs"]), entry["jobs"]),
            markup.number(f"{entry['wall_seconds']:.0f} s", entry["wall_seconds"]),
            markup.number(f"{entry['cpu_seconds']:.0f} s", entry["cpu_seconds"]),
            markup.number(f"{entry['max_rss_mb']:.0f} MB", entry["max_rss_mb"]),
        ]
        for talk, entry in manifest["talks"].items()
    ]
    return markup.facts(pairs) + markup.table(
        ["Talk", "Jobs", "Wall time", "CPU time", "Peak memory"],
        times,
        name="durations",
        caption="Training and simulation, summed over jobs.",
        numbers=("Jobs", "Wall time", "CPU time", "Peak memory"),
    )
