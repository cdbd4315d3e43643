"""The page of the recorded run: current, linked to what is there, and true to its tables."""

import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml
from made.checkouts import ROOT

from whyspiking.declared import registry
from whyspiking.declared.config import read
from whyspiking.records import reference
from whyspiking.report import first_screen
from whyspiking.report.run_page import RunPage
from whyspiking.verdicts.answers import OTHER_SIZE
from whyspiking_maintain import page as reference_page

FOLDER = ROOT / "results" / "reference"


@pytest.fixture(scope="module")
def page():
    return RunPage.open(FOLDER, "full")


def plain(markup):
    return " ".join(re.sub(r"<[^>]+>", "", str(markup)).split())


def table(name):
    paths = [*FOLDER.glob(f"{name}.csv"), *sorted(FOLDER.glob(f"*/{name}.csv"))]
    read = {"keep_default_na": False, "na_values": ["", "nan"]}
    return pd.concat([pd.read_csv(path, **read) for path in paths], ignore_index=True)


def words_of(axis):
    """Talk -> word on an axis, counted anew from axes.csv and verdicts.csv."""
    config = read(folder=ROOT / "config")
    (entry,) = (e for e in config["answers"] if e["axis"] == axis)
    rows = table("axes")
    rows = rows[(rows["axis"] == axis) & rows["measure"].isin(entry["counts"])]
    rows = rows[rows["neutral"].notna()]
    rows = rows[rows["size"].isna() | rows["size"].between(1 / OTHER_SIZE, OTHER_SIZE, "neither")]
    found = {}
    for row in rows.to_dict("records"):
        side = row["favours_spikes"] if pd.notna(row["low"]) and pd.notna(row["high"]) else None
        found.setdefault(row["talk"], []).append(side)
    if "claims" in entry["counts"]:
        for row in table("verdicts").to_dict("records"):
            path = ROOT / "workflow" / "whyspiking" / "talks" / row["talk"] / "claims.yaml"
            told = yaml.safe_load(path.read_text(encoding="utf-8"))
            own = next(c for c in told if c["id"] == row["claim"])
            if own.get("axis") != axis or pd.isna(row["value"]):
                continue
            passed, failed = ("replicated", "holds"), ("not replicated", "fails")
            side = "yes" if row["verdict"] in passed else "no" if row["verdict"] in failed else "?"
            known = pd.notna(row["low"]) and pd.notna(row["high"])
            found.setdefault(row["talk"], []).append(side if known else None)
    words = {}
    for talk, sides in found.items():
        known = [side for side in sides if side is not None]
        pro, con = known.count("yes"), known.count("no")
        if pro and (con or (entry["needs"] == "all" and pro < len(known))):
            words[talk] = "in part"
        else:
            words[talk] = "yes" if pro else "no" if con else "undecided"
    return words


def test_the_answer_in_full_counts_what_the_tables_hold(page):
    said = plain(page.in_full())
    for axis in ("latency", "robustness"):
        words = words_of(axis)
        yes = sum(word == "yes" for word in words.values())
        assert f"{first_screen.BESIDE[axis]} in {yes or 'none'} of {len(words)}" in said


@pytest.mark.parametrize("axis", ["timing", "latency", "robustness", "learning"])
def test_the_summary_counts_talks_as_the_tables_do(page, axis):
    said = plain(page.answer())
    words = words_of(axis)
    counted = Counter(words.values())
    told = re.search(rf"\({axis}\): yes in (\d+) of (\d+) talks, (.*?)\.(?= [A-Z])", said)
    assert told is not None
    assert (int(told[1]), int(told[2])) == (counted["yes"], len(words))
    for word in ("in part", "no", "undecided"):
        in_words = re.search(rf"; {word} in (\d+) \(", told[3])
        assert (int(in_words[1]) if in_words else 0) == counted[word]


