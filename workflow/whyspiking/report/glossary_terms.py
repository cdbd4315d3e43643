"""Definitions of docs/glossary.md, for the page."""

from __future__ import annotations

import re
from pathlib import Path

FILE = Path(__file__).parents[3] / "docs/glossary.md"
TERM = re.compile(r"^\| \*\*(?P<term>[^|]+)\*\* \| (?P<definition>.+) \|$", re.MULTILINE)
MARKUP = re.compile(r"\[(?P<text>[^]]*)\]\([^)]*\)|[*`]")


def read_glossary(file: Path = FILE) -> dict[str, str]:
    """Read the definitions without markup: term -> definition, in the order of the file."""
    text = file.read_text(encoding="utf-8")
    return {
        match["term"]: MARKUP.sub(lambda markup: markup["text"] or "", match["definition"])
        for match in TERM.finditer(text)
    }
