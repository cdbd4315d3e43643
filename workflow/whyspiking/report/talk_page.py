"""The page of one talk, made from its finished tables: what its notebook shows, cell by cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from markupsafe import Markup

from whyspiking.contract.types import Results
from whyspiking.declared import abstract_file, after_file, claims_file, registry
from whyspiking.errors import UserError
from whyspiking.plots import figures, svg
from whyspiking.plots.figures import NotMeasuredError, Plate
from whyspiking.plots.perturbation_curves import perturbation_curves
from whyspiking.records import labels, reference, tables, whole_files
from whyspiking.records.columns import HISTORY, MEASURES, VERDICTS
from whyspiking.records.tables import Table
from whyspiking.report import (
    abstracts,
    eight_talks,
    html,
    sections,
    tasks_section,
)
from whyspiking.report.html import Html, macros
from whyspiking.talks import talk_module
from whyspiking.verdicts import comparison, judge, rule
from whyspiking.verdicts.comparison import ReferenceResults, read_reference


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
class TalkPage:
    """One talk: its question, verdicts, figures, measures and deviations.

    Attributes:
        talk: Its description.
        results: Its tables and exhibits.
        tables: Name of one of its tables, of `JUDGED` -> rows.
        recorded: The record.
    """

    talk: registry.Talk
    results: Results
    tables: dict[str, Table]
    recorded: ReferenceResults

    @classmethod
    def open(cls, results: str | Path, talk: str, scale: str) -> TalkPage:
        """Read one talk's tables for its own page, `<results>/<talk>/report.html`.

        Raises:
            UserError: If a table is missing or was made at another scale.
        """
        talk_folder = find(results) / talk
        metrics = tables.read_metrics([existing(talk_folder / "metrics.csv")])
        check_scale(metrics, scale, talk_folder / "metrics.csv")
        reference_folder = talk_folder.parents[1] / reference.FOLDER.name
        compared = comparison.compare_talk(talk, metrics, scale, reference_folder)
        history = HISTORY.table([])
        if talk_folder.parent != reference_folder:  # the record keeps none
            history = tables.read(existing(talk_folder / "history.csv"), HISTORY)
        described = registry.as_measured(registry.load_talk(talk), talk_folder)
        return cls(
            talk=described,
            results=Results(talk_folder, talk, scale, compared.metrics, history),
            tables=judged(talk_folder),
            recorded=read_reference(talk_folder.parent, scale, compared.networks, [described]),
        )

    def head(self) -> Html:
        """The question, the result in a sentence and a figure, papers; at smoke scale a banner."""
        verdicts = self.tables["verdicts"]
        key_rows = verdicts[verdicts["claim_role"] == "key"].to_dict("records")
        claims = claims_of([self.talk])
        rows = [
            (
                row,
                self.recorded.compare_claim(row, claims[row["claim"]]),
                self.recorded.published_size.get(row["claim"]),
            )
            for row in key_rows
        ]
        warnings = Markup().join(sections.not_as_recorded([self.talk], verdicts, self.recorded))
        stated = self.read_abstract(claims)
        key_claims = [
            (
                self.talk.surname,
                stated.short_statement,
                row,
                judge.list_values(self.results.metrics, claims[row["claim"]]),
            )
            for row in key_rows
        ]
        return Html(
            macros("pages").talk_head(
                self.talk,
                self.results.scale,
                rows,
                show_both(
                    lambda narrow: eight_talks.figure(key_claims, narrow=narrow), "key-claim"
                ),
                # The first figure opens the page; `signature` shows the others.
                next(iter(self._drawings.values()), ""),
                warnings,
            )
        )

    def read_abstract(self, claims: Mapping[str, claims_file.Claim]) -> abstract_file.Abstract:
        """The sentences of the talk's abstract, and the claims that test them."""
        return abstract_file.load(self.talk.folder, claims)

    def count_verdicts(self) -> tuple[registry.Talk, dict[str, int]]:
        """The talk, and verdict -> number of its judged claims."""
        verdicts = self.tables["verdicts"]
        judged = verdicts[~verdicts["verdict"].isin(rule.UNJUDGED)]
        return self.talk, judged["verdict"].value_counts().to_dict()

    def verdict_table(self) -> Html:
        """Verdicts on all claims of the talk, to open."""
        verdicts, claims = self.tables["verdicts"], claims_of([self.talk])
        table = sections.verdict_table(verdicts, claims, self.talk, self.recorded)
        return fold(f"{len(verdicts)} claims with bands, data and controls", table)

    def abstract(self) -> Html:
        """Statements of the abstract beside the verdicts, to open; what came after the talk."""
        claims = claims_of([self.talk])
        stated = abstracts.section(self.talk, claims, self.tables["verdicts"], self.recorded)
        came = macros("abstracts").after(after_file.load(self.talk).later_works)
        return fold("Sentence by sentence", stated) + Html(came)

    def tasks(self) -> Html:
        """Show the baselines of each shared task, and the networks that were designed for it."""
        return Html(tasks_section.section(self.talk, self.results.metrics))

    def signature(self) -> Html:
        """The other figures of the talk, in the order of its story; one opens the page."""
        return Html(macros("pages").pair(list(self._drawings.values())[1:]))

    @cached_property
    def _drawings(self) -> dict[str, Html]:
        """Every figure of the talk whose experiment this scale has; the first opens the page."""
        drawings = {name: self._draw(name, draw) for name, draw in self._list_plates().items()}
        return {name: figure for name, figure in drawings.items() if figure}

    def _draw_perturbations(self, experiment: str) -> Html:
        """Score against every perturbation of the common battery, spiking network and controls."""
        rows = self.results.metrics[self.results.metrics["experiment"] == experiment]
        variants = [
            variant.name
            for variant in self.talk.experiments[experiment].variants.values()
            if variant.role in ("spiking", "control")
        ]
        return self._draw(
            f"perturbations-{experiment}",
            lambda: self._add_title(perturbation_curves(rows, variants), experiment),
        )

    def _draw_speed(self, experiment: str) -> Html:
        """Accuracy against time, as if the network were stopped."""
        arrays, tau = self.results.exhibit(experiment), self.talk.tau_char_ms
        return self._draw(
            f"speed-{experiment}",
            lambda: self._add_title(figures.anytime(arrays, tau, experiment), experiment),
        )

    def _add_title(self, plate: Plate, experiment: str) -> Plate:
        plate.caption = f"{self.talk.experiments[experiment].title}. {plate.caption}"
        return plate

    def measures(self, perturbed: str = "", timed: str = "") -> Html:
        """Timing, latency, robustness and parity, to open: a table and two figures at most.

        Args:
            perturbed: Experiment of which the scores under perturbations are drawn, if any.
            timed: Experiment of which the accuracy against time is drawn, if any.
        """
        return fold(
            "Measures that all talks share, and what perturbations do",
            sections.measures_table(self.tables["measures"])
            + (self._draw_perturbations(perturbed) if perturbed else "")
            + (self._draw_speed(timed) if timed else ""),
        )

    def deviations(self) -> Html:
        """Published against used parameters, to open."""
        table = sections.deviations(self.talk, self.results.scale, self.recorded)
        return fold("Parameter by parameter", table)

    def provenance(self) -> Html:
        """Data, variants, and where to read the rest."""
        data_tables = macros("sections").data_table([self.talk])
        data_tables += macros("sections").variants_table(list(self.talk.experiments.values()))
        pointer = Html(macros("pages").where_provenance_stands())
        return fold("Data, and everything that was trained", data_tables) + pointer

    def _list_plates(self) -> Mapping[str, Callable[[], Plate]]:
        plates = talk_module(self.talk.name, "figures").figures(self.results)
        return cast("Mapping[str, Callable[[], Plate]]", plates)

    def _draw(self, name: str, draw: Callable[[], Plate]) -> Html:
        return show(draw, f"{self.talk.name}-{html.slug(name)}", self.talk)


