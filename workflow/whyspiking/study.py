"""Opens the finished tables of a run and tells them: what the notebooks show, cell by cell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from whyspiking import (
    claims_file,
    comparisons,
    figures,
    markup,
    measures_table,
    registry,
    sections,
    speed_figures,
    svg,
    tables,
)
from whyspiking.contract import Results
from whyspiking.errors import UserError
from whyspiking.figures import NotMeasuredError, Plate
from whyspiking.markup import Html
from whyspiking.tables import Table
from whyspiking.verdict_table import verdict_table

PLUMBING = "Smoke run: this checks the plumbing only. Nothing on this page is a verdict."


def find(results: str | Path) -> Path:
    """The folder of a run, seen from the project's root or from `notebooks/`.

    Raises:
        UserError: If it is at neither place.
    """
    for folder in (Path(results), Path("..") / results):
        if folder.is_dir():
            return folder
    raise UserError(
        f"folder '{results}' does not exist; run `snakemake` first, or name another folder in the "
        "parameters cell"
    )


@dataclass
class Story:
    """One talk: its question, verdicts, figures, measures and deviations.

    Attributes:
        talk: Its description.
        results: Its tables and exhibits.
        verdicts: Its rows of the verdict table.
        links: Path from the page to the folder of the run.
        here: Path from the page to the folder of the talk.
    """

    talk: registry.Talk
    results: Results
    verdicts: Table
    links: str
    here: str

    @classmethod
    def open(cls, results: str | Path, talk: str, scale: str) -> Story:
        """Read one talk's tables for its own page, `<results>/<talk>/report.html`.

        Args:
            results: Folder of the run.
            talk: Name of the talk.
            scale: Scale of the run.

        Raises:
            UserError: If a table is missing or was made at another scale.
        """
        return cls._read(find(results), talk, scale, links="../", here="")

    @classmethod
    def _read(cls, folder: Path, talk: str, scale: str, *, links: str, here: str) -> Story:
        own = folder / talk
        metrics = tables.read_metrics([_existing(own / "metrics.csv")])
        _check_scale(metrics, scale, own / "metrics.csv")
        history = pd.read_csv(_existing(own / "history.csv"))
        return cls(
            talk=registry.as_measured(registry.load_talk(talk), own),
            results=Results(own, talk, scale, metrics, history),
            verdicts=read_verdicts(own / "verdicts.csv"),
            links=links,
            here=here,
        )

    def head(self) -> Html:
        """Speaker, papers, the question; at smoke scale a banner."""
        talk = self.talk
        papers = "".join(
            f"<li>{escape(paper['cite'])} "
            f'<a href="https://doi.org/{escape(paper["doi"], quote=True)}">'
            f"doi:{escape(paper['doi'])}</a></li>"
            for paper in talk.papers.values()
        )
        files = {"metrics.csv": "metrics", "verdicts.csv": "verdicts", "history.csv": "training"}
        links = ", ".join(
            f'<a href="{self.here}{name}">{words}</a>' for name, words in files.items()
        )
        return Html(
            f'<p class="soft">{escape(talk.speaker)}, SNUFA 2020 · '
            f"{escape(self.results.scale)} scale · tables: {links}</p>"
            f'<p class="lead">{escape(talk.question)}</p><ul>{papers}</ul>'
            f"{banner(self.results.scale)}"
        )

    def verdict_table(self) -> Html:
        """Verdicts on all claims of the talk."""
        return Html(
            verdict_table(
                self.verdicts, _claims([self.talk]), {self.talk.name: self.talk}, many=False
            )
        )

    def forest(self) -> Html:
        """All claims as a forest plot."""
        return self._draw("claims", lambda: comparisons.verdict_forest(self.verdicts))

    def figure(self, name: str) -> Html:
        """One of the talk's signature figures, or the reason why there is none."""
        return self._draw(name, self._plates()[name])

    def signature(self) -> Html:
        """All signature figures of the talk, in the order of its story."""
        drawn = [self._draw(name, draw) for name, draw in self._plates().items()]
        return Html("\n".join(piece.markup for piece in drawn))

    def perturbations(self, experiment: str) -> Html:
        """Score against every perturbation of the common battery, spiking network and controls."""
        rows = self.results.metrics[self.results.metrics["experiment"] == experiment]
        described = self.talk.experiments[experiment]
        labels = {
            variant.name: variant.name.replace("_", " ")
            for variant in described.variants.values()
            if variant.role in ("spiking", "control")
        }

        def draw() -> Plate:
            plate = comparisons.perturbation_curves(rows, labels=labels)
            plate.caption = f"{described.title}. {plate.caption}"
            return plate

        return self._draw(f"perturbations-{experiment}", draw)

    def speed(self, experiment: str) -> Html:
        """Accuracy against time, as if the network were stopped."""

        def draw() -> Plate:
            arrays = self.results.exhibit(experiment)
            plate = figures.anytime(arrays, self.talk.tau_char_ms, experiment)
            plate.caption = f"{self.talk.experiments[experiment].title}. {plate.caption}"
            return plate

        return self._draw(f"speed-{experiment}", draw)

    def energy(self) -> Html:
        """Energy of the control over that of the spiking network."""
        return self._draw("energy", lambda: comparisons.energy_dots(self.results.metrics))

    def measures(self) -> Html:
        """Table of timing, latency, energy, robustness and parity."""
        return Html(
            measures_table.measures_table(self.results.metrics, {self.talk.name: self.talk})
        )

    def deviations(self) -> Html:
        """Published against used parameters."""
        return Html(sections.deviations([self.talk], self.results.scale))

    def provenance(self) -> Html:
        """Data, variants and where the rest is told."""
        link = f'<a href="{self.links}why_spiking.html#deviations-and-provenance">the report</a>'
        return Html(
            sections.data_table([self.talk])
            + sections.variants_table(list(self.talk.experiments.values()))
            + f"<p>Commit, versions, machine, seeds and seconds of this run stand in {link}.</p>"
        )

    def brief(self) -> str:
        """The talk in the joint report: question, signature figures, where to read on."""
        talk = self.talk
        parts = [
            f'<h3 id="{markup.slug(talk.name)}">{escape(talk.speaker)}: {escape(talk.title)}</h3>',
            f"<p>{escape(talk.question)}</p>",
            self.signature().markup,
            f'<p><a href="{self.here}report.html">The whole story of this talk</a>: model, '
            "equations, claims, deviations.</p>",
        ]
        return "\n".join(parts)

    def _plates(self) -> Mapping[str, Callable[[], Plate]]:
        drawn = registry.module(self.talk.name).figures(self.results)
        return cast("Mapping[str, Callable[[], Plate]]", drawn)

    def _draw(self, name: str, draw: Callable[[], Plate]) -> Html:
        return show(draw, f"{self.talk.name}-{markup.slug(name)}", self.here, self.talk)


