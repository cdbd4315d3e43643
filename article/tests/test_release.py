"""The committed article is that of the record, and what cites and checks it agrees."""

import html
import json
import re
import shutil
import zlib

import pytest
import yaml
from made.browser import CHROMIUM, ask
from made.checkouts import ROOT

from whyspiking.records import reference
from whyspiking_article import pages, release
from whyspiking_article.record import Record

FOLDER = ROOT / "results" / "reference"
SPAN = re.compile(r'\[((?:\\.|[^\]\[\\])*)\]\{title="([^"]*)"\}')
LARGEST = 2_000_000
WIDTHS = """
const out = document.createElement("pre"); out.id = "measured";
out.textContent = JSON.stringify([...document.querySelectorAll("table, .picture")].map((e) =>
  ({ said: e.textContent.trim().slice(0, 40), needed: e.scrollWidth, seen: e.clientWidth })));
document.body.append(out);
"""


@pytest.fixture(scope="module")
def checked():
    return yaml.safe_load((ROOT / release.CODECHECK).read_text(encoding="utf-8"))


def sheets(pdf):
    """Number of pages, of which PDF 1.5 keeps the list compressed."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf.read_bytes(), re.DOTALL)
    plain = [pdf.read_bytes()]
    for stream in streams:
        try:
            plain.append(zlib.decompressobj().decompress(stream))
        except zlib.error:
            continue
    return sum(len(re.findall(rb"/Type\s*/Page\b", part)) for part in plain)


def test_every_number_of_the_committed_article_is_that_of_the_record(filled):
    page = (FOLDER / "article.html").read_text(encoding="utf-8")
    told = re.findall(r'<span\s+title="([^"]*)">(.*?)</span>', page, re.DOTALL)
    shown = [
        (html.unescape(" ".join(source.split())), html.unescape(re.sub(r"<[^>]*>", "", text)))
        for source, text in told
    ]
    written = [
        (source, release.plain(f'[{text}]{{title="{source}"}}'))
        for text, source in SPAN.findall(filled)
    ]

    def letters(pairs):
        return [(source, re.sub(r"\W", "", text)) for source, text in pairs]

    body = letters(shown)
    assert [pair for pair in letters(written) if pair not in body] == []


def test_the_committed_article_has_ten_pages_at_most():
    assert 1 <= sheets(FOLDER / "article.pdf") <= 10
    assert (FOLDER / "article.pdf").stat().st_size <= LARGEST
    assert (FOLDER / "article.html").stat().st_size <= LARGEST


def test_hashes_are_those_of_the_files(checked):
    differ = [
        entry["file"]
        for entry in checked["manifest"]
        if release.digest(ROOT / entry["file"]) != entry["sha256"]
    ]
    assert differ == []


def test_the_manifest_lists_the_article_and_every_table_that_it_reads(checked, record):
    pages_of = {f"results/reference/{name}" for name in release.OUTPUTS}
    listed = {entry["file"] for entry in checked["manifest"]}
    assert pages_of <= listed
    assert {f"results/reference/{talk}/verdicts.csv" for talk in record.talks} <= listed
    assert {"results/reference/advantage.csv", "results/reference/frontiers.csv"} <= listed
    assert all(entry["comment"] for entry in checked["manifest"])
    assert checked["version"] == release.SPECIFICATION


def test_titles_and_abstract_are_the_same_everywhere(checked, filled):
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    title = release.title(filled)
    assert title.startswith("[Re] Why spiking?")
    assert checked["paper"]["title"] == title
    assert [entry["title"] for entry in citation["references"] if entry["type"] == "article"] == [
        title
    ]
    notes = json.loads((ROOT / release.ZENODO).read_text(encoding="utf-8"))["notes"]
    assert title in notes
    assert " ".join(release.abstract(filled).split()) in notes
    assert "title=" not in notes


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """What is made, in a folder of its own."""
    if shutil.which("pandoc") is None:
        pytest.skip("pandoc is not installed")
    return pages.write(Record(reference.FOLDER), tmp_path_factory.mktemp("made"))


def test_it_is_made_alike_every_time(tmp_path, written):
    again = pages.write(Record(reference.FOLDER), tmp_path)
    first, second = (
        {path.name: release.digest(path) for path in some} for some in (written, again)
    )
    assert first == second
    text = written[0].read_text(encoding="utf-8")
    assert text.count("data:image/svg+xml") + text.count("<svg") == 2
    clipped_by = set(re.findall(r"url\(#([^)]*)\)", text))
    assert clipped_by <= set(re.findall(r'<clipPath id="([^"]*)"', text))
    assert not re.search(r'(src|href)="(?!#|data:|https://doi\.org)', text)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_at_a_desk_no_table_and_no_figure_is_cut_off(tmp_path, written):
    found = ask(tmp_path, written[0], WIDTHS, size="1440,900")
    assert len(found) >= 4
    assert [part for part in found if part["needed"] > part["seen"]] == []
