"""The report and its figures for all talks of the project, from a made-up results folder."""

import io
import json
import re
import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
from made.checkouts import ROOT
from made.results import make_results

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.plots import figures, svg
from whyspiking.plots.figures import style
from whyspiking.records import whole_files
from whyspiking.report import notebook, run_page, slides, talk_page

CELLS = json.loads((ROOT / "notebooks" / "why_spiking.ipynb").read_text())["cells"]
NOTEBOOK = "\n".join("".join(cell["source"]) for cell in CELLS)


NOT_MADE_UP = {
    *("one-shot memory", "sharp waves", "reverse replay", "lesions", "feedback and cues"),
    *(
        "accuracy per bit",
        "rates of approximation",
        "what learning reaches",
        "units for element distinctness",
    ),
}
"""Figures for which no exhibits, or rows, are made up; the smoke run draws them."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results") / "default")


@pytest.fixture(scope="module")
def run(results):
    """The page of the run, whose talks but one have a page with nothing but a figure."""
    page = run_page.RunPage.open(results, "default")
    for name in page.talks:
        whole_files.write(results / name / "report.html", OPENING.format(drawn_figure("map", 130)))
    head = talk_page.TalkPage.open(results, "goeltz", "default").head()
    whole_files.write(results / "goeltz" / "report.html", head)
    return page


@pytest.fixture(scope="module")
def pieces(run):
    """What the page shows, by the method that tells it."""
    names = dict.fromkeys(re.findall(r"page\.(\w+)\(", NOTEBOOK))
    return {name: getattr(run, name)() for name in names if name != "banner"}


OPENING = '<section class="signature">{}</section>'


def drawn_figure(name, width, height=100):
    svg = f'<svg aria-label="{name}" viewBox="0 0 {width} {height}">{name}</svg>'
    return f'<figure id="t-{name}"><div class="picture">{svg}</div>'


@pytest.mark.slow
@pytest.mark.parametrize("name", ["why_spiking", "naud"])
def test_two_builds_of_a_page_are_identical(two_talks, tmp_path, name):
    """Two kernels, so that nothing hangs on the order of a set."""
    folder = shutil.copytree(two_talks, tmp_path / "default")
    for path in folder.glob("*/verdicts.csv"):
        whole_files.write(path.with_name("report.html"), OPENING.format(drawn_figure("map", 130)))
    pages = []
    for build in ("a", "b"):
        page = tmp_path / build / notebook.MAIN_PAGE
        parameters = {"results": str(folder), "scale": "default"}
        source = ROOT / "notebooks" / f"{name}.ipynb"
        notebook.make_page(source, tmp_path / build / "x.ipynb", page, parameters)
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]


def test_slides_stand_alone(pieces, tmp_path):
    page = tmp_path / "page.html"
    shown = ("opening", "tasks", "eight_talks")
    page.write_text("".join(pieces[name] for name in shown), "utf-8")
    slides.write([page], tmp_path / "slides")
    files = sorted(path.name for path in (tmp_path / "slides").iterdir())
    expected = ("answer", "key-claims", "task-randman-drawn")
    assert {f"{name}.svg" for name in expected} <= set(files)
    for name in files:
        picture = (tmp_path / "slides" / name).read_text("utf-8")
        drawn = ElementTree.fromstring(picture.encode())
        assert drawn.tag == "{http://www.w3.org/2000/svg}svg" and "viewBox" in drawn.attrib
        assert drawn[0].attrib["fill"] == "white", "the page shines through it, a slide is white"
        assert "currentColor" not in picture and "nan" not in picture.replace("resonan", "")


def test_one_figure_of_a_page_is_written_by_its_name_and_another_is_refused(tmp_path):
    page = tmp_path / "report.html"
    page.write_text(drawn_figure("map", 130) + drawn_figure("curve", 90), "utf-8")
    slides.write_one(page, tmp_path / "figures" / "t-curve.svg")
    assert "curve</svg>" in (tmp_path / "figures" / "t-curve.svg").read_text("utf-8")
    with pytest.raises(UserError, match=r"'curve' is not on .*expected one of t-map, t-curve"):
        slides.write_one(page, tmp_path / "figures" / "curve.svg")


def test_the_first_figure_that_can_be_drawn_opens_the_page(results, monkeypatch):
    def drawn():
        return some_plate().says("What is shown.", "Axes.")

    def absent():
        figures.require([], "Left out at this scale.")

    page = talk_page.TalkPage.open(results, "goeltz", "default")
    plates = {"absent": absent, "first": drawn, "second": drawn}
    monkeypatch.setattr(talk_page.TalkPage, "_list_plates", lambda self: plates)
    assert 'id="goeltz-first"' in page.head() and "Left out" not in page.head()
    others = page.signature()
    assert 'id="goeltz-second"' in others and "Left out" not in others
    assert 'id="goeltz-first"' not in others


def test_a_drawn_figure_is_what_savefig_writes():
    """Drawn once instead of twice: the layout must be the same."""
    with style():
        (drawn, saved), buffer = (some_plate(), some_plate()), io.StringIO()
        saved.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        picture = svg.inline(drawn, "prefix", "words")
    assert picture == svg.embed(buffer.getvalue(), "prefix", "words")
    assert "<image" in picture and "a label" in picture


def some_plate():
    plate = figures.Plate(3.0)
    left, right = plate.panels(1, 2, sharey=True)[0]
    left.plot([1, 10, 1000], [0.1, 12345.0, 3.0], marker="o", label="a line")
    left.set(xscale="log", xlabel="a label", ylabel="another", title="a title")
    right.imshow([[0.0, 1.0], [2.0, np.nan]])
    figures.legend_below(plate, [left])
    return plate


@pytest.mark.parametrize("text", [None, "<section class='other'></section>"])
def test_a_talk_without_its_figures_is_refused(tmp_path, text):
    page = tmp_path / "goeltz" / "report.html"
    page.parent.mkdir()
    if text:
        page.write_text(text)
    with pytest.raises(UserError, match=r"goeltz/report\.html: .*snakemake"):
        talk_page.thumbnail(page.parent)


def test_a_card_takes_the_first_figure_of_the_page_of_its_talk(tmp_path):
    first, second = drawn_figure("a", 100), drawn_figure("b", 100)
    whole_files.write(tmp_path / "report.html", OPENING.format(first + second))
    (svg,) = re.findall(r"<svg.*?</svg>", first, re.DOTALL)
    assert talk_page.thumbnail(tmp_path) == svg
    whole_files.write(tmp_path / "report.html", OPENING.format(""))
    assert not talk_page.thumbnail(tmp_path)


def test_a_talk_page_begins_with_its_title_and_key_claim(results):
    page = talk_page.TalkPage.open(results, "goeltz", "default")
    head = page.head()
    assert f"<h1>{page.talk.title}</h1>" in head
    assert head.index('id="key-claim"') < head.index('class="signature"')


@pytest.mark.parametrize("name", registry.available())
def test_signature_figures_have_caption_alternative_and_units(results, name):
    page = talk_page.TalkPage.open(results, name, "default")
    for title, draw in page._list_plates().items():
        if title in NOT_MADE_UP:
            continue
        with style():
            drawn = draw()
        assert len(drawn.caption) > 40 and len(drawn.alt) > 20, title
        assert (results / name / drawn.source).is_file(), title
        assert "nan" not in drawn.alt.replace("nance", "")


def test_report_tells_all_talks(results, run, pieces):
    page = "".join(pieces.values())
    order = [page.index(x) for x in ("<h1>Why spiking?", 'id="key-claims"', 'id="claim-tables"')]
    assert order == sorted(order), "the answer comes first, the claims last"
    assert not re.search(r"\bnan\b", re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL))
    assert page.count('class="card"') == len(run.talks)
    for name in run.talks:
        for file in ("report.html", "verdicts.csv", "measures.csv", "metrics.csv"):
            assert f'href="{name}/{file}"' in page
    headings = re.findall(r"^## (.*)$", NOTEBOOK, re.MULTILINE)
    assert len(headings) == 6
    numbers = re.findall(r'<a href="([^"]+)">Numbers</a>', page)
    assert len(numbers) >= 8 and all((results / link).is_file() for link in numbers)
    heads = "".join(f"<h2>{h}</h2>" for h in headings)
    whole, _ = notebook._add_anchors(page + heads)
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert sorted(ids) == sorted(set(ids)), "identifiers are unique in the page"
    assert set(re.findall(r'href="#([^"]+)"', whole)) <= set(ids)
    assert all("aria-" in tag for tag in re.findall(r"<svg[^>]*>", page))
    assert len(page) < 5_000_000
