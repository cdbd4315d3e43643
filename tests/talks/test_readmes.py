"""READMEs of talks: a percentage says where it was published, a claim that is named is made."""

import re
from fnmatch import filter as matching

import pytest

from whyspiking.declared import registry

TALKS = registry.available()
FILES = ("README.md", "claims.yaml")
SENTENCE = re.compile(r"(?<=[.:?!])\s+(?=[A-Z*`(])|\n\s*\n|\n(?=\s*[|-] ?)")
"""Rows of tables and items of lists are sentences, too."""
SOURCE = re.compile(
    r"\b(abstract|Table|Figures?|Figs?\.|arXiv|[Ii]ssue \d|notebook|from memory|recalled)"
    r"|paper's section|\.(py|ipynb|cpp|mat|npy|pth|md)\b|\bcells? \d|\b[\w.]+:\d|\b\d+-\d+: "
)
"""What has a published number: a part of a paper, a file of the authors, a line of their code."""


def unsourced(text):
    """Sentences with a percentage and no place where it can be read."""
    sentences = SENTENCE.split(text)
    return [s for s in sentences if s and re.search(r"\d\s?%", s) and not SOURCE.search(s)]


@pytest.mark.parametrize("talk", TALKS)
def test_every_percentage_says_where_it_was_published(talk):
    assert unsourced((registry.FOLDER / talk / "README.md").read_text(encoding="utf-8")) == []


def test_a_result_typed_by_hand_is_found():
    typed = "As in Table 1, 95.9 % were right.\nOurs have 95.6 % of them."
    assert unsourced(typed) == ["Ours have 95.6 % of them."]


@pytest.mark.parametrize("talk", TALKS)
def test_claims_that_it_points_to_are_made(talk):
    readme, claims = ((registry.FOLDER / talk / f).read_text("utf-8") for f in FILES)
    named = re.findall(rf"`({talk}\.[\w*]+(?:\.[\w*]+)?)`", readme)
    made = re.findall(r"^- id: (\S+)", claims, re.MULTILINE)
    assert [name for name in named if not matching(made, name)] == []
