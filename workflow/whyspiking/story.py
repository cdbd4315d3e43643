"""Opens the finished tables of one talk and tells them: what its notebook shows, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import cast

import pandas as pd

from whyspiking import (
    claims_file,
    comparisons,
    dispatch,
    figures,
    forests,
    markup,
    measures_table,
    registry,
    sections,
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
        return cls.read(find(results), talk, scale, links="../", here="")

    @classmethod
    def read(cls, folder: Path, talk: str, scale: str, *, links: str, here: str) -> Story:
        """Read one talk's tables for a page that lies elsewhere.

        Args:
            folder: Folder of the run.
            talk: Name of the talk.
            scale: Scale of the run.
            links: Path from the page to the folder of the run.
            here: Path from the page to the folder of the talk.
        """
        own = folder / talk
        metrics = tables.read_metrics([existing(own / "metrics.csv")])
        check_scale(metrics, scale, own / "metrics.csv")
        history = tables.read_csv(existing(own / "history.csv"))
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
                self.verdicts, claims_of([self.talk]), {self.talk.name: self.talk}, many=False
            )
        )

    def forest(self) -> Html:
        """All claims as a forest plot."""
        return self._draw("claims", lambda: forests.verdict_forest(self.verdicts))

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
        drawn = dispatch.talk_module(self.talk.name, "drawing").figures(self.results)
        return cast("Mapping[str, Callable[[], Plate]]", drawn)

    def _draw(self, name: str, draw: Callable[[], Plate]) -> Html:
        return show(draw, f"{self.talk.name}-{markup.slug(name)}", self.here, self.talk)


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
    table = tables.read_csv(existing(path), keep_default_na=False)
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


def claims_of(talks: Iterable[registry.Talk]) -> dict[str, claims_file.Claim]:
    """Claim by id, of several talks."""
    return {
        claim.id: claim
        for talk in talks
        for claim in claims_file.load(talk.folder / "claims.yaml", talk)
    }


def existing(path: Path) -> Path:
    """The path itself.

    Raises:
        UserError: If there is no such file.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; run `snakemake` to make it")
    return path


def check_scale(metrics: Table, scale: str, path: Path) -> None:
    """See to it that a table was made at the scale that the notebook names.

    Raises:
        UserError: If it was not.
    """
    found = sorted(set(metrics["scale"]))
    if found != [scale]:
        raise UserError(
            f"{path}: holds scale {found}, but '{scale}' was asked for; correct the parameters cell"
        )
