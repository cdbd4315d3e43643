"""Sections of the report, each made from the tables of a run: nothing here is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from whyspiking import markup
from whyspiking.markup import Cell
from whyspiking.registry import Experiment, Talk
from whyspiking.synthesis import CLAIMS, Answer
from whyspiking.tables import GLOSSARY, Table

PASSES = ("replicated", "replicated, within noise")
SIDES = {"yes": "favoured", "no": "not favoured", "unclear": "undecided"}
OF_SEVERAL_VARIANTS = ("energy_ratio", "robustness_advantage", "size_ratio", "speed_area_gain")
"""Metrics that are computed when a talk's tables are collected, not when it is simulated."""


def counts(verdicts: Table) -> str:
    """How many claims replicated, in a paragraph."""
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
    return f"<p>{' '.join(sentences)}</p>"


def key_claims(verdicts: Table, talks: Mapping[str, Talk]) -> str:
    """Every key claim in a sentence, to open on demand."""
    sentences = [
        f"{escape(talks[str(row.talk)].speaker)}: {escape(str(row.says)).rstrip('.')} – "
        f"<strong>{escape(str(row.label))}</strong>, "
        f"{_inline(row.value, row.low, row.high, str(row.unit))} over {int(str(row.seeds))} "
        f"seed{'s' if int(str(row.seeds)) != 1 else ''}."
        for row in verdicts[verdicts["role"] == "key"].itertuples(index=False)
    ]
    items = "".join(f"<li>{sentence}</li>" for sentence in sentences)
    return markup.details("The key claims in words", f"<ul>{items}</ul>")


def _inline(mean: Any, low: Any, high: Any, unit: str) -> str:
    shown = markup.value(float(mean), unit)
    if not np.isfinite(float(low)):
        return shown
    return f"{shown} [{markup.bare(float(low), unit)}, {markup.bare(float(high), unit)}]"


def _count(table: Table, verdicts: Sequence[str]) -> int:
    return int(table["verdict"].isin(list(verdicts)).sum())


def _judged(table: Table) -> int:
    return _count(table, [*PASSES, "inconclusive", "not replicated"])


def claims_of_axis(answer: Answer, verdicts: Table) -> str:
    """The talks' own claims that count for an axis, each with its verdict."""
    ids = [f.experiment for f in answer.findings if f.measure == CLAIMS]
    rows = verdicts[verdicts["claim"].isin(ids)]
    items = "".join(
        f"<li>{markup.chip(str(row.verdict), str(row.label)).markup} {escape(str(row.says))} "
        f'<a href="{escape(str(row.talk), quote=True)}/report.html"><code>{escape(str(row.claim))}'
        f"</code></a> {_inline(row.value, row.low, row.high, str(row.unit))}</li>"
        for row in rows.itertuples(index=False)
    )
    return f'<ul class="claims">{items}</ul>' if items else ""


def contrasts_of_axis(axis: str, axes: Table, names: Mapping[str, str]) -> str:
    """Every contrast of an axis that has a null, to open on demand.

    Args:
        axis: Name of the axis.
        axes: Rows of axes.csv.
        names: Talk -> how the table calls it.
    """
    own = axes[(axes["axis"] == axis) & np.isfinite(axes["null"].astype(float))]
    if own.empty:
        return ""
    heads = ["Measure", "Talk", "Where", "Effect [95 % interval]", "Null", "Seeds", "Spikes"]
    rows = []
    for row in own.itertuples(index=False):
        unit, talk = str(row.unit), str(row.talk)
        place = " · ".join(
            str(part).replace("_", " ")
            for part in (row.experiment, row.perturbation, row.locus)
            if str(part) not in ("", "none", "nan")
        )
        effect, low, high, null = (float(x) for x in (row.effect, row.low, row.high, row.null))
        word = str(row.favours_spikes)
        look = {"yes": ("▲", "green"), "no": ("■", "red")}.get(word, ("●", "grey"))
        table = f"{talk}/{row.experiment}/metrics.csv"
        if str(row.metric) in OF_SEVERAL_VARIANTS:
            table = f"{talk}/metrics.csv"
        rows.append(
            [
                markup.text(row.measure),
                markup.text(names[talk]),
                Cell(f'<a href="{escape(table, quote=True)}">{escape(place)}</a>', place),
                Cell(markup.interval(effect, low, high, unit), markup.sort_key(effect), "number"),
                markup.number(markup.value(null, unit), null),
                markup.number(str(int(str(row.seeds))), float(str(row.seeds))),
                Cell(markup.labelled(*look, SIDES.get(word, word)), word),
            ]
        )
    shown = markup.table(
        heads,
        rows,
        name=f"axis-{axis}",
        caption="Spiking network against its matched control, or against the null of the measure.",
        numbers=("Effect [95 % interval]", "Null", "Seeds"),
        sortable=True,
    )
    return markup.details(f"All {len(own)} contrasts as a table", shown)


def deviations(talks: Sequence[Talk], scale: str) -> str:
    """Published value against value used, with the reason, generated from talk.yaml."""
    rows = []
    for talk in talks:
        for experiment in talk.experiments.values():
            for name, change in experiment.scaled.get(scale, {}).items():
                if change["value"] == experiment.published[name]:
                    continue
                unit = experiment.parameters[name].get("unit", "")
                rows.append(
                    [
                        markup.text(talk.name),
                        markup.text(experiment.name.replace("_", " ")),
                        Cell(f"<code>{escape(name)}</code>"),
                        Cell(
                            f"{_setting(experiment.published[name], unit)}"
                            f"<small>{escape(experiment.parameters[name]['source'])}</small>"
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