@dataclass
class Study:
    """All talks of a run, side by side."""

    folder: Path
    scale: str
    stories: dict[str, Story]
    metrics: Table
    verdicts: Table
    axes: Table
    manifest: dict[str, Any]

    @classmethod
    def open(cls, results: str | Path, scale: str) -> Study:
        """Read the common tables of a run.

        Args:
            results: Folder of the run.
            scale: Scale of the run.

        Raises:
            UserError: If a table is missing or was made at another scale.
        """
        folder = find(results)
        manifest = json.loads(_existing(folder / "manifest.json").read_text(encoding="utf-8"))
        metrics = tables.read_metrics([_existing(folder / "metrics.csv")])
        _check_scale(metrics, scale, folder / "metrics.csv")
        verdicts = read_verdicts(folder / "verdicts.csv")
        stories = {
            talk: Story._read(folder, talk, scale, links="", here=f"{talk}/")
            for talk in dict.fromkeys(verdicts["talk"])
        }
        axes = pd.read_csv(_existing(folder / "axes.csv"), keep_default_na=False, na_values=["nan"])
        return cls(folder, scale, stories, metrics, verdicts, axes, manifest)

    @property
    def talks(self) -> dict[str, registry.Talk]:
        """Descriptions of the talks, by name."""
        return {name: story.talk for name, story in self.stories.items()}

    def head(self) -> Html:
        """Scale, tables, and at smoke scale a banner."""
        links = ", ".join(
            f'<a href="{name}">{name}</a>'
            for name in ("verdicts.csv", "metrics.csv", "axes.csv", "manifest.json")
        )
        pages = ", ".join(
            f'<a href="{name}/report.html">{escape(talk.speaker)}</a>'
            for name, talk in self.talks.items()
        )
        return Html(
            f'<p class="soft">{escape(self.scale)} scale · tables: {links} · talks: {pages}</p>'
            f"{banner(self.scale)}"
        )

    def verdict_table(self) -> Html:
        """Verdicts on all claims of all talks."""
        return Html(
            verdict_table(self.verdicts, _claims(self.talks.values()), self.talks, many=True)
        )

    def summary(self) -> Html:
        """What came out, on one screen."""
        return Html(sections.summary(self.verdicts, self.axes, self.talks, self.scale))

    def forest(self) -> Html:
        """All claims as a forest plot."""
        return show(lambda: comparisons.verdict_forest(self.verdicts), "claims", "")

    def each_talk(self) -> Html:
        """Every talk with its signature figures."""
        return Html("\n".join(story.brief() for story in self.stories.values()))

    def measures(self) -> Html:
        """Table of timing, latency, energy, robustness and parity, all experiments."""
        return Html(measures_table.measures_table(self.metrics, self.talks))

    def answers(self) -> Html:
        """Every contrast that has a null: as a figure, and as a table that opens on demand."""
        with_null = self.axes[np.isfinite(self.axes["null"])]
        if with_null.empty:
            return Html(markup.note("No contrast could be measured at this scale."))
        table = sections.axes_table(with_null)
        return show(lambda: comparisons.axes_forest(with_null), "axes-forest", "") + Html(
            markup.details(f"All {len(with_null)} contrasts as a table", table)
        )

    def speed(self) -> Html:
        """Speed against accuracy, for all data that several talks share."""
        curves = []
        for name, story in self.stories.items():
            for experiment in story.talk.experiments.values():
                rows = story.results.metrics["experiment"] == experiment.name
                if experiment.kind != "classification" or not rows.any():
                    continue
                arrays = story.results.exhibit(experiment.name)
                for variant in experiment.variants.values():
                    # A network that another experiment trained has its line already.
                    fresh = variant.role == "spiking" and not variant.starts_from
                    kind = "" if variant.name == "spiking" else f" {variant.name}"
                    made = fresh and speed_figures.curve(
                        arrays,
                        variant.name,
                        f"{name} · {experiment.name}{kind}".replace("_", " "),
                        experiment.data_key,
                        story.talk.tau_char_ms,
                    )
                    curves += [(name, made)] if made else []
        shared = [
            data
            for data in dict.fromkeys(made.data for _, made in curves)
            if len({name for name, made in curves if made.data == data}) > 1
        ]
        if not shared:
            return Html(markup.note("No two talks of this run share their data."))
        drawn = [
            show(
                lambda data=data: speed_figures.speed_accuracy([c for _, c in curves], data),
                f"speed-{data}",
                "",
            ).markup
            for data in shared
        ]
        return Html("\n".join(drawn))

    def energy(self) -> Html:
        """Energy against every control under every cost model."""
        return show(lambda: comparisons.energy_dots(self.metrics), "energy-ratio", "") + show(
            lambda: comparisons.energy_tornado(self.metrics), "tornado", ""
        )

    def deviations(self) -> Html:
        """Published against used parameters, all talks."""
        return Html(sections.deviations(list(self.talks.values()), self.scale))

    def data(self) -> Html:
        """Where the data of every experiment come from."""
        return Html(sections.data_table(list(self.talks.values())))

    def glossary(self) -> Html:
        """The closed list of metrics."""
        return Html(markup.details("All metrics with unit and definition", sections.glossary()))

    def provenance(self) -> Html:
        """How this run was made."""
        return Html(sections.provenance(self.manifest))


