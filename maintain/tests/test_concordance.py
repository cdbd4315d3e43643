"""Published figures and tables, and what replicates them: list, names, commands, our figures."""

import re
from pathlib import Path

import numpy as np
import pytest

from whyspiking.contract.types import Results
from whyspiking.declared import claims_file, registry
from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.records import columns, finished, reference
from whyspiking.report import html
from whyspiking.talks import talk_module
from whyspiking.verdicts import rule
from whyspiking_maintain import concordance, inputs, published_figures

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def table():
    talks = [registry.load_talk(name) for name in registry.available()]
    verdicts = finished.find(reference.FOLDER).verdicts
    return concordance.rows(verdicts, talks, inputs.config_of())


@pytest.fixture(scope="module")
def rows(table):
    """Those that a claim judges."""
    return table[table["claim"] != ""].to_dict("records")


@pytest.mark.parametrize(
    ("source_location", "figure"),
    [
        ("Fig. 2D: events at 5 and 10 Hz; the factor is that of Eq. 38", "Fig. 2D"),
        ("Fig. 3; clock as in Figs. 4 and 5", "Fig. 3"),
        ("abstract; supplement, Figs. 10 to 12 and their code", "Supplementary Figs. 10 to 12"),
        ("Supplementary Fig. S7, learning curves (from memory)", "Supplementary Fig. S7"),
        ("code of Fig. 1: 8.5 / (8.5 - 8)", "Fig. 1"),
        ("table of MNIST results, slow network", "Table of MNIST results"),
        ("table of results: spread of 0.7 %", "Table of results"),
        ("Table 1, learning_rate; told by weights", "Table 1"),
        ("error per layer, figure (from memory)", "Figure: error per layer"),
        ("the authors' run (plot_FigS3.py)", ""),
        ("abstract: configurations, 97.4 %", ""),
    ],
)
def test_a_figure_or_table_is_found_in_what_a_claim_states(source_location, figure):
    assert concordance.place(source_location) == figure


@pytest.fixture(scope="module")
def published():
    """(talk, paper, place) -> what the list says of it."""
    return {
        (talk, paper, figure): entry
        for talk, papers in published_figures.load().items()
        for paper, entries in papers.items()
        for figure, entry in entries.items()
    }


def test_every_paper_of_the_eight_talks_is_listed_and_what_it_shows_said_in_short(published):
    listed_talks = {talk for talk, _, _ in published}
    papers = {
        (talk, paper) for talk in listed_talks for paper in registry.load_talk(talk).publications
    }
    assert len(listed_talks) == 8 and {key[:2] for key in published} == papers
    for figure_key, entry in published.items():
        assert len(entry.shows.split()) <= 12, figure_key
        assert (entry.shows == "unknown") == (entry.known == "unknown"), figure_key


def test_every_listed_place_has_claims_or_a_reason_and_every_named_one_is_listed(published, rows):
    claims = {
        claim.id: (
            claim,
            (talk.name, claim.source.publication, concordance.place(claim.source.source_location)),
        )
        for talk in map(registry.load_talk, {talk for talk, _, _ in published})
        for claim in claims_file.load(talk.folder / "claims.yaml", talk)
        if claim.origin != "ours"
    }
    for claim, cited_figure in claims.values():
        match = re.search(r"\b(Figs?\.|[Tt]able|figure)(?!\w)", claim.source.source_location)
        assert bool(cited_figure[2]) == bool(match), claim.id
    figure_by_claim = {
        name: cited_figure for name, (_, cited_figure) in claims.items() if cited_figure[2]
    }
    listed_claims = [(name, key) for key, entry in published.items() for name in entry.claims]
    assert all(claims[name][1] == (*key[:2], "") for name, key in listed_claims)
    assert sorted(row["claim"] for row in rows) == sorted(
        [*figure_by_claim, *(name for name, _ in listed_claims)]
    )
    assert set(figure_by_claim.values()) <= published.keys()
    for key, entry in published.items():
        assert bool(entry.why) != (key in figure_by_claim.values() or bool(entry.claims)), key


def test_a_row_tells_the_difference_or_why_there_is_none(table, published):
    assert set(published) == set(
        zip(table["talk"], table["publication"], table["figure_or_table"], strict=True)
    )
    np.testing.assert_array_equal(table["difference"], table["value"] - table["published_value"])
    assert ((table["comment"] == "") == (table["claim"] != "")).all() and (table["doi"] != "").all()


def test_a_row_says_what_the_verdict_says_and_how_it_is_made_again(rows):
    verdicts = finished.find(reference.FOLDER).verdicts.set_index("claim")
    config = inputs.config_of()
    for row in rows:
        assert (row["verdict"], row["qualification"]) == tuple(
            verdicts.loc[row["claim"], ["verdict", "qualification"]]
        )
        experiment = registry.load_talk(row["talk"]).experiments[row["experiment"]]
        seeds = registry.seeds(experiment, config, row["variant"])
        assert seeds or row["verdict"] in (rule.NOT_JUDGED, rule.NOT_MEASURED)
        experiment_path = f"{'full' if seeds else 'paper'}/{row['talk']}/{row['experiment']}"
        assert row["command"].split()[1] == f"results/{experiment_path}/metrics.csv"
        assert (ROOT / row["command"].split()[-1]).is_file()


def test_every_figure_named_is_one_of_its_talks_page(rows):
    slugs_by_talk = {}
    for name in {row["talk"] for row in rows}:
        metrics = reference.table(reference.FOLDER / name / "metrics.csv", columns.METRICS)
        results = Results(ROOT / "results" / "none", name, "full", metrics, metrics)
        talk_figures = talk_module(name, "figures").figures(results)
        slugs_by_talk[name] = {html.slug(figure) for figure in talk_figures}
    for key, figure in read_yaml(concordance.FIGURES).items():
        talk, experiment, *claim = key.split(".")
        assert figure in slugs_by_talk[talk], key
        assert experiment in registry.load_talk(talk).experiments or claim
    for row in rows:
        page, _, anchor = row["figure_file"].partition("#")
        assert page == f"{row['talk']}/report.html"
        if anchor != concordance.ALL_CLAIMS:
            assert anchor.removeprefix(f"{row['talk']}-") in slugs_by_talk[row["talk"]]
