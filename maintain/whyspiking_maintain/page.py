"""Renders the pages of the recorded run, `report.html` and `details.html`, and the main figure.

    python -m whyspiking.recording page

Of which run the talks' pictures and trials are, `pictures.json` says. A page that is opened
elsewhere has no file beside it: a link to one is absolute where CITATION.cff has the repository's
address, else plain text, which a script makes a link of where the page lies in its place.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from whyspiking.declared import registry
from whyspiking.plots import figures
from whyspiking.records import reference, tables
from whyspiking.records.whole_files import read_json, replacing
from whyspiking.report import citing, first_screen, frontier_figure, notebook, trials
from whyspiking.report.recorded import SCALE
from whyspiking.report.talk_page import PICTURE, PICTURES, existing, thumbnail

NOTEBOOKS = Path("notebooks")
PAGES = {"why_spiking": "report.html", "details": "details.html"}
"""Notebook -> page."""
FIGURE = "report.png"
"""The figure of the answer, for README."""
PLAIN = {"Software": None}
"""Of a picture: nothing of who wrote it."""
STATED = '<meta name="tables" content="{}">'
"""In the head of a page: the tables that it shows, by the hash of their description."""
_LINK = re.compile(
    r'<a (?:[^>]* )?href="(?P<to>(?![a-z]+:)[^"#]+)(?P<part>#[^"]*)?"[^>]*>(?P<told>.*?)</a>', re.S
)
_DECIMALS = re.compile(r"(?<=\.\d\d)\d+")


def render(folder: Path = reference.FOLDER, home: Path = reference.FOLDER) -> None:
    """Write the pages, and the figure of the answer.

    Args:
        folder: The recorded tables.
        home: Where they lie in the repository, as links name them.

    Raises:
        UserError: If a table is missing.
    """
    address = citing.citation({})["repository_code"]
    for name, file in PAGES.items():
        with tempfile.TemporaryDirectory() as place:
            page = Path(place) / file
            parameters = {"results": str(folder), "scale": SCALE}
            executed = page.with_suffix(".ipynb")
            notebook.run_notebook(NOTEBOOKS / f"{name}.ipynb", executed, parameters)
            notebook.export(executed, page, folder)
            text = page.read_text(encoding="utf-8")
        text = text.replace("</head>", STATED.format(stated(folder)) + "\n</head>", 1)
        with replacing(folder / file) as partial:
            partial.write_text(alone(text, folder, address, home), encoding="utf-8")
    picture(folder, folder / FIGURE)


def picture(folder: Path, target: Path) -> None:
    """Draw the figure of the answer by itself, to be read where a page is 880 pixels wide.

    Args:
        folder: The recorded tables.
        target: Where the picture goes.
    """
    answered = first_screen.recorded(folder)
    if answered is None:
        return
    with figures.style():
        drawn = answered.networks, answered.advantage, answered.titles, frontier_figure.README
        plate = frontier_figure.figure(*drawn)
        with replacing(target) as partial:
            plate.savefig(partial, dpi=200, facecolor="white", format="png", metadata=PLAIN)


def stated(folder: Path) -> str:
    """An identifier of the recorded tables: the hashes that their description lists."""
    package = read_json(existing(folder / "datapackage.json"))
    hashes = sorted(str(entry["hash"]) for entry in package["resources"])
    return " ".join(hash.removeprefix("sha256:")[:8] for hash in hashes)


def alone(text: str, folder: Path, address: str, home: Path) -> str:
    """The page without a link that would be dead where it is opened.

    Args:
        text: The page.
        folder: Where it lies.
        address: Of the repository; empty: not known.
        home: Where that is in the repository, as links name it.
    """
    talks = set(reference.recorded(folder))

    def link(match: re.Match[str]) -> str:
        to, part = match["to"], match["part"] or ""
        talk, _, file = to.partition("/")
        # What the record does not keep: the page of a talk, and the notebook behind it.
        if talk in talks and file in ("report.html", "report.ipynb"):
            readme = f"../../workflow/whyspiking/talks/{talk}/README.md"
            to, part = (readme if file == "report.html" else f"../../notebooks/{talk}.ipynb"), ""
        to = {f"{name}.html": file for name, file in PAGES.items()}.get(to, to)
        to = os.path.join(os.path.dirname(to), tables.lying(folder / to).name)
        if to not in PAGES.values() and not (folder / to).exists():
            return match["told"]
        if address:
            inside = os.path.relpath(home / to, Path())
            return f'<a href="{address}/blob/HEAD/{inside}{part}">{match["told"]}</a>'
        return f'<span class="elsewhere" data-href="{to}{part}">{match["told"]}</span>'

    return _LINK.sub(link, text)


def take_pictures(results: Path, folder: Path = reference.FOLDER) -> None:
    """Keep the first figure of every talk of a finished run, small.

    Args:
        results: Folder of the run.
        folder: The recorded tables.
    """
    made = read_json(existing(results / "manifest.json"))
    trials.keep_trials(results, folder)
    for talk in registry.counted(reference.recorded(folder)):
        drawn = _DECIMALS.sub("", thumbnail(results / talk))
        with replacing(folder / talk / PICTURE) as partial:
            partial.write_text(drawn + "\n", encoding="utf-8")
    of = {"scale": made["scale"], "commit": made["commit"][:7]}
    with replacing(folder / PICTURES) as partial:
        partial.write_text(json.dumps(of, indent=1) + "\n", encoding="utf-8")