def show(
    draw: Callable[[], Plate], name: str, here: str, talk: registry.Talk | None = None
) -> Html:
    """A figure with caption, or a note where there is nothing to draw.

    Args:
        draw: Draws the figure; raises `NotMeasuredError` where it cannot.
        name: Identifier, unique in the page.
        here: Path from the page to the folder that the figure's source is relative to.
        talk: The talk it belongs to, to name stand-in data.
    """
    with figures.style():
        try:
            plate = draw()
        except NotMeasuredError as why:
            return Html(markup.note(f"Figure not drawn. {why}"))
        picture = svg.inline(plate, name, plate.alt)
    caption = plate.caption
    if talk is not None and plate.experiment:
        provenance = talk.experiments[plate.experiment].provenance
        if provenance in ("synthetic", "simulated"):
            caption = f"{markup.data_word(provenance, start=True)}. {caption}"
    return Html(markup.figure(picture, name=name, caption=caption, link=here + plate.source))


def banner(scale: str) -> str:
    """A warning on pages of smoke runs."""
    return f'<p class="banner" role="note">{PLUMBING}</p>' if scale == "smoke" else ""


def read_verdicts(path: Path) -> Table:
    """Read a verdict table; numbers are numbers, missing ones nan, missing words empty.

    Raises:
        UserError: If the file is missing.
    """
    table = pd.read_csv(_existing(path), keep_default_na=False)
    numeric = (
        "published",
        "value",
        "low",
        "high",
        "seeds",
        "band_low",
        "band_high",
        "control_value",
    )
    for column in numeric:
        table[column] = pd.to_numeric(table[column], errors="coerce")
    return table


def _claims(talks: Iterable[registry.Talk]) -> dict[str, claims_file.Claim]:
    return {
        claim.id: claim
        for talk in talks
        for claim in claims_file.load(talk.folder / "claims.yaml", talk)
    }


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"{path}: no such file; run `snakemake` to make it")
    return path


def _check_scale(metrics: Table, scale: str, path: Path) -> None:
    found = sorted(set(metrics["scale"]))
    if found != [scale]:
        raise UserError(
            f"{path}: holds scale {found}, but '{scale}' was asked for; correct the parameters cell"
        )
