"""What holds spiking networks back: time and memory of training, size, agreement of engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from whyspiking import forests, markup, statistics
from whyspiking.figures import NotMeasuredError, Plate
from whyspiking.forests import Panel
from whyspiking.markup import Cell
from whyspiking.registry import Talk, Variant
from whyspiking.synthesis import AGAINST, FAVOURS, UNCLEAR, Finding
from whyspiking.tables import GLOSSARY, Table
from whyspiking.telling import named, surname

SECONDS = "train_seconds"
MEMORY = ("learning_memory", "memory")
"""How the names of metrics about the memory of learning begin."""
SIZE = "size_ratio"
LEAST_SECONDS = 0.05
"""A network that another experiment trained takes less than this to copy."""


def training_ratios(metrics: Table, talks: Mapping[str, Talk]) -> list[Finding]:
    """Seconds of training, spiking network over each of its controls, paired by seed.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
    """
    rows = metrics[(metrics["metric"] == SECONDS) & (metrics["value"] > LEAST_SECONDS)]
    found = []
    for name, talk in talks.items():
        for experiment in talk.experiments.values():
            here = rows[(rows["talk"] == name) & (rows["experiment"] == experiment.name)]
            for spiking, control in _pairs(experiment.variants):
                ours, theirs = statistics.pair(_seconds(here, spiking), _seconds(here, control))
                if ours.size == 0:
                    continue
                ratio = statistics.log_interval(ours / theirs)
                low, high = ratio.bounds
                side = FAVOURS if high < 1 else AGAINST if low > 1 else UNCLEAR
                found.append(
                    Finding(
                        measure="seconds",
                        talk=name,
                        experiment=experiment.name,
                        perturbation="none",
                        locus=control if spiking == "spiking" else f"{control}, {spiking}",
                        metric=SECONDS,
                        effect=ratio.mean,
                        low=ratio.low,
                        high=ratio.high,
                        unit="1",
                        null=1.0,
                        side=side,
                    )
                )
    return found


def training_figure(metrics: Table, talks: Mapping[str, Talk], names: Mapping[str, str]) -> Plate:
    """Seconds of training over those of the control, a row per experiment and control.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
        names: Talk -> how the rows call it, in the order of the rows.

    Raises:
        NotMeasuredError: If no experiment trained both.
    """
    found = training_ratios(metrics, talks)
    if not found:
        raise NotMeasuredError("No experiment of this run trained a spiking network and a control.")
    rows = forests.rows_of(found, models=True)
    panel = Panel("training", "seconds, spiking network over control", 1.0, rows)
    plate, words = forests.forest([panel], names)
    return plate.says(
        "Wall-clock seconds of training, spiking network over its control, with 95 % t intervals "
        "of the logarithm over seeds. Right of the line, red: the spiking network takes longer. "
        "Both run on the same machine, but not in the same engine nor for the same number of "
        "epochs: it is the price paid here, not a law.",
        "Training time. " + "; ".join(words) + ".",
        "metrics.csv",
    )


def training_sentence(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """In how many talks training takes longer than that of the control."""
    found = training_ratios(metrics, talks)
    if not found:
        return ""
    longer = {finding.talk for finding in found if finding.effect > 1}
    sure = {finding.talk for finding in found if finding.side == AGAINST}
    median = float(np.median([finding.effect for finding in found]))
    return (
        f"<p>Training the spiking network took longer than training a control in {len(longer)} of "
        f"{len({f.talk for f in found})} talks (with the whole interval in {len(sure)}); median of "
        f"the {len(found)} ratios: {markup.digits(median)}.</p>"
    )


def cost_table(metrics: Table, durations: Table, talks: Mapping[str, Talk]) -> str:
    """Seconds of training and of the whole Brian2 battery, per experiment.

    Args:
        metrics: Rows of the metrics table, all talks.
        durations: Rows of durations.csv: mean seconds of each kind of job.
        talks: Talk by name.
    """
    trained = metrics[metrics["metric"] == SECONDS]
    rows = []
    for name, talk in talks.items():
        for experiment in talk.experiments.values():
            here = trained[(trained["talk"] == name) & (trained["experiment"] == experiment.name)]
            spiking = [v.name for v in experiment.variants.values() if v.role == "spiking"]
            others = [v.name for v in experiment.variants.values() if v.role == "control"]
            job = durations[
                (durations["rule"] == "simulate")
                & (durations["talk"] == name)
                & (durations["experiment"] == experiment.name)
            ]
            battery = float(job["seconds"].iloc[0]) if len(job) else np.nan
            folder = f"{name}/{experiment.name}"
            link = f'<a href="{folder}/metrics.csv">{escape(experiment.name.replace("_", " "))}</a>'
            rows.append(
                [
                    markup.text(surname(talk)),
                    Cell(link, experiment.name),
                    _time(here, spiking),
                    _time(here, others),
                    markup.number(markup.value(battery, "s"), battery),
                ]
            )
    heads = ["Talk", "Experiment", "Spiking network", "Controls", "Brian2 and battery"]
    return markup.table(
        heads,
        rows,
        name="cost",
        caption=(
            "Seconds of training per network (mean over seeds; a range where there are several "
            "controls) and of re-simulating all networks of the experiment under the battery. A "
            "network that another experiment trained costs nothing here."
        ),
        numbers=heads[2:],
        sortable=True,
    )


def _time(rows: Table, variants: list[str]) -> Cell:
    means = rows[rows["variant"].isin(variants)].groupby("variant")["value"].mean()
    means = means[means > LEAST_SECONDS]
    if means.empty:
        return Cell("–", "", "number")
    low, high = float(means.min()), float(means.max())
    shown = markup.value(high, "s")
    return Cell(shown if low == high else f"{markup.digits(low)} … {shown}", high, "number")


def memory(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """What the learning rules keep, and how it grows with the length of a trial."""
    rows = metrics[
        metrics["metric"].str.startswith(MEMORY) & np.isfinite(metrics["value"].astype(float))
    ]
    if rows.empty:
        return markup.note("No memory of a learning rule was measured at this scale.")
    cells = []
    for key, part in rows.groupby(["talk", "experiment", "metric", "variant"], sort=False):
        talk, experiment, metric, variant = (str(word) for word in key)
        if talk not in talks:
            continue
        value = float(part["value"].mean())
        unit = str(part["unit"].iloc[0])
        cells.append(
            [
                markup.text(surname(talks[talk])),
                Cell(f'<a href="{talk}/metrics.csv">{escape(experiment.replace("_", " "))}</a>'),
                markup.text(variant.replace("_", " ")),
                Cell(
                    f"<code>{escape(metric)}</code><small>{escape(GLOSSARY[metric].definition)}</small>"
                ),
                markup.number(markup.value(value, unit), value),
            ]
        )
    return markup.table(
        ["Talk", "Experiment", "Variant", "Metric", "Value"],
        cells,
        name="memory",
        caption="Memory of learning; means over seeds.",
        numbers=("Value",),
        sortable=True,
    )


def size(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """How large spiking networks need to be (G1), where size curves were measured."""
    rows = metrics[metrics["metric"] == SIZE]
    rows = rows[np.isfinite(rows["value"].astype(float)) & rows["talk"].isin(list(talks))]
    if rows.empty:
        return markup.note(
            "How large spiking networks need to be (G1, size ratio) was not measured in this run."
        )
    said = []
    for key, part in rows.groupby(["talk", "experiment", "locus"], sort=False):
        talk, experiment, control = (str(word).replace("_", " ") for word in key)
        found = statistics.log_interval(part.groupby("seed")["value"].mean().to_numpy())
        shown = markup.digits(found.mean)
        if found.seeds > 1:
            shown += f" [{markup.digits(found.low)}, {markup.digits(found.high)}]"
        against = f" against {escape(control)}" if control else ""
        said.append(f"{named([talk], talks)}, {escape(experiment)}{against}: {shown}")
    return (
        "<p>Parameters of the control over those of the spiking network at equal score (G1; above "
        f"1: the spiking network is the smaller one): {'; '.join(said)}.</p>"
    )


def parity(metrics: Table, talks: Mapping[str, Talk], limits: Mapping[str, float]) -> pd.DataFrame:
    """Agreement of the training engine with Brian2, per talk: the worst over its networks.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
        limits: The `parity` block of the config.

    Returns:
        Columns `talk`, `networks`, `equal_decisions` (least), `score_difference` (largest,
        absolute) and `equal` (both within limits; what was not measured does not count).
    """
    rows = metrics[(metrics["perturbation"] == "none") & metrics["talk"].isin(list(talks))]
    keys = ["experiment", "variant", "seed"]
    found = []
    for name in talks:
        own = rows[(rows["talk"] == name) & rows["metric"].isin(list(limits))]
        if own.empty:
            continue
        decisions = own.loc[own["metric"] == "equal_decisions", "value"].astype(float)
        scores = own.loc[own["metric"] == "score_difference", "value"].astype(float).abs()
        least, largest = decisions.min(), scores.max()
        found.append(
            {
                "talk": name,
                "networks": len(own[keys].drop_duplicates()),
                "equal_decisions": float(least),
                "score_difference": float(largest),
                "equal": not (
                    least < limits["equal_decisions"] or largest > limits["score_difference"]
                ),
            }
        )
    columns = ["talk", "networks", "equal_decisions", "score_difference", "equal"]
    return pd.DataFrame(found, columns=pd.Index(columns))


def parity_told(metrics: Table, talks: Mapping[str, Talk], limits: Mapping[str, float]) -> str:
    """Sentence and table on the agreement of the engines."""
    found: Table = parity(metrics, talks, limits)
    if found.empty:
        return markup.note("The engines were not compared at this scale.")
    least = markup.value(limits["equal_decisions"], "fraction")
    most = markup.value(limits["score_difference"], "fraction")
    equal = found[found["equal"].astype(bool)]
    others = [name for name in found["talk"] if name not in set(equal["talk"])]
    sentence = (
        f"<p>In {len(equal)} of {len(found)} talks every network decides alike in its training "
        f"engine and in Brian2 (at least {least} equal decisions, scores within {most})"
        f"{f'; not in {named(others, talks)}' if others else ''}. {int(found['networks'].sum())} "
        "networks were compared.</p>"
    )
    rows = []
    for row in found.itertuples(index=False):
        word = ("✓", "green", "equal") if row.equal else ("✗", "red", "not equal")
        equal_share, difference = float(row.equal_decisions), float(row.score_difference)
        rows.append(
            [
                Cell(
                    f'<a href="{row.talk}/metrics.csv">{escape(surname(talks[str(row.talk)]))}</a>'
                ),
                markup.number(str(row.networks), float(str(row.networks))),
                markup.number(markup.value(equal_share, "fraction"), equal_share),
                markup.number(markup.value(difference, "fraction"), difference),
                Cell(markup.labelled(*word), str(row.equal)),
            ]
        )
    heads = ["Talk", "Networks", "Least equal decisions", "Largest difference of scores", "Engines"]
    return sentence + markup.table(
        heads,
        rows,
        name="parity",
        caption="Training engine against Brian2: the worst of a talk's networks (Q1).",
        numbers=heads[1:4],
        sortable=True,
    )


def _pairs(variants: Mapping[str, Variant]) -> Iterator[tuple[str, str]]:
    """Spiking variant and control."""
    for spiking in variants.values():
        for control in variants.values():
            if spiking.role == "spiking" and control.role == "control":
                yield spiking.name, control.name


def _seconds(rows: Table, variant: str) -> dict[int, float]:
    own = rows[rows["variant"] == variant]
    values: Any = own.groupby("seed")["value"].mean()
    return {int(seed): float(value) for seed, value in values.items()}
