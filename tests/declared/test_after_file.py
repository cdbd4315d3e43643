"""What came after each talk: two lines with a source each, and what is refused."""

import copy
import re

import pytest
import yaml

from whyspiking.declared import after_file, registry
from whyspiking.errors import UserError
from whyspiking.report.html import macros

GOOD = [
    {
        "summary": "Something like it was done again, larger.",
        "citation": "A. B. (2021).",
        "doi": "10.1000/a",
    },
    {
        "summary": "And then once more, on a chip this time.",
        "citation": "C. D. (2023).",
        "doi": "10.1000/b",
    },
]
DAMAGE = {
    "no source": (lambda d: d[0].pop("doi"), "doi"),
    "a link in its place": (lambda d: d[0].update(doi="https://x.org"), r"must match \^10"),
    "too long a line": (lambda d: d[1].update(summary="x" * 241), "must match .*240"),
    "a third line": (lambda d: d.append({**GOOD[0], "doi": "10.1000/c"}), "at most 2"),
    "none": (lambda d: d.clear(), "at least 1"),
    "a work twice": (lambda d: d[1].update(doi="10.1000/a"), "a later publication"),
    "the talk's own paper": (lambda d: d[1].update(doi="10.1145/3517343.3517380"), "a later pub"),
    "another key": (lambda d: d[0].update(year=2021), "year"),
}  # fmt: skip


@pytest.fixture(scope="module")
def talks():
    return [registry.load_talk(name) for name in registry.counted(registry.available())]


def test_every_talk_has_two_lines_of_works_since_2020_that_no_talk_is_about(talks):
    papers = {paper["doi"] for talk in talks for paper in talk.publications.values()}
    told = [later for talk in talks for later in after_file.load(talk).later_works]
    assert len(told) == 2 * len(talks)
    assert len({later["doi"] for later in told} - papers) == len(told)
    assert all(int(re.findall(r"\((20\d\d)\)", later["citation"])[0]) > 2020 for later in told)


def test_a_talks_page_shows_both_lines_with_their_sources(talks):
    for talk in talks:
        came = after_file.load(talk).later_works
        shown = str(macros("abstracts").after(came))
        assert all(f'href="https://doi.org/{later["doi"]}"' in shown for later in came)
        assert shown.count("<li>") == 2


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged_files_are_refused(case, tmp_path, monkeypatch):
    talk, (change, told) = registry.load_talk("goeltz"), DAMAGE[case]
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    talk.folder.mkdir()
    data = copy.deepcopy(GOOD)
    (talk.folder / after_file.FILE).write_text(yaml.safe_dump({"later_works": data}))
    assert len(after_file.load(talk).later_works) == 2
    change(data)
    (talk.folder / after_file.FILE).write_text(yaml.safe_dump({"later_works": data}))
    with pytest.raises(UserError, match=told) as refused:
        after_file.load(talk)
    assert after_file.FILE in str(refused.value)
