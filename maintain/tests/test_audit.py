"""The audit of the packages: what is said of each answer, and that only a finding fails."""

import json
import re

import pytest
from made.checkouts import ROOT
from made.programs import program

from whyspiking_maintain import audit, environment

CLEAN = {"name": "numpy", "version": "2.0", "vulns": []}
SILENT = {"name": "jax", "skip_reason": "not found"}
HOLE = {"id": "X-1", "fix_versions": ["3.1", "4.0"], "aliases": [], "description": ""}
OPEN = {"name": "jinja2", "version": "3.0", "vulns": [HOLE, {**HOLE, "fix_versions": []}]}


def answer(*packages):
    return json.dumps({"dependencies": packages, "fixes": []})


CASES = {
    "nothing found": (answer(CLEAN, CLEAN), 0, ["no known vulnerability in 2 of 2"]),
    "found": (answer(CLEAN, OPEN), 1, ["in 1 of 2", "X-1 in jinja2 3.0, mended in 3.1, 4.0",
                                       "mended in no version yet"]),
    "found, not all known": (answer(SILENT, OPEN), 1, ["in 0 of 2", "learned about 1", "FOUND"]),
    "not all known": (answer(CLEAN, SILENT), 0, ["in 1 of 2", "nothing could be learned about 1"]),
    "nothing known": (answer(SILENT, SILENT), 0, ["in 0 of 2", "learned about 2"]),
    "no answer": ("", 0, ["not made", "name or service"]),
    "another answer": ("{}", 0, ["not made", "name or service"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_only_a_finding_fails(case, tmp_path, monkeypatch, capsys):
    said, status, words = CASES[case]

    def install(root, venv, lock):
        script = f"echo 'name or service' >&2\necho '{said}'\nexit 1"
        program(venv / "bin" / "pip-audit", script)

    monkeypatch.setattr(environment, "install", install)
    assert audit.main() == status
    printed = capsys.readouterr().out
    assert all(word in printed for word in words), printed
    assert all(line.startswith("audit: ") for line in printed.splitlines())


def test_without_the_tool_it_says_why_and_passes(monkeypatch, capsys):
    def install(*_):
        raise environment.EnvironmentProblem("uv could not be fetched")

    monkeypatch.setattr(environment, "install", install)
    assert audit.main() == 0
    assert capsys.readouterr().out == "audit: not made: uv could not be fetched\n"


def test_the_tool_and_all_it_needs_is_pinned_by_hash():
    lock = (ROOT / audit.TOOL).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==.*\\\n +--hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert "pip-audit" in pins
    assert len(pins) == len(re.findall(r"^[^ #]", lock, re.MULTILINE))
