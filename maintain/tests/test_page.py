"""The page of the recorded run: current, linked to what is there, and true to its tables."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from made.checkouts import ROOT

from whyspiking.declared import registry
from whyspiking.records import reference
from whyspiking.report.glossary_terms import read_glossary
from whyspiking.report.run_page import RunPage
from whyspiking_maintain import page as reference_page

FOLDER = ROOT / "results" / "reference"


@pytest.fixture(scope="module")
def page():
    return RunPage.open(FOLDER, "full")


def strip_markup(markup):
    return " ".join(re.sub(r"<[^>]+>", "", str(markup)).split())


def test_one_neuron_is_compared_with_relu_units_on_the_page_and_in_readme(page):
    assert str(page.try_it()).count("One neuron fires when") == 1, "widgets are shown once"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for text in (strip_markup(page.questions()), " ".join(readme.split())):
        assert "ReLU units" in text and "leaky" in text


def test_the_committed_pages_show_the_committed_tables_and_alone_no_link_is_dead():
    """A link to another file is words, until the page is in its place, or on the site."""
    files = ("report.html", *(f"{talk}/report.html" for talk in reference.recorded(FOLDER)))
    for file in files:
        text = (FOLDER / file).read_text(encoding="utf-8")
        assert reference_page.STATED.format(reference_page.stated(FOLDER)) in text
        assert not re.findall(r'(?<!-)href="([^"#:]+)"', text)
        anchors = set(re.findall(r'\bid="([^"]+)"', text))
        assert set(re.findall(r'(?<!-)href="#([^"]+)"', text)) <= anchors
        relative_links = re.findall(r'data-(?:beside|checkout)="([^"#]+)', text)
        assert relative_links and not [
            x for x in relative_links if not (FOLDER / file).parent.joinpath(x).exists()
        ]
        assert not re.findall(r"(?i)file://|localhost|/tmp/", text) and str(ROOT) not in text
    text = (FOLDER / "report.html").read_text(encoding="utf-8")
    assert len(text.encode()) < 1_200_000
    shown_files = [*files, *(p.relative_to(FOLDER) for p in FOLDER.glob("slides/*"))]
    shown_files += [p.relative_to(FOLDER) for p in FOLDER.glob("*/*/figure_data.npz")]
    assert sum((FOLDER / file).stat().st_size for file in shown_files) < 6_100_000
    for name in registry.counted(reference.recorded(FOLDER)):
        assert f'data-beside="{name}/report.html"' in text
    claim_ids = re.findall(
        r"\(`([a-z]+\.[a-z_.]+)`\)", (ROOT / "README.md").read_text(encoding="utf-8")
    )
    assert len(claim_ids) >= 8 and not [x for x in claim_ids if f"<code>{x}</code>" not in text]


def test_every_link_of_the_published_site_leads_to_a_file_of_it(tmp_path):
    """The site as the workflow makes it, by its own words."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["publish"]["steps"]
    (script,) = (x["run"] for x in steps if "run" in x)
    assert [x["with"]["path"] for x in steps if "upload-pages" in x.get("uses", "")] == ["site"]
    shutil.copytree(FOLDER, tmp_path / "results" / "reference")
    subprocess.run(["bash", "-ec", script], cwd=tmp_path, check=True)
    n_links = 0
    for path in (tmp_path / "site").rglob("report.html"):
        links = re.findall(r'(?<!-)href="([^"#:]+)[^":]*"', path.read_text(encoding="utf-8"))
        assert links and not [x for x in links if not (path.parent / x).exists()]
        n_links += len(links)
    assert n_links > 100


def test_a_link_to_what_is_not_there_becomes_words(tmp_path):
    """`made` is a talk of the record; docs/a.md lies beside the record's folder."""
    home = Path("results/kept")
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "manifest.json").write_text(json.dumps({}))
    (tmp_path / "costs.csv").write_text("")
    page = (
        '<a href="costs.csv">a</a> <a class="x" href="made/report.html#y">b</a> '
        '<a href="made/first/metrics.csv">c</a> <a href="../kept/no.csv">d</a> <a href="#e">e</a> '
        '<a href="https://example.org">f</a> <a href="../../README.md">g</a>'
    )
    tail = 'c d <a href="#e">e</a> <a href="https://example.org">f</a>'
    talk = '<a data-beside="made/report.html#y">b</a>'
    main = Path("report.html")
    assert reference_page.alone(page, main, tmp_path, "", home) == (
        f'<a data-beside="costs.csv">a</a> {talk} {tail} <a data-checkout="../../README.md">g</a>'
    )
    commit_url = "https://example.org/us/{}/abc/results/kept"
    root = "https://example.org/us/blob/abc"
    assert reference_page.alone(page, main, tmp_path, commit_url, home) == (
        f'<a href="{root}/results/kept/costs.csv">a</a> {talk} {tail} '
        f'<a href="{root}/README.md">g</a>'
    )
    talk_page = '<a href="../why_spiking.html#z">h</a> <a href="../costs.csv">i</a>'
    assert reference_page.alone(talk_page, Path("made/report.html"), tmp_path, "", home) == (
        '<a data-beside="../report.html#z">h</a> <a data-beside="../costs.csv">i</a>'
    )


def test_the_figure_of_the_answer_is_drawn_for_readme(tmp_path):
    reference_page.picture(FOLDER, tmp_path / "figure.png")
    head = (tmp_path / "figure.png").read_bytes()[16:24]
    wide, high = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
    assert wide >= 2 * 880 and high <= wide
    reference_page.picture(tmp_path, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists(), "nothing is recorded there"


def test_the_page_shows_the_glossary_without_a_term_twice(page):
    glossary = str(page.details()).partition("Glossary")[2].partition("</details>")[0]
    terms = [html.unescape(term) for term in re.findall(r"<dt>(.*?)</dt>", glossary)]
    assert terms == list(read_glossary()) and len(terms) > 40
    rows = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").count("\n| **")
    assert len(terms) == rows, "a row has no definition, or two rows have the same term"
