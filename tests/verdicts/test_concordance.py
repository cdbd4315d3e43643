"""Published figures and tables beside what replicates them: names, commands, our figures."""

import re
from pathlib import Path

import pytest

from whyspiking.contract.types import Results
from whyspiking.declared import claims_file, registry
from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.records import columns, finished, reference
from whyspiking.report import html
from whyspiking.talks import talk_module
from whyspiking.verdicts import concordance
from whyspiking_maintain import inputs

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def rows():
    talks = [registry.load_talk(name) for name in registry.available()]
    verdicts = finished.find(reference.FOLDER).verdicts
    return concordance.rows(verdicts, talks, inputs.config_of()).to_dict("records")


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("Fig. 2D: events at 5 and 10 Hz; the factor is that of Eq. 38", "Fig. 2D"),
        ("Fig. 3; clock as in Figs. 4 and 5", "Fig. 3"),
        ("abstract; supplement, Figs. 10 to 12 and their code", "Supplementary Figs. 10 to 12"),
        ("Supplementary Fig. S7, learning curves (from memory)", "Supplementary Fig. S7"),
        ("code of Fig. 1: 8.5 / (8.5 - 8)", "Fig. 1"),
        ("table of MNIST results, slow network", "Table of MNIST results"),
        ("table of results: spread of 0.7 %", "Table of results"),
        ("error per layer, figure (from memory)", "Figure: error per layer"),
        ("the authors' run (plot_FigS3.py)", ""),
        ("abstract: configurations, 97.4 %", ""),
    ],
)
def test_a_figure_or_table_is_found_in_what_a_claim_states(where, place):
    assert concordance.place(where) == place


def test_all_that_others_showed_is_listed_and_nothing_of_ours(rows):
    assert len(rows) >= 30 and len({(row["paper"], row["place"]) for row in rows}) >= 15
    for talk in map(registry.load_talk, registry.available()):
        for claim in claims_file.load(talk.folder / "claims.yaml", talk):
            named = re.search(r"\bFigs?\. S?\d|\btable of", claim.source.where)
            listed = [row for row in rows if row["claim"] == claim.id]
            if claim.origin == "ours":
                assert not listed
            elif named:
                assert len(listed) == 1
            assert all(row["place"] and row["doi"].startswith("10.") for row in listed)


def test_a_row_says_what_the_verdict_says_and_how_it_is_made_again(rows):
    verdicts = finished.find(reference.FOLDER).verdicts.set_index("claim")
    config = inputs.config_of()
    for row in rows:
        assert (row["verdict"], row["label"]) == tuple(
            verdicts.loc[row["claim"], ["verdict", "label"]]
        )
        place = f"{row['talk']}/{row['experiment']}"
        assert row["command"].split()[1] == f"results/full/{place}/metrics.csv"
        assert (ROOT / row["command"].split()[-1]).is_file()
        experiment = registry.load_talk(row["talk"]).experiments[row["experiment"]]
        assert registry.seeds(experiment, config, row["variant"])


def test_every_figure_named_is_one_of_its_talks_page(rows):
    shown = {}
    for name in {row["talk"] for row in rows}:
        metrics = reference.table(reference.FOLDER / name / "metrics.csv", columns.METRICS)
        results = Results(ROOT / "results" / "none", name, "full", metrics, metrics)
        drawn = talk_module(name, "figures").figures(results)
        shown[name] = {html.slug(figure) for figure in drawn} | {concordance.FOREST}
    for place, figure in read_yaml(concordance.FIGURES).items():
        talk, experiment, *claim = place.split(".")
        assert figure in shown[talk], place
        assert experiment in registry.load_talk(talk).experiments or claim
    for row in rows:
        page, _, anchor = row["figure"].partition("#")
        assert page == f"{row['talk']}/report.html"
        assert anchor.removeprefix(f"{row['talk']}-") in shown[row["talk"]]


def test_the_table_is_shown_with_what_it_holds(rows):
    shown = str(html.macros("concordance").concordance(rows))
    assert shown.count("<tr>") == len(rows) + 1
    for row in rows:
        assert row["command"] in shown and f'href="{row["figure"]}"' in shown
