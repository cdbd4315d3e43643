"""What the code never does and no rule of the linter forbids (`S`, `TID251` in pyproject.toml)."""

import json
import re

from made.checkouts import ROOT, repository

FOLDERS = ("workflow", "exchange", "maintain", "article", "packages", "notebooks")
FETCHING = ROOT / "workflow/whyspiking/datasets/archives.py"
"""The one place that opens an address."""


def sources():
    """Python of the package, the scripts, the benchmarks and the notebooks: path, code."""
    for path in repository(*FOLDERS):
        text = path.read_text(encoding="utf-8") if "tests" not in path.parts else ""
        if path.suffix == ".py":
            yield path, text
        if path.suffix == ".ipynb":
            yield path, "".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


SOURCES = dict(sources())


def test_arrays_are_read_and_written_without_objects_and_matlab_files_by_name():
    calls = {r"np\.(?:load|savez?|savez_compressed)\(": "allow_pickle=False",
             r"\bloadmat\(": "variable_names"}  # fmt: skip
    for call, keyword in calls.items():
        lines = re.compile(rf"{call}[^\n]*\n?[^\n]*")
        found = [told for text in SOURCES.values() for told in lines.findall(text)]
        assert found and not [told for told in found if keyword not in told]


def test_addresses_are_opened_in_one_place_only():
    assert [path for path, text in SOURCES.items() if "build_opener" in text] == [FETCHING]
    for path, text in SOURCES.items():
        if "w3.org" not in text:
            assert not re.search(r"[\"'](http|ftp)://", text), path


def test_rules_start_no_shell():
    workflow = ROOT / "workflow"
    for path in (workflow / "Snakefile", *(workflow / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(shell|run)\s*:", text, re.MULTILINE), path
        assert not re.search(r"\b(eval|exec)\(", text), path


def test_the_tests_that_documents_name_are_there():
    there = {path.name for path in repository("test_*.py", "*/test_*.py")}
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"\btest_\w+\.py", path.read_text(encoding="utf-8")))
        assert named <= there, path
        assert named or path.name != "SECURITY.md"