def test_one_neuron_is_told_in_one_sentence_with_what_does_as_well(page):
    assert str(page.discussion()).count("One neuron fires when") == 1, "widgets are shown once"
    told = [plain(page.discussion()), plain((ROOT / "README.md").read_text(encoding="utf-8"))]
    for said in told:
        parts = re.split(r"\. (?=[A-Z])", said)
        sentence = next(part for part in parts if "ne leaky neuron" in part)
        assert [x for x in ("ReLU units", "graded twin", "gated units") if x not in sentence] == []
        assert "living in time pays" in said


def test_the_committed_page_shows_the_committed_tables():
    for file in reference_page.PAGES.values():
        text = (FOLDER / file).read_text(encoding="utf-8")
        assert reference_page.STATED.format(reference_page.stated(FOLDER)) in text
        assert len(text.encode()) < 3_000_000
        # Read alone no link is dead: those to other files are words until the page is in its place.
        assert not [x for x in re.findall(r'(?<!-)href="([^"#:]+)"', text)]
        beside = re.findall(r'data-href="([^"#]+)', text)
        assert beside and not [x for x in beside if not (FOLDER / x).exists()]
        anchors = set(re.findall(r'\bid="([^"]+)"', text))
        assert set(re.findall(r'(?<!-)href="#([^"]+)"', text)) <= anchors
    text = (FOLDER / reference_page.PAGES["why_spiking"]).read_text(encoding="utf-8")
    for name in registry.counted(reference.recorded(FOLDER)):
        assert f"talks/{name}/README.md" in text


def test_a_link_to_what_is_not_there_becomes_text(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "manifest.json").write_text(json.dumps({}))
    (tmp_path / "axes.csv").write_text("")
    page = (
        '<a href="axes.csv">a</a> <a class="x" href="made/report.html#y">b</a> '
        '<a href="made/first/metrics.csv">c</a> <a href="no.csv">d</a> <a href="#e">e</a> '
        '<a href="https://example.org">f</a>'
    )
    words, there = '<span class="elsewhere" data-href="{}">{}</span>', '<a href="{}">{}</a>'
    shown = {"": words, "https://example.org/us": there}
    for address, look in shown.items():
        root = address and f"{address}/blob/HEAD/results/kept/"
        assert reference_page.alone(page, tmp_path, address, Path("results/kept")) == (
            f"{look.format(root + 'axes.csv', 'a')} b c d "
            '<a href="#e">e</a> <a href="https://example.org">f</a>'
        )


def test_the_figure_of_the_answer_is_drawn_for_readme(tmp_path):
    reference_page.picture(FOLDER, tmp_path / "figure.png")
    head = (tmp_path / "figure.png").read_bytes()[16:24]
    wide, high = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
    assert wide >= 2 * 880 and high <= wide
    reference_page.picture(tmp_path, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists(), "nothing is recorded there"


def test_the_first_screen_is_read_at_once(page):
    shown = re.sub(r"<(svg|figcaption|details).*?</\1>", "", str(page.opening()), flags=re.DOTALL)
    assert 60 < len(plain(shown.replace("</p>", " </p>")).split()) <= 130
    told = page._answered.sentences
    assert told and max(len(x.split()) for x in told) <= 25


def test_every_word_of_the_glossary_is_used_and_none_twice(page):
    told = str(page.in_full()).partition("What the words mean")
    terms = re.findall(r"<dt>(.*?)</dt>", told[2])
    notebook = (ROOT / "notebooks" / "why_spiking.ipynb").read_text(encoding="utf-8")
    pages = (page.opening, page.tasks, page.talks_in_rows, page.discussion, page.answer)
    shown = told[0] + notebook + "".join(str(draw()) for draw in (*pages, page.claims))
    said = plain(shown).lower()
    assert 20 <= len(terms) <= 40 and len(set(terms)) == len(terms)
    assert [x for x in terms if x.lower().partition(",")[0] not in said] == []
