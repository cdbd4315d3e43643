"""What others cite and check the article by: `codecheck.yml` and the notes on Zenodo.

codecheck.yml follows https://codecheck.org.uk/spec/config/1.0/: the manifest lists what a
codechecker should get again; `sha256` beside each file is ours, and so is `command`.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from whyspiking.records import reference
from whyspiking.report import citing
from whyspiking.verdicts.repetition import FILE as AGAIN
from whyspiking_article import text
from whyspiking_article.record import STUDY, Record

CODECHECK, ZENODO = "codecheck.yml", ".zenodo.json"
SPECIFICATION = "https://codecheck.org.uk/spec/config/1.0/"
OUTPUTS = {
    "article.html": "the article, made of the tables below by make article",
    "article.tex": "the same for TeX",
    "article.pdf": "the same as printed; its bytes depend on the TeX at hand",
}
_SPAN = re.compile(r'\[((?:\\.|[^\]\[\\])*)\]\{title="[^"]*"\}')


def write(record: Record, root: Path) -> None:
    """Write both files into the project's folder.

    Args:
        record: Of which the article was just made, so that it knows the tables that were used.
        root: The project's folder.
    """
    filled = text.filled(record)
    checked = yaml.safe_dump(codecheck(record, root), sort_keys=False, allow_unicode=True, width=96)
    (root / CODECHECK).write_text(f"---\n{checked}", encoding="utf-8")
    known = json.loads((root / ZENODO).read_text(encoding="utf-8"))
    known["notes"] = f"With an article, {title(filled)}. {' '.join(abstract(filled).split())}"
    (root / ZENODO).write_text(
        json.dumps(known, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def codecheck(record: Record, root: Path) -> dict[str, Any]:
    """The contents of codecheck.yml: the article and every table that a number of it is from."""
    read = {
        path: f"table {name}, read by the article"
        for name in sorted(record.used - {STUDY})
        for path in record.run.files(name)
    }
    read[reference.FOLDER / AGAIN] = "what was made again, read by the article"
    files = {reference.FOLDER / name: comment for name, comment in OUTPUTS.items()} | read
    cited = citing.citation({})
    found = {
        "version": SPECIFICATION,
        "paper": {
            "title": title(text.filled(record)),
            "authors": [{"name": cited["authors"]}],
        },
        "command": "make record && make article",
        "tools": {"pandoc": _version("pandoc"), "pdflatex": _version("pdflatex")},
        "manifest": [
            {"file": path.as_posix(), "comment": comment, "sha256": digest(root / path)}
            for path, comment in files.items()
            if (root / path).is_file()
        ],
        "codechecker": [],
    }
    address = cited["repository_code"]
    return {**found, "repository": address} if address else found


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def title(markdown: str) -> str:
    """The article's title, without marks."""
    return plain(re.search(r"^title: '(.*)'$", markdown, re.MULTILINE)[1])  # pyright: ignore[reportOptionalSubscript]


def abstract(markdown: str) -> str:
    """The article's abstract, without marks."""
    return plain(markdown.split("abstract: |\n")[1].split("\n...\n")[0])


def plain(markdown: str) -> str:
    """Text without spans, emphasis and escapes."""
    shown = _SPAN.sub(r"\1", markdown).replace("**", "")
    shown = re.sub(r" ?\[@[^\]]*\]", "", shown.replace("\N{NO-BREAK SPACE}", " "))
    return re.sub(r"\\(.)", r"\1", shown).strip()


def _version(tool: str) -> str:
    try:
        told = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return told.stdout.splitlines()[0]
