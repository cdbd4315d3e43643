"""No number, verdict or citation of the article is typed by hand."""

import re

import pytest
from jinja2 import nodes

from whyspiking.report import first_screen
from whyspiking.verdicts import rule
from whyspiking.verdicts.advantage import LESS, MORE, NOT_ASSESSED
from whyspiking_article import text

REFERENCES = {"ref", "tally", "made", "stated", "value", "verdict", "published", "numbers", "study"}
"""Functions and macros whose arguments name a place; numbers in them are parts of that name."""
ALLOWED = re.compile(
    r"\b(19|20)\d\d\b"  # years
    r"|@\w+"  # citations
    r"|(Section|Table|Figure) \d+"
    r"|Brian2|MNIST|\.sha256"  # names
    r"|=\d+%"  # widths of figures
    r"|45 nm"  # the name of a technology
)
NUMBERS = re.compile(r"\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twice)\b")
VERDICTS = (*rule.VERDICTS, *(first_screen.VERDICTS[x] for x in (LESS, MORE)), NOT_ASSESSED)
WORDS = re.compile(rf"\b({'|'.join(map(re.escape, VERDICTS))})\b")


@pytest.fixture(scope="module")
def source():
    return (text.ASSETS / text.TEMPLATE).read_text(encoding="utf-8")


def told(source):
    """The text of a template outside of its expressions."""
    tree = text.environment().parse(source)
    return "\n".join(node.data for node in tree.find_all(nodes.TemplateData))


def constants(node, inside=False):
    """What expressions of a template hold that is no argument of a reference."""
    called = isinstance(node, nodes.Call) and getattr(node.node, "name", None) in REFERENCES
    if isinstance(node, nodes.Const) and not inside:
        yield node.value
    for child in node.iter_child_nodes():
        yield from constants(child, inside or called)


def typed(source):
    """Digits, words for numbers and verdicts that a template has typed into its text."""
    words = ALLOWED.sub("", told(source))
    found = re.findall(r"\d+", words) + NUMBERS.findall(words.lower()) + WORDS.findall(words)
    for node in text.environment().parse(source).find_all((nodes.Output, nodes.Assign)):
        found += [x for x in constants(node) if isinstance(x, int | float) and x is not True]
        found += [x for x in constants(node) if isinstance(x, str) and shows(node, x)]
    return found


def shows(node, string):
    """Whether a string of an expression would put a number or a verdict into the text itself."""
    direct = [n for n in node.find_all((nodes.Call, nodes.CondExpr, nodes.Add, nodes.Concat))]
    said = [n.args[0] for n in direct if getattr(getattr(n, "node", None), "name", "") == "said"]
    branches = [b for n in direct if isinstance(n, nodes.CondExpr) for b in (n.expr1, n.expr2)]
    first = [*said, *branches, *getattr(node, "nodes", [])]
    literal = [n.value for n in first if isinstance(n, nodes.Const)]
    return string in literal and bool(re.search(r"\d", string) or WORDS.search(string))


def test_no_digit_and_no_verdict_is_typed_by_hand(source):
    assert typed(source) == []


@pytest.mark.parametrize(
    "mistake",
    [
        "It reaches 97 % of them.",
        "It reaches {{ 97 }} % of them.",
        "It reaches {{ '97 %' }} of them.",
        "It reaches {{ said('97 %', 'verdicts: a claim') }}.",
        "All eight of them.",
        "The claim is replicated.",
        "It is {{ 'replicated' if good else 'other' }}.",
        "{% set share = 97 %}{{ share }}",
    ],
)
def test_what_is_typed_by_hand_is_found(mistake):
    assert typed(mistake)


def test_every_reference_is_in_the_bibliography_and_cited(source):
    cited = set(re.findall(r"@(\w+)", source))
    assert cited == {entry["id"] for entry in text.references()}


def test_every_entry_has_a_doi_and_says_whether_it_was_looked_up():
    for entry in text.references():
        assert re.fullmatch(r"10\.\d{4,}/\S+", entry["DOI"]), entry["id"]
        assert isinstance(entry["looked-up"], bool), entry["id"]
