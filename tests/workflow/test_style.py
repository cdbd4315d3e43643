"""Rules of the house that no linter knows."""

import ast
import re

from made.checkouts import ROOT, repository

PACKAGE = ROOT / "workflow" / "whyspiking"
FOLDERS = ("workflow", "exchange", "maintain", "article", "packages", "docs", "tests", "results")
LONGEST = 450


def test_a_newcomer_reads_every_file_in_one_sitting():
    lengths = {
        p.relative_to(ROOT): len(p.read_text(encoding="utf-8").splitlines())
        for p in repository("*.py", "*.smk")
    }
    assert lengths
    assert {str(p): n for p, n in lengths.items() if n > LONGEST} == {}


def test_no_file_is_a_box_of_odds_and_ends():
    assert not [p for p in repository("*.py") if p.stem in ("utils", "helpers", "misc", "common")]


def test_one_header_asks_for_the_width_of_vectors():
    """So that a kernel cannot have a tile for one machine that no test on another runs."""
    asked = re.compile(r"__AVX|__FMA__|_mm256|_mm512")
    found = [p for p in repository("*.cpp", "*.hpp") if asked.search(p.read_text(encoding="utf-8"))]
    assert [p.name for p in found] == ["vectors.hpp"]


def test_nothing_is_left_open():
    # Put together here, so that this file does not contain what it looks for.
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "place" + "holder", "not " + "implemented")
    pattern = re.compile(r"\b(" + "|".join(words) + r")\b", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in repository(*FOLDERS, "notebooks", "Snakefile")
        if path.suffix in (".py", ".smk", ".yaml", ".md", ".ipynb", ".cpp", ".hpp", "")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found


def test_scripts_only_unpack_and_call():
    for path in (ROOT / "workflow/scripts").glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef)]
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 40, path.name
