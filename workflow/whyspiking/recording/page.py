"""Renders the page of the recorded run: `results/reference/report.html`, for who runs nothing.

    python -m whyspiking.recording page
    python -m whyspiking.recording page --pictures results/full

The second takes the first figure of every talk from the pages of a finished run, for the cards; of
which run it is, `pictures.json` says. The page links to what is recorded only: a talk's page
becomes its README, and what else is not there becomes plain text.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from whyspiking.records import reference
from whyspiking.records.whole_files import read_json, replacing
from whyspiking.report import notebook
from whyspiking.report.recorded import SCALE
from whyspiking.report.talk_page import PICTURE, PICTURES, existing, thumbnail

PAGE = "report.html"
NOTEBOOK = Path("notebooks/why_spiking.ipynb")
STATED = '<meta name="tables" content="{}">'
"""In the head of the page: the tables that it shows, by the hash of their description."""
_LINK = re.compile(
    r'<a (?:[^>]* )?href="(?P<to>[^"#:]+)(?P<part>#[^"]*)?"[^>]*>(?P<told>.*?)</a>', re.S
)
_DECIMALS = re.compile(r"(?<=\.\d\d)\d+")


def render(folder: Path = reference.FOLDER) -> None:
    """Write the page.

    Args:
        folder: The recorded tables.

    Raises:
        UserError: If a table is missing.
    """
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / PAGE
        parameters = {"results": str(folder), "scale": SCALE}
        notebook.run_notebook(NOTEBOOK, page.with_suffix(".ipynb"), parameters)
        notebook.export(page.with_suffix(".ipynb"), page, folder)
        text = page.read_text(encoding="utf-8")
    text = text.replace("</head>", STATED.format(stated(folder)) + "\n</head>", 1)
    with replacing(folder / PAGE) as partial:
        partial.write_text(linked(text, folder), encoding="utf-8")


def stated(folder: Path) -> str:
    """An identifier of the recorded tables: the hashes that their description lists."""
    package = read_json(existing(folder / "datapackage.json"))
    hashes = sorted(str(entry["hash"]) for entry in package["resources"])
    return " ".join(hash.removeprefix("sha256:")[:8] for hash in hashes)


def linked(text: str, folder: Path) -> str:
    """The page with links to what is there only.

    Args:
        text: The page.
        folder: Where it lies.
    """
    talks = set(reference.recorded(folder))

    def link(match: re.Match[str]) -> str:
        to = match["to"]
        talk, _, file = to.partition("/")
        if (folder / to).exists():
            return match[0]
        if talk in talks and file == PAGE:
            readme = f"../../workflow/whyspiking/talks/{talk}/README.md"
            return match[0].replace(f'href="{to}{match["part"] or ""}"', f'href="{readme}"')
        if talk in talks and file.endswith("metrics.csv"):
            return match[0].replace(f'href="{to}"', f'href="{talk}/metrics.csv"')
        return match["told"]

    return _LINK.sub(link, text)


def take_pictures(results: Path, folder: Path = reference.FOLDER) -> None:
    """Keep the first figure of every talk of a finished run, small.

    Args:
        results: Folder of the run.
        folder: The recorded tables.
    """
    made = read_json(existing(results / "manifest.json"))
    for talk in reference.recorded(folder):
        drawn = _DECIMALS.sub("", thumbnail(results / talk))
        with replacing(folder / talk / PICTURE) as partial:
            partial.write_text(drawn + "\n", encoding="utf-8")
    of = {"scale": made["scale"], "commit": made["commit"][:7]}
    with replacing(folder / PICTURES) as partial:
        partial.write_text(json.dumps(of, indent=1) + "\n", encoding="utf-8")
