"""The page of a run with all talks side by side, made from its tables for the main notebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from whyspiking.declared import abstract_file, claims_file, community_file, registry
from whyspiking.records import columns, reference, tables
from whyspiking.records.footprint import kilowatt_hours
from whyspiking.records.tables import Table
from whyspiking.records.whole_files import read_json
from whyspiking.report import (
    citing,
    eight_talks,
    energy_explorer,
    energy_forest,
    first_screen,
    frontier_figure,
    learning_section,
    nervous_systems,
    questions_section,
    replications,
    same_task_section,
    sections,
    task_pictures,
    tasks_section,
    touchable,
    watch,
)
from whyspiking.report.glossary_terms import read_glossary
from whyspiking.report.html import Html, macros, slug
from whyspiking.report.same_task_rows import SharedTasks
from whyspiking.report.talk_page import (
    JUDGED,
    TalkPage,
    check_scale,
    claims_of,
    existing,
    find,
    judged,
    show,
    show_both,
    thumbnail,
)
from whyspiking.verdicts import judge, repetition
from whyspiking.verdicts.advantage import ALIKE, WAYS
from whyspiking.verdicts.comparison import ReferenceResults, read_reference
from whyspiking.verdicts.frontiers import BEST_TRAINED
from whyspiking.verdicts.repetition import summarise_repetition

FOLDER = reference.FOLDER.name
"""Name of the folder of the reference results, next to that of a run."""

INDEX = "networks.csv"
"""In the record: trained networks that come with it."""
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
    recorded: ReferenceResults

    @classmethod
    def open(cls, results: str | Path, scale: str) -> RunPage:
        """Read the tables of a run, those of all talks and those that each talk has.

        Raises:
            UserError: If a table is missing or was made at another scale.
        """
        folder = find(results)
        manifest = read_json(existing(folder / "manifest.json"), "config")
        names = manifest["config"]["talks"]
        run_tables = {
            Path(file).stem: tables.read(existing(folder / file), schema)
            for file, schema in columns.OF_A_RUN.items()
        }
        run_tables["verdicts"] = tables.stacked(
            [judged(folder / name)["verdicts"] for name in names]
        )
        check_scale(run_tables["verdicts"], scale, folder)
        talks = {
            name: registry.as_measured(registry.load_talk(name), folder / name) for name in names
        }
        path = folder / REPRODUCED
        reproduced = columns.REPRODUCED.table([])
        reproduced = tables.read(path, columns.REPRODUCED) if path.is_file() else reproduced
        recorded = read_reference(folder, scale, reproduced, talks.values(), manifest["config"])
        return cls(folder, scale, talks, run_tables, manifest, recorded)

    @property
    def verdicts(self) -> Table:
        """Rows of the verdict table."""
        return self.tables["verdicts"]

    @property
    def _speakers(self) -> dict[str, str]:
        """Talk -> name of its speaker."""
        return {name: talk.surname for name, talk in self.talks.items()}

    @property
    def smoke(self) -> bool:
        """Whether it is a smoke run: of one seed, which has no interval."""
        return self.scale == "smoke"

    def banner(self) -> Html:
        """A warning at smoke scale, and where the recipe is not the recorded one."""
        return Html(macros("pages").banner(self.scale) + self._record_differences[0])

    @cached_property
    def _record_differences(self) -> tuple[Markup, Markup]:
        talks = list(self.talks.values())
        return sections.not_as_recorded(talks, self.verdicts, self.recorded)

    def opening(self) -> Html:
        """The title as the answer, its sentences, and the figures."""
        screen = macros("first_screen")
        if self.smoke:
            note = macros("macros").note("A smoke run has one seed, so it answers no question.")
            return Html(screen.screen(screen.headline(""), note, ""))
        keys = replications.describe_key_claims(self.verdicts, self._speakers)[:2]
        comparisons = self._comparisons
        figures = Html("")
        if comparisons.title:
            reference_folder = self.folder.parent / FOLDER
            figures = Html(
                energy_forest.draw(comparisons)
                + screen.conclude(comparisons.conclusions)
                + energy_explorer.explore(comparisons, reference_folder, self._path_to_reference)
                + self._draw_frontiers(comparisons)
            )
        numbers_note = self._record_differences[1]
        reproduced_note = "" if numbers_note else self.manifest.get("reproduced", "")
        sentences = comparisons.sentences, comparisons.is_recorded, " ".join(keys), reproduced_note
        headline = screen.headline(comparisons.title)
        brief = screen.brief(*sentences, summarise_repetition(self._repetition))
        return Html(screen.screen(headline, brief + numbers_note, figures))

    def _draw_frontiers(self, comparisons: first_screen.Comparisons) -> Html:
        """The drawn figure of accuracy against energy, which needs no JavaScript."""
        figure_data = comparisons.networks, comparisons.advantage, comparisons.titles
        return show(lambda: frontier_figure.figure(*figure_data), "answer")

    @property
    def _path_to_reference(self) -> str:
        """Path from the page to the folder of the reference results."""
        return "" if self.folder.name == FOLDER else f"../{FOLDER}/"

    @cached_property
    def _comparisons(self) -> first_screen.Comparisons:
        """Spiking and non-spiking networks: those recorded, if this run has too few."""
        titles = first_screen.titles()
        run_comparisons = first_screen.Comparisons(
            self.tables["frontiers"], self.tables["advantage"], titles
        )
        if run_comparisons.title:
            return run_comparisons
        return first_screen.recorded(self.folder.parent / FOLDER) or run_comparisons

    @property
    def _durations(self) -> Table:
        """Durations of jobs: those of the record, which has all network sizes, else of the run."""
        path = self.folder.parent / FOLDER / "durations.csv"
        return (
            reference.table(path, columns.DURATIONS) if path.is_file() else self.tables["durations"]
        )

    def tasks(self) -> Html:
        """Show the shared tasks: inputs, questions, and why spike counts do not suffice."""
        protocol_pages = [
            page for page in self._extra_pages if (page.talk.folder / registry.PROTOCOL).is_file()
        ]
        hand_designed = dict[str, Markup]()
        for page in protocol_pages:
            hand_designed = tasks_section.built(page.talk, page.results.metrics)
        counting = tasks_section.describe_counting(self.tables["baselines"])
        cards = [
            (
                show(lambda name=name: task_pictures.picture(name), f"task-{name}-drawn"),
                counting.get(name, ""),
                hand_designed.get(name, ""),
            )
            for name in task_pictures.list_pictures()
        ]
        return Html(macros("tasks").cards(cards))

    def try_it(self) -> Html:
        """Networks that a reader can change."""
        protocol_pages = [
            page for page in self._extra_pages if (page.talk.folder / registry.PROTOCOL).is_file()
        ]
        widgets = {
            "Watch a trial": watch.draw_trial(),
            "One neuron": touchable.one_neuron(),
            "First spikes": touchable.yin_yang(),
            "Hand-designed network": Markup().join(
                tasks_section.trial(page.talk) for page in protocol_pages
            ),
        }
        return Html(macros("pages").choices("Network", widgets))

    def questions(self) -> Html:
        """The workshop's questions besides energy."""
        if self.smoke:
            return Html()
        comparisons = self._comparisons
        biology = nervous_systems.answer(self.tables["biology"], self.talks)
        programme = first_screen.programme(comparisons, self._durations)
        return Html(questions_section.answer(self._extra_pages, comparisons, biology, programme))

    def details(self) -> Html:
        """Write the folded sections: other comparisons, methods, training, glossary, and tables."""
        if self.smoke:
            return self.made()
        comparisons = self._comparisons
        families = macros("sections").paragraph(comparisons.family_sentences)
        best = comparisons.rows(BEST_TRAINED, frontier_figure.ACCOUNT).values()
        costs = self.tables["costs"]
        folds = {
            "Energy compared with one family of non-spiking networks": families,
            "How the verdicts on energy are made": macros("first_screen").verdicts_explained(
                WAYS, ALIKE, best
            ),
            "Baselines: how well can each task be solved without memory?": tasks_section.matrix(
                self.tables["baselines"], comparisons.titles
            ),
            "Memory, signals and training time of the learning rules": (
                learning_section.training_sentence(costs)
                + learning_section.table(costs, self.talks)
            ),
            "Contributed networks": same_task_section.community(self.ground),
            "How to cite": macros("first_screen").cite(citing.citation(self.manifest)),
            "Glossary": macros("first_screen").glossary(read_glossary()),
        }
        # A section without content gets no fold.
        printed = macros("macros").details
        written_folds = [
            printed(title, content, name=slug(title))
            for title, content in folds.items()
            if content.strip()
        ]
        return Html(macros("sections").folds(written_folds) + self.made())

    @cached_property
    def _extra_pages(self) -> list[TalkPage]:
        """Pages of what belongs to no talk."""
        return [
            TalkPage.open(self.folder, name, self.scale)
            for name in registry.available()
            if not registry.counted([name]) and (self.folder / name / "verdicts.csv").is_file()
        ]

    def eight_talks(self) -> Html:
        """The key claims in one figure, and of every talk a card."""
        claims = claims_of(self.talks.values())
        is_key = self.verdicts["claim_role"] == "key"
        keys = {row["talk"]: row for row in self.verdicts[is_key].to_dict("records")}
        replaced = replications.find_former_key_claims(self.verdicts).to_dict("records")
        former = {
            row["talk"]: self.recorded.verdicts.get(
                row["claim"], row
            )  # this scale may not judge it
            for row in replaced
        }
        cards = []
        for name, talk in self.talks.items():
            key, other_verdicts = keys[name], self.verdicts[~is_key]
            cards.append(
                (
                    talk,
                    key,
                    self.recorded.compare_claim(key, claims[key["claim"]]),
                    self.recorded.published_size.get(key["claim"]),
                    thumbnail(self.folder / name),
                    abstract_file.load(talk.folder, claims),
                    talk.publications[claims[key["claim"]].source.publication]["doi"],
                    self._shipped_networks.get(name, ""),
                    other_verdicts.loc[other_verdicts["talk"] == name, "verdict"]
                    .value_counts()
                    .to_dict(),
                    former.get(name),
                )
            )
        key_claims = [
            (
                talk.surname,
                card[5].short_statement,
                keys[name],
                self._list_values(claims[keys[name]["claim"]]),
            )
            for (name, talk), card in zip(self.talks.items(), cards, strict=True)
        ]
        figures = show_both(
            lambda narrow: eight_talks.figure(key_claims, narrow=narrow), "key-claims"
        )
        return Html(figures + macros("pages").cards(cards))

    def _list_values(self, claim: claims_file.Claim) -> NDArray[np.float64]:
        """The value of every network of this run that a claim is judged by."""
        metrics = tables.read_metrics([existing(self.folder / claim.talk / "metrics.csv")])
        return judge.list_values(metrics, claim)

    @property
    def _shipped_networks(self) -> dict[str, str]:
        """Talk -> its trained network that comes with the repository, seen from the page."""
        reference_folder = self.folder.parent / FOLDER
        if not (reference_folder / INDEX).is_file():
            return {}
        networks = reference.table(reference_folder / INDEX, columns.NETWORKS)
        path_prefix = self._path_to_reference
        first_networks = networks.drop_duplicates("talk")
        return {
            talk: path_prefix + file
            for talk, file in zip(first_networks["talk"], first_networks["file"], strict=True)
        }

    @cached_property
    def ground(self) -> SharedTasks:
        """The tasks that all talks are set."""
        # A smoke run checks the plumbing: nothing from elsewhere stands beside it.
        guests = [] if self.smoke else [row.model_dump() for row in community_file.load()]
        return SharedTasks(self.tables["shared"], self.talks, guests=guests)

    def claims(self) -> Html:
        """How many claims replicated, and those that the abstracts rest on, to be filtered."""
        claims = claims_of(self.talks.values())
        tested_ids = {
            claim
            for talk in self.talks.values()
            for statement in abstract_file.load(talk.folder, claims).statements
            for claim in statement.claims
        }
        shown_verdicts = self.verdicts[
            self.verdicts["claim"].isin(tested_ids) | (self.verdicts["claim_role"] == "key")
        ]
        # A smoke run answers no question, so its claims are not counted.
        summary = Html()
        if not self.smoke:
            templates = macros("sections")
            repeated = summarise_repetition(self._repetition)
            summary = Html(
                templates.listed(
                    [
                        " ".join(replications.describe_key_claims(self.verdicts, self._speakers)),
                        *replications.describe_claims(self.verdicts),
                        replications.describe_known_results(self.verdicts),
                        *self._retired,
                        replications.describe_repetition(repeated, self.verdicts, self._speakers),
                    ]
                )
                + templates.changed(repeated.get("changed", []))
            )
        table = sections.short_table(shown_verdicts, self.talks, self.recorded, claims)
        return Html(summary + table + sections.how_to_read())

    @property
    def _retired(self) -> list[str]:
        """How many claims the last version retired; empty if the reference results are not here."""
        path = self.folder.parent / FOLDER / "retired.csv"
        if not path.is_file():
            return []
        return [replications.describe_retired(tables.read(path, columns.RETIRED))]

    @property
    def _repetition(self) -> Mapping[str, Any]:
        """Results of experiments that were trained again for comparison; empty if none was."""
        path = self.folder.parent / FOLDER / repetition.FILE
        return read_json(path) if path.is_file() else {}

    def made(self) -> Html:
        """The workshop, the tables of the run with their description, and how it was made."""
        provenance = macros("sections").provenance(
            self.manifest, kilowatt_hours(self.manifest["talks"])
        )
        files = columns.OF_A_RUN, [*JUDGED, "metrics"]
        return Html(
            macros("pages").not_talks([page.count_verdicts() for page in self._extra_pages])
            + macros("pages").workshop(self.talks)
            + macros("pages").files(self.talks, self.scale, *files)
            + macros("macros").details(
                "Commit, versions, machine, data and run time of this run", provenance
            )
        )