def fold(title: str, content: str) -> Html:
    """Make a section that opens on demand; empty without content."""
    return Html(macros("macros").details(title, content) if content.strip() else "")


JUDGED = {"verdicts": VERDICTS, "measures": MEASURES}
"""Table of a talk that both its page and that of the run show -> its columns."""


def judged(folder: Path) -> dict[str, Table]:
    """The tables of `JUDGED` of one talk, by name.

    Args:
        folder: Of the talk.

    Raises:
        UserError: If one is missing, damaged or of another version.
    """
    judged_tables = {
        name: tables.read(existing(folder / f"{name}.csv"), schema)
        for name, schema in JUDGED.items()
    }
    return judged_tables | {"verdicts": labels.in_points(judged_tables["verdicts"])}


_SECTION = re.compile(r'<section class="signature">.*?</section>', re.DOTALL)
_DRAWING = re.compile(r"<svg .*?</svg>", re.DOTALL)
_DECIMALS = re.compile(r"(?<=\.\d\d)\d+")


def thumbnail(folder: Path) -> Markup:
    """The picture of a talk, for its card: the one that opens its page.

    Args:
        folder: Of the talk.

    Raises:
        UserError: If the page is missing, damaged or no talk's page.
    """
    page = folder / "report.html"
    section = _SECTION.search(whole_files.read(page).decode("utf-8"))
    if section is None:
        raise UserError(
            f"{page}: opens with no figure; expected the page of a talk, whose notebook calls "
            "page.head(); delete it and rerun snakemake"
        )
    drawing = _DRAWING.search(section[0])
    return Markup(_DECIMALS.sub("", drawing[0]) if drawing else "")


def show_both(draw: Callable[[bool], Plate], name: str) -> Html:
    """A figure in two shapes, for wide pages and for phones, of which a page shows one.

    Args:
        draw: Draws the figure; asked whether it is the narrow one.
        name: Identifier; that of the narrow one has `-narrow` behind it.
    """
    return show(lambda: draw(False), name) + show(lambda: draw(True), f"{name}-narrow")


def show(draw: Callable[[], Plate], name: str, talk: registry.Talk | None = None) -> Html:
    """A figure with caption; nothing where there is nothing to draw.

    Args:
        draw: Draws the figure; raises `NotMeasuredError` where it cannot.
        name: Identifier, unique in the page.
        talk: The talk it belongs to, to name stand-in data.
    """
    with figures.style():
        try:
            plate = draw()
        except NotMeasuredError:
            return Html("")
        picture = svg.inline(plate, name, plate.alt)
    provenance = talk.experiments[plate.experiment].provenance if talk and plate.experiment else ""
    stands_in = provenance if provenance in ("synthetic", "simulated") else ""
    return Html(
        macros("macros").figure(
            Markup(picture), name, plate.caption, stands_in, plate.source, talk.name if talk else ""
        )
    )


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
    if not tables.lying(path).is_file():
        raise UserError(f"{path}: no such file; run `snakemake` to make it")
    return path


def check_scale(table: Table, scale: str, path: Path) -> None:
    """See to it that a table was made at the scale that the notebook names.

    Raises:
        UserError: If it was not.
    """
    scales = sorted(set(table["scale"]))
    if scales != [scale]:
        raise UserError(
            f"{path}: holds scale {scales}, but '{scale}' was asked for; correct the parameters "
            "cell"
        )
