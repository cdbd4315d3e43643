"""Trained networks beside nervous systems: rates, sparsity, irregularity, latency.

The published ranges stand, each with its source, in `report_assets/biology.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import numpy as np
from pydantic import Field

from whyspiking import markup
from whyspiking.figures import BLUE, GREEN, NotMeasuredError, Plate
from whyspiking.markup import Cell
from whyspiking.registry import Talk
from whyspiking.schema import Block, Name, Some, closed, parsed, read_yaml
from whyspiking.tables import GLOSSARY, Table
from whyspiking.telling import surname
from whyspiking.trained import of_spiking

SOURCES = Path(__file__).with_name("report_assets") / "biology.yaml"
ENGINE = "brian2"
OUTSIDE = ("partly inside", "below", "above")


Words = Annotated[str, Field(min_length=8)]
Link = Annotated[str, Field(pattern="^https://")]
Read = Literal["abstract", "table", "recalled"]
Positive = Annotated[float, Field(gt=0)]


class Range(Block):
    """A published range of one quantity.

    Attributes:
        metric: The metric of the battery that stands beside it.
        name: The quantity, in words.
        unit: Of the range and the metric.
        time: `rate` (per time), `time` or `none`: how the network's time unit enters.
        low: Lower end.
        high: Upper end.
        where: In which animal and what exactly.
        cite: Source.
        link: Address of the source.
        read: What was read of it, or `recalled`.
    """

    metric: Name
    name: Words
    unit: str = Field(min_length=1)
    time: Literal["rate", "time", "none"]
    low: float
    high: float
    where: Words
    cite: Words
    link: Link
    read: Read


@closed
class TimeConstant(TypedDict):
    """The time constant that translates network time, ms: used, and as published."""

    used: Positive
    low: Positive
    high: Positive
    where: Words
    cite: Words
    link: Link
    read: Read


class Biology(Block):
    """What `report_assets/biology.yaml` says."""

    tau_ms: TimeConstant
    ranges: Some[Range]


@dataclass(frozen=True)
class Ours:
    """One talk's values of a metric: the least and the largest of its populations.

    Attributes:
        talk: Name of the talk.
        low: Least mean over seeds.
        high: Largest mean over seeds.
        scale: Factor to biological time.
        populations: Number of experiments, or populations where each was measured.
    """

    talk: str
    low: float
    high: float
    scale: float
    populations: int

    def place(self, published: Range, *, scaled: bool) -> str:
        """Where it lies: inside, partly inside, below or above the published range."""
        factor = self.scale if scaled else 1.0
        low, high = self.low * factor, self.high * factor
        if published.low <= low and high <= published.high:
            return "inside"
        if high < published.low:
            return "below"
        return "above" if low > published.high else "partly inside"


def published() -> tuple[Sequence[Range], TimeConstant]:
    """The published ranges and the time constant that translates network time.

    Raises:
        UserError: If the file does not fit its schema.
    """
    found = parsed(Biology, read_yaml(SOURCES), f"report_assets/{SOURCES.name}")
    return found.ranges, found.tau_ms


def ours(metrics: Table, talks: Mapping[str, Talk], metric: str, time: str) -> list[Ours]:
    """Values of the clean spiking networks, talk by talk.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name.
        metric: Which metric.
        time: How time enters it, as in `Range`.
    """
    _, tau = published()
    rows = metrics[
        (metrics["metric"] == metric)
        & (metrics["perturbation"] == "none")
        & (metrics["engine"] == ENGINE)
        # The input is the experimenter's, not the network's.
        & (metrics["locus"] != "input")
        & np.isfinite(metrics["value"].astype(float))
    ]
    found = []
    for name, talk in talks.items():
        own = rows[rows["talk"] == name]
        own = own[of_spiking(own, talk)]
        if own.empty:
            continue
        means = own.groupby(["experiment", "locus"])["value"].mean()
        ratio = talk.tau_char_ms / float(tau["used"])
        scale = {"rate": ratio, "time": 1 / ratio, "none": 1.0}[time]
        found.append(Ours(name, float(means.min()), float(means.max()), scale, len(means)))
    return found


def table(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """Published range beside ours, one row per talk and quantity, with sources below."""
    ranges, tau = published()
    rows, notes = [], []
    for number, entry in enumerate(ranges, 1):
        notes.append((f"[{number}]", _source(entry.where, entry.cite, entry.link, entry.read)))
        found = ours(metrics, talks, entry.metric, entry.time)
        head = Cell(f"{escape(entry.name)} [{number}]", entry.name)
        span = f"{_bare(entry.low, entry)} … {markup.value(entry.high, entry.unit)}"
        if not found:
            why = "not in the battery" if entry.metric not in GLOSSARY else "at this scale"
            lost = Cell(f'<span class="soft">not measured ({why})</span>', "")
            rows.append([head, Cell(span), lost, Cell(""), Cell(""), Cell("")])
        for own in found:
            scaled = Cell('<span class="soft">no time in it</span>', "")
            if entry.time != "none":
                scaled = Cell(_span(own, entry, own.scale), own.low * own.scale, "number")
            rows.append(
                [
                    head,
                    Cell(span),
                    markup.text(surname(talks[own.talk])),
                    Cell(_span(own, entry, 1.0), own.low, "number"),
                    scaled,
                    markup.text(_places(own, entry)),
                ]
            )
    rescaled = f"Ours at τ = {tau['used']:g} ms"
    heads = ["Quantity", "Published", "Talk", "Ours", rescaled, "Ours lies"]
    shown = markup.table(
        heads,
        rows,
        name="biology",
        caption=(
            "Clean test runs in Brian2, lowest and highest mean over the talk's experiments. "
            "Several talks have no biological unit of time; the last but one column shows them as "
            f"if its characteristic time were {tau['used']:g} ms."
        ),
        numbers=("Ours", rescaled),
        sortable=True,
    )
    notes.append(("τ", _source(tau["where"], tau["cite"], tau["link"], tau["read"])))
    return shown + markup.facts(notes)


def sentences(metrics: Table, talks: Mapping[str, Talk]) -> str:
    """In how many talks each quantity lies inside its published range."""
    ranges, tau = published()
    said = []
    for entry in ranges:
        found = ours(metrics, talks, entry.metric, entry.time)
        if not found:
            said.append(f"{escape(entry.name.capitalize())}: measured in no talk.")
            continue
        told = _counted(found, entry, scaled=False)
        if entry.time != "none":
            told += f"; with τ = {tau['used']:g} ms {_counted(found, entry, scaled=True)}"
        said.append(
            f"{escape(entry.name.capitalize())}, {_bare(entry.low, entry)} … "
            f"{markup.value(entry.high, entry.unit)}: {told}."
        )
    items = "".join(f"<li>{sentence}</li>" for sentence in said)
    return (
        "<p>How many talks lie inside what was published, in their own time, and as if their "
        f"characteristic time τ were {tau['used']:g} ms:</p><ul>{items}</ul>"
    )


def _counted(found: Sequence[Ours], entry: Range, *, scaled: bool) -> str:
    places = [own.place(entry, scaled=scaled) for own in found]
    others = [f"{word} in {places.count(word)}" for word in OUTSIDE if word in places]
    tail = f" ({', '.join(others)})" if others else ""
    return f"inside in {places.count('inside')} of {len(found)} talks{tail}"


def _places(own: Ours, entry: Range) -> str:
    here = own.place(entry, scaled=False)
    there = own.place(entry, scaled=True)
    return here if entry.time == "none" or here == there else f"{here}; rescaled {there}"


def figure(metrics: Table, talks: Mapping[str, Talk]) -> Plate:
    """Ours and the published range, a panel per quantity, a row per talk.

    Args:
        metrics: Rows of the metrics table, all talks.
        talks: Talk by name, in the order of the rows.

    Raises:
        NotMeasuredError: If none of the quantities was measured.
    """
    ranges, tau = published()
    shown: list[tuple[Range, list[Ours]]] = []
    for entry in ranges:
        if any(entry.metric == other.metric for other, _ in shown):
            continue
        found = ours(metrics, talks, entry.metric, entry.time)
        shown += [(entry, found)] if found else []
    if not shown:
        raise NotMeasuredError("None of the quantities that biology publishes was measured.")
    order = list(talks)[::-1]
    plate = Plate(0.9 + 0.24 * len(order))
    axes = plate.panels(1, len(shown), sharey=True)[0]
    words = []
    for ax, (entry, found) in zip(axes, shown, strict=True):
        least = min(own.low * min(1.0, own.scale) for own in found)
        for other in ranges:
            if other.metric == entry.metric:
                # A logarithmic axis has no zero.
                start = other.low or least / 2
                ax.axvspan(start, other.high, color=GREEN, alpha=0.14, linewidth=0)
        for own in found:
            y = order.index(own.talk)
            for factor, style, lift in _marks(entry, own):
                ax.plot([own.low * factor, own.high * factor], [y + lift] * 2, **style)
            words.append(
                f"{entry.name}, {surname(talks[own.talk])}: {own.low:.2g} to {own.high:.2g}"
            )
        if entry.time != "none":
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        else:
            ax.set_xlim(left=min(0.7, *(own.low for own in found)), right=1.0 + 0.01)
        ax.set_title(entry.name, fontsize=8.5, wrap=True)
        ax.set_xlabel(entry.unit if entry.unit not in ("1", "fraction") else "share")
    axes[0].set_yticks(range(len(order)), [surname(talks[name]) for name in order])
    axes[0].set_ylim(-0.6, len(order) - 0.4)
    axes[0].tick_params(axis="y", length=0)
    return plate.says(
        "Trained networks beside published ranges (green; sources below the table). Filled: in the "
        "network's own time; open: as if the talk's characteristic time were "
        f"{tau['used']:g} ms. A line spans the talk's experiments.",
        "Networks and nervous systems. " + "; ".join(words) + ".",
    )


def _marks(entry: Range, own: Ours) -> Sequence[tuple[float, dict[str, Any], float]]:
    """Factor, look and vertical shift of the lines of one talk."""
    filled = {"color": BLUE, "marker": "o", "markersize": 4, "linewidth": 1.4}
    if entry.time == "none":
        return [(1.0, filled, 0.0)]
    hollow = {**filled, "markerfacecolor": "none", "linestyle": "--", "linewidth": 1.0}
    return [(1.0, filled, 0.14), (own.scale, hollow, -0.14)]


def _span(own: Ours, entry: Range, factor: float) -> str:
    if own.populations == 1:
        return markup.value(own.low * factor, entry.unit)
    return f"{_bare(own.low * factor, entry)} … {markup.value(own.high * factor, entry.unit)}"


def _bare(x: float, entry: Range) -> str:
    return markup.bare(x, entry.unit)


def _source(where: str, cite: str, link: str, read: str) -> str:
    note = "from memory" if read == "recalled" else f"{read} read"
    return (
        f'{escape(where)}. <a href="{escape(link, quote=True)}">{escape(cite)}</a> '
        f"({escape(note)})."
    )
