"""Opens the finished tables of a run and tells all talks side by side, for the main notebook."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import escape

from whyspiking.declared import community_file, registry
from whyspiking.records import columns, labels, tables
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.tables import Table
from whyspiking.records.whole_files import read_json
from whyspiking.report import (
    abstracts,
    costs_section,
    energy_figures,
    first_screen,
    forest_plots,
    learning_section,
    same_task_figures,
    same_task_section,
    score_figures,
    sections,
    sentences,
    slides,
    talks_by_axis,
    trained_section,
)
from whyspiking.report.html import Html, macros
from whyspiking.report.recorded import Recorded, beside
from whyspiking.report.same_task_rows import Ground, guest
from whyspiking.report.talk_page import (
    JUDGED,
    PICTURES,
    TalkPage,
    check_scale,
    claims_of,
    existing,
    find,
    judged,
    show,
    thumbnail,
)
from whyspiking.verdicts import answers as synthesis
from whyspiking.verdicts import chips
from whyspiking.verdicts.answers import CLAIMS, Answer

REPRODUCED = "reproduced.csv"
"""Of a run that is held against the record; the record has none."""


@dataclass
class RunPage:
    """All talks of a run, side by side.

    Attributes:
        folder: Of the run.
        scale: Its scale.
        talks: Descriptions of the talks, by name.
        tables: Name of a table of the run -> its rows.
        manifest: How the run was made.
        recorded: The record.
    """

    folder: Path
    scale: str
    talks: dict[str, registry.Talk]
    tables: dict[str, Table]
    manifest: dict[str, Any]
    recorded: Recorded

    @classmethod
    def open(cls, results: str | Path, scale: str) -> RunPage:
        """Read the tables of a run, those of all talks and those that each talk has.

        Raises:
            UserError: If a table is missing or was made at another scale.
        """
        folder = find(results)
        manifest = read_json(existing(folder / "manifest.json"), "config")
        names = manifest["config"]["talks"]
        read = {
            Path(file).stem: tables.read(existing(folder / file), schema)
            for file, schema in columns.OF_A_RUN.items()
        }
        by_talk = [judged(folder / name) for name in names]
        read |= {table: tables.stacked([own[table] for own in by_talk]) for table in JUDGED}
        check_scale(read["verdicts"], scale, folder)
        talks = {
            name: registry.as_measured(registry.load_talk(name), folder / name) for name in names
        }
        path = folder / REPRODUCED
        here = columns.REPRODUCED.table([])
        here = tables.read(path, columns.REPRODUCED) if path.is_file() else here
        recorded = beside(folder, scale, here, talks.values(), manifest["config"])
        return cls(folder, scale, talks, read, manifest, recorded)

    @property
    def verdicts(self) -> Table:
        """Rows of the verdict table."""
        return self.tables["verdicts"]

    @property
    def keys(self) -> Table:
        """Rows of the key claims."""
        return self.verdicts[self.verdicts["role"] == "key"]

    @property
    def smoke(self) -> bool:
        """Whether it is a smoke run: of one seed, which has no interval."""
        return self.scale == "smoke"

    def banner(self) -> Html:
        """A warning at smoke scale; what is not as it was recorded."""
        talks = list(self.talks.values())
        told = sections.not_as_recorded(talks, self.verdicts, self.recorded)
        return Html(macros("pages").banner(self.scale) + told)

    def heading(self, words: str) -> Html:
        """The head of a section, by which the page is entered."""
        return Html(f"<h2>{escape(words)}</h2>\n")

    def head(self) -> Html:
        """Scale and tables."""
        files = columns.OF_A_RUN, [*JUDGED, "metrics"]
        return Html(macros("pages").head(self.talks, self.scale, *files))

    def verdict_table(self) -> Html:
        """The key claims in words, and verdicts on all claims of all talks."""
        run = self.verdicts, claims_of(self.talks.values()), self.talks, self.recorded
        counted = "" if self.smoke else sections.counts(self.verdicts)
        table = sections.verdict_table(*run, many=True)
        return Html(counted + sections.key_claims(*run) + table + sections.how_to_read())

    def forest(self) -> Html:
        """The key claims as a forest plot; the talks' pages show all of theirs."""
        names = {
            row["claim"]: f"{self.names[row['talk']]}: {labels.claim(row)}"
            for row in self.keys.to_dict("records")
        }
        return show(lambda: forest_plots.verdict_forest(self.keys, names), "claims")

    def first_screen(self) -> Html:
        """The answer in three sentences, the shared tasks as a figure, and a line on the claims."""
        figure = show(lambda: same_task_figures.matrix(self.ground), "same-task")
        if self.smoke:
            words = macros("macros").note("One seed has no interval: a smoke run answers nothing.")
            return Html(macros("first_screen").screen(words, figure, ""))
        delta = self.config["shared"]["delta"]
        plan, prices = self.tables["programme"], self.tables["prices"]
        told = first_screen.words(self.ground, self.answers, plan, prices, delta, self.sentences)
        replication = sections.key_line(self.verdicts, self.talks, self.recorded)
        reproduced = self.manifest.get("reproduced", "")
        return Html(macros("first_screen").screen(told, figure, replication, reproduced))

    def discussion(self) -> Html:
        """What belongs to the question and to no talk: its claims in a line, its first figures."""
        parts = [Html(macros("pages").discussion(*page.brief())) for page in self._uncounted]
        return Html("\n").join(parts)

    @cached_property
    def _uncounted(self) -> list[TalkPage]:
        """Pages of what belongs to no talk."""
        return [
            TalkPage.open(self.folder, name, self.scale)
            for name in registry.available()
            if not registry.counted([name]) and (self.folder / name / "verdicts.csv").is_file()
        ]

    @property
    def sentences(self) -> dict[str, list[dict[str, Any]]]:
        """Paragraph of the first screen -> rows of the claims whose sentences stand in it."""
        tables_of = [*(page.tables["verdicts"] for page in self._uncounted), self.verdicts]
        claims = claims_of([*(page.talk for page in self._uncounted), *self.talks.values()])
        found: dict[str, list[dict[str, Any]]] = {}
        for row in (row for table in tables_of for row in table.to_dict("records")):
            if row["label"] and np.isfinite(row["value"]) and claims[row["claim"]].answers:
                found.setdefault(str(claims[row["claim"]].answers), []).append(row)
        return found

    def cards(self) -> Html:
        """Every talk as a card: its first figure, its key claim, the verdict."""
        keys = {row["talk"]: row for row in self.keys.to_dict("records")}
        claims = claims_of(self.talks.values())
        rows = [
            (
                talk,
                keys[name],
                self.recorded.reproduced(keys[name], claims[keys[name]["claim"]]),
                self.recorded.otherwise(keys[name]),
                thumbnail(self.folder / name),
            )
            for name, talk in self.talks.items()
        ]
        kept = self.folder / PICTURES
        pictures = read_json(kept) if kept.is_file() else None
        return Html(macros("first_screen").cards(rows, pictures))

    def abstracts(self) -> Html:
        """Statements of the abstracts beside the verdicts on them, a talk at a time."""
        return Html("\n").join(
            macros("macros").details(
                f"What the abstract of {talk.speaker}’s talk states, and what was found",
                abstracts.section(talk, claims_of([talk]), self.verdicts, self.recorded),
            )
            for talk in self.talks.values()
        )

    def next_steps(self) -> Html:
        """What would decide the comparisons that are undecided."""
        rows = list(first_screen.plans(self.ground, self.tables["programme"]))
        return Html(macros("first_screen").programme(rows, self.smoke))

    def measures(self) -> Html:
        """Table of timing, latency, energy, robustness and parity, all experiments."""
        return Html(sections.measures_table(self.tables["measures"]))

    @cached_property
    def answers(self) -> list[Answer]:
        """Where every talk stands on every axis."""
        claims, measures = claims_of(self.talks.values()), self.tables["measures"]
        judged = self.tables["axes"], self.verdicts, claims, measures
        return synthesis.answers(*judged, self.talks, self.config)

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the run."""
        return self.manifest["config"]

    @property
    def names(self) -> dict[str, str]:
        """How figures call the talks, in the order of the report."""
        return sentences.surnames(self.talks)

    @property
    def rules(self) -> learning_section.Rules:
        """The learning rules that the talks declare."""
        return {name: talk.learning for name, talk in self.talks.items()}

    def answer(self) -> Html:
        """Axis by axis in a line each, and the matrix talk x axis."""
        figure = show(lambda: talks_by_axis.figure(self.answers, self.talks), "matrix")
        drawn = [a.axis for a in self.answers if any(f.measure != CLAIMS for f in a.findings)]
        drawn += ["same-task"] if self.ground.cells else []
        files = macros("pages").slides(slides.FOLDER, ["matrix", "verdicts", "cards", *drawn])
        return Html(
            macros("pages").answer(
                "" if self.smoke else sentences.by_level(self.answers, self.talks),
                talks_by_axis.table(self.answers, self.talks),
                figure + files,
            )
        )

    @cached_property
    def ground(self) -> Ground:
        """The tasks that all talks are set."""
        # A smoke run checks the plumbing: nothing from elsewhere stands beside it.
        guests = [] if self.smoke else [guest(row) for row in community_file.load()]
        return Ground(self.tables["shared"], self.talks, guests=guests)

    def same_task(self) -> Html:
        """The same task for all: methods beside controls and floors; nothing where none was set."""
        ground, curves, spans = self.ground, self.tables["curves"], self.tables["span"]
        if not ground.cells:
            return Html()
        return Html(
            macros("same_task").section(
                self.smoke,
                self.config["shared"],
                same_task_section.sentences(ground, self.config),
                same_task_section.matrix(ground, self.config) + same_task_section.community(ground),
                same_task_section.prices(ground, self.tables["prices"]),
                same_task_section.spans(ground, spans)
                + show(lambda: same_task_figures.along_value(ground, spans), "spans"),
                show(lambda: same_task_figures.doses(ground, curves), "same-task-doses"),
                same_task_section.rules(ground),
                same_task_section.held_equal(ground, self.config),
            )
        )

    def axis_sections(self, *levels: str) -> Html:
        """Each axis: forest over talks, sentences, what would change our mind, its contrasts.

        Args:
            levels: Levels of the axes that are shown; all if none is named.
        """
        return Html("\n").join(
            self._axis_section(answer)
            for answer in self.answers
            if not levels or answer.level in levels
        )

    def _axis_section(self, answer: Answer) -> Html:
        meanings = {entry["measure"]: entry["says"] for entry in self.config["axes"]}
        words = sentences.axis_paragraph(answer, self.talks, meanings)
        if answer.axis == "learning":
            words += learning_section.sentence(self.rules, self.talks)
        return Html(
            macros("answers").axis_section(
                macros("answers").axis_heading(answer, sentences.LOOK),
                words,
                show(
                    lambda: forest_plots.axis_forest(answer, self.config, self.names),
                    f"forest-{answer.axis}",
                ),
                sections.claims_of_axis(answer, self.verdicts),
                sections.contrasts_of_axis(
                    answer.axis, self.tables["axes"], self.names, self.recorded.here
                ),
            )
        )

    def constraints(self) -> Html:
        """Constraints and bottlenecks: time and memory of training, size, agreement of engines."""
        costs = self.tables["costs"]
        return Html(
            macros("pages").constraints(
                costs_section.training_sentence(costs),
                show(lambda: costs_section.training_figure(costs, self.names), "training-time"),
                show(lambda: learning_section.figure(self.rules, self.names), "memory"),
                learning_section.table(costs, self.talks),
                costs_section.memory(costs, self.talks),
                show(
                    lambda: score_figures.accuracy_size(self.tables["curves"], self.talks), "sizes"
                ),
                costs_section.size(self.tables["measures"], self.talks),
                costs_section.parity_words(
                    self.tables["parity"], self.talks, self.config["parity"]
                ),
            )
        )

    def trained(self) -> Html:
        """We can train them, what now? Tolerance of trained networks, and nervous systems."""
        limits, biology = self.tables["limits"], self.tables["biology"]
        return Html(
            macros("pages").trained(
                trained_section.tolerance_sentences(limits, self.talks),
                trained_section.tolerance_table(limits, self.talks),
                trained_section.biology_sentences(biology),
                show(lambda: trained_section.biology_figure(biology, self.talks), "biology"),
                trained_section.biology_table(biology, self.talks),
            )
        )

    def speed(self) -> Html:
        """Speed against accuracy, for all data that several talks share."""
        shared = score_figures.by_data(self.tables["curves"], self.talks)
        if not shared:
            return Html(macros("macros").note("No two talks of this run share their data."))
        return Html("\n").join(
            show(lambda lines=lines: score_figures.speed_accuracy(lines), f"speed-{data}")
            for data, lines in shared.items()
        )

    def energy(self) -> Html:
        """When spikes save energy, what decides it, and energies of chips that were measured."""
        ratios, names = self.tables["energy"], self.names
        unmatched = {
            (finding.talk, finding.experiment, finding.locus): stand.reason
            for answer in self.answers
            for stand in answer.stands.values()
            for finding in stand.apart
            if answer.axis == "energy"
        }
        when = show(
            lambda: energy_figures.when_spikes_save(
                self.tables["measures"], ratios, names, unmatched
            ),
            "break-even",
        )
        config = self.config["energy"]
        prices = {**config["operations_pj"], **config["memory_pj_64bit"]}
        context = macros("energy").context(chips.measured(), prices)
        told = (energy_figures.cost_models(config), energy_figures.assumptions(ratios), context)
        return Html("\n").join([when, *map(Html, told)])

    def deviations(self) -> Html:
        """Published against used parameters, all talks."""
        talks = list(self.talks.values())
        return Html(sections.deviations(talks, self.scale, self.recorded))

    def data(self) -> Html:
        """Where the data of every experiment come from."""
        return Html(macros("sections").data_table(list(self.talks.values())))

    def glossary(self) -> Html:
        """The closed list of metrics."""
        metrics = macros("sections").glossary(GLOSSARY)
        return Html(macros("macros").details("All metrics with unit and definition", metrics))

    def provenance(self) -> Html:
        """How this run was made."""
        return Html(macros("sections").provenance(self.manifest))
