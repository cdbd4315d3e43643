"""Opens the finished tables of a run and tells all talks side by side, for the main notebook."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from whyspiking import (
    biology,
    comparisons,
    constraints,
    forests,
    learning_table,
    markup,
    matrix,
    measures_table,
    memory_growth,
    registry,
    sections,
    size_figures,
    slides,
    speed_figures,
    synthesis,
    tables,
    telling,
    trained,
)
from whyspiking.markup import Html
from whyspiking.story import (
    Story,
    banner,
    check_scale,
    claims_of,
    existing,
    find,
    read_verdicts,
    show,
)
from whyspiking.synthesis import Answer
from whyspiking.tables import Table
from whyspiking.verdict_table import verdict_table
from whyspiking.whole_files import read_json

__all__ = ["Story", "Study"]


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
        manifest = read_json(existing(folder / "manifest.json"))
        metrics = tables.read_metrics([existing(folder / "metrics.csv")])
        check_scale(metrics, scale, folder / "metrics.csv")
        verdicts = read_verdicts(folder / "verdicts.csv")
        stories = {
            talk: Story.read(folder, talk, scale, links="", here=f"{talk}/")
            for talk in dict.fromkeys(verdicts["talk"])
        }
        axes = tables.read_csv(
            existing(folder / "axes.csv"), keep_default_na=False, na_values=["nan"]
        )
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
            verdict_table(self.verdicts, claims_of(self.talks.values()), self.talks, many=True)
        )

    def forest(self) -> Html:
        """All claims as a forest plot, to open on demand: it is as long as the table."""
        drawn = show(lambda: forests.verdict_forest(self.verdicts), "claims", "").markup
        return Html(markup.details("All claims as a figure", drawn))

    def each_talk(self) -> Html:
        """Every talk with its signature figures."""
        return Html("\n".join(story.brief() for story in self.stories.values()))

    def measures(self) -> Html:
        """Table of timing, latency, energy, robustness and parity, all experiments."""
        return Html(measures_table.measures_table(self.metrics, self.talks))

    @cached_property
    def answers(self) -> list[Answer]:
        """Where every talk stands on every axis."""
        return synthesis.answers(
            self.axes,
            self.verdicts,
            claims_of(self.talks.values()),
            self.metrics,
            self.talks,
            self.config,
        )

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the run."""
        return self.manifest["config"]

    @property
    def names(self) -> dict[str, str]:
        """How figures call the talks, in the order of the report."""
        return {name: telling.surname(talk) for name, talk in self.talks.items()}

    @property
    def rules(self) -> memory_growth.Rules:
        """The learning rules that the talks declare."""
        return {name: talk.learning for name, talk in self.talks.items()}

    def answer(self) -> Html:
        """The answer to "why spiking?" on one screen, and the matrix talk x axis."""
        said = sections.counts(self.verdicts)
        if self.scale == "smoke":
            said = markup.note("One seed has no interval: a smoke run answers nothing.")
        else:
            said += telling.in_one_screen(self.answers, self.talks)
        told = f"<h2>The answer</h2>{said}{matrix.table(self.answers, self.talks)}"
        keys = "" if self.scale == "smoke" else sections.key_claims(self.verdicts, self.talks)
        slide = show(lambda: matrix.figure(self.answers, self.talks), "matrix", "").markup
        slide += slides.links(self.answers)
        return Html(told + markup.details("The matrix as a figure, for a slide", slide) + keys)

    def axis_sections(self) -> Html:
        """Each axis: forest over talks, sentences, what would change our mind, its contrasts."""
        meanings = {entry["measure"]: entry["says"] for entry in self.config["axes"]}
        parts = ["<h2>Axis by axis</h2>", f"<p>{escape(telling.RULES)}</p>"]
        for answer in self.answers:
            parts += [
                f'<h3 id="axis-{answer.axis}">{escape(answer.axis.capitalize())} '
                f"{telling.chip(answer.word)}</h3>",
                telling.axis_paragraph(answer, self.talks, meanings),
                memory_growth.sentence(self.rules, self.talks) if answer.axis == "learning" else "",
                show(
                    lambda answer=answer: forests.axis_forest(answer, self.config, self.names),
                    f"forest-{answer.axis}",
                    "",
                ).markup,
                sections.claims_of_axis(answer, self.verdicts),
                sections.contrasts_of_axis(answer.axis, self.axes, self.names),
            ]
        return Html("\n".join(parts))

    def constraints(self) -> Html:
        """Constraints and bottlenecks: time and memory of training, size, agreement of engines."""
        durations = tables.read_csv(existing(self.folder / "durations.csv"), keep_default_na=False)
        parts = [
            "<h2>Constraints and bottlenecks</h2><h3>Time</h3>",
            constraints.training_sentence(self.metrics, self.talks),
            show(
                lambda: constraints.training_figure(self.metrics, self.talks, self.names),
                "training-time",
                "",
            ).markup,
            markup.details(
                "Seconds of every experiment",
                constraints.cost_table(self.metrics, durations, self.talks),
            ),
            "<h3>Memory of learning</h3>",
            show(lambda: memory_growth.figure(self.rules, self.names), "memory", "").markup,
            self.learning().markup,
            markup.details("What was counted of it", constraints.memory(self.metrics, self.talks)),
            "<h3>Size</h3>",
            self.sizes().markup,
            constraints.size(self.metrics, self.talks),
            "<h3>Engines</h3>",
            constraints.parity_told(self.metrics, self.talks, self.config["parity"]),
        ]
        return Html("\n".join(parts))

    def trained(self) -> Html:
        """We can train them, what now? Tolerance of trained networks, and nervous systems."""
        parts = [
            "<h2>We can train them, what now?</h2><h3>What trained networks stand</h3>",
            trained.sentences(self.metrics, self.talks),
            trained.table(self.metrics, self.talks),
            "<h3>Beside nervous systems</h3>",
            biology.sentences(self.metrics, self.talks),
            show(lambda: biology.figure(self.metrics, self.talks), "biology", "").markup,
            markup.details(
                "Every quantity, with its sources", biology.table(self.metrics, self.talks)
            ),
        ]
        return Html("\n".join(parts))

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

    def sizes(self) -> Html:
        """Score against parameters, where networks of several sizes were trained."""
        return show(lambda: size_figures.accuracy_size(self.metrics, self.talks), "sizes", "")

    def learning(self) -> Html:
        """What each learning rule keeps in memory and needs to be told."""
        return Html(learning_table.learning_table(self.metrics, self.talks))

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
