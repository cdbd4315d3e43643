"""Draws the pages of the recorded run: `report.html`, `<talk>/report.html`, and its pictures.

    python -m whyspiking.recording page

A page that is opened elsewhere has no file beside it. A link to another file of the repository is
absolute, at the commit of the drawing, where CITATION.cff has the repository's address. What else
leads to a file stays words, of which a script makes links where the page lies in its checkout, and
`.github/workflows/pages.yml` on the site.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urljoin

import numpy as np

from whyspiking.plots import figures
from whyspiking.records import reference, tables
from whyspiking.records.array_files import load_arrays
from whyspiking.records.whole_files import read_json, replacing
from whyspiking.report import citing, first_screen, frontier_figure, notebook, slides, touchable
from whyspiking.report.talk_page import existing
from whyspiking.stages.provenance import git
from whyspiking_maintain import inputs, watched

NOTEBOOKS = Path("notebooks")
MAIN, PAGE = "why_spiking", "report.html"
"""Notebook of the page of the run, and what the record calls it, as it does that of each talk."""
FIGURE = "report.png"
"""The figure of the answer, for README and for what is shown where somebody links to the page."""
PLAIN = {"Software": None}
"""Of a picture: nothing of who wrote it."""
LEARNED = "discussion/one_neuron/spiking"
"""Of a run: the networks of which the record keeps a neuron."""
SLIDES = "slides"
"""Every figure of the page as a file."""
EXHIBITS = "figure_data.npz"
"""Beside the measures of an experiment: what figures of its talk draw."""
STATED = '<meta name="tables" content="{}">'
"""In the head of a page: the tables that it shows, by the hash of their description."""
_LINK = re.compile(
    r'<a (?:[^>]* )?href="(?P<to>(?![a-z]+:)[^"#]+)(?P<part>#[^"]*)?"[^>]*>(?P<told>.*?)</a>', re.S
)


def render(folder: Path = reference.FOLDER, home: Path = reference.FOLDER) -> None:
    """Write the pages and the figure of the answer.

    Args:
        folder: The recorded tables.
        home: Where they lie in the repository, as links name them.

    Raises:
        UserError: If a table is missing.
    """
    address = citing.citation({})["repository_code"]
    at = f"{address}/{{}}/{git('rev-parse', 'HEAD')}/{home}" if address else ""
    with tempfile.TemporaryDirectory() as place:
        for name in (*reference.recorded(folder), MAIN):
            file = PAGE if name == MAIN else f"{name}/{PAGE}"
            page = Path(place) / (notebook.MAIN_PAGE if name == MAIN else file)
            page.parent.mkdir(exist_ok=True)
            parameters = {"results": str(folder), "scale": reference.SCALE}
            executed = page.with_suffix(".ipynb")
            notebook.run_notebook(NOTEBOOKS / f"{name}.ipynb", executed, parameters)
            notebook.export(executed, page, Path(place))
            text = page.read_text(encoding="utf-8")
            more = [STATED.format(stated(folder))]
            if at:
                image = f"{at.format('raw')}/{FIGURE}"
                more.append(f'<meta property="og:image" content="{image}">')
            text = text.replace("</head>", "\n".join(more) + "\n</head>", 1)
            inputs.write(folder / file, alone(text, Path(file), folder, at, home).encode())
        slides.write([folder / PAGE], folder / SLIDES)
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
        drawn = answered.networks, answered.advantage, answered.titles
        plate = frontier_figure.figure(*drawn)
        with replacing(target) as partial:
            plate.savefig(partial, dpi=200, facecolor="white", format="png", metadata=PLAIN)


def stated(folder: Path) -> str:
    """An identifier of the recorded tables: the hashes that their description lists."""
    package = read_json(existing(folder / "datapackage.json"))
    hashes = sorted(str(entry["hash"]) for entry in package["resources"])
    return " ".join(hash.removeprefix("sha256:")[:8] for hash in hashes)


def alone(text: str, page: Path, folder: Path, at: str, home: Path) -> str:
    """A page without a link that would be dead where it is opened.

    Args:
        text: Of the page.
        page: Where it lies in the record.
        folder: Of the record.
        at: Address of `home` at a commit, `{}` for how it is shown; empty: not known.
        home: Where the record lies in the repository, as links name it.
    """
    drawn = {PAGE, *(f"{talk}/{PAGE}" for talk in reference.recorded(folder))}
    called = {notebook.MAIN_PAGE: PAGE, f"{MAIN}.ipynb": f"../../{NOTEBOOKS}/{MAIN}.ipynb"}
    for talk in reference.recorded(folder):
        called[f"{talk}/report.ipynb"] = f"../../{NOTEBOOKS}/{talk}.ipynb"

    def link(match: re.Match[str]) -> str:
        to = os.path.relpath(home / page.parent / match["to"], home)
        to, part, told = called.get(to, to), match["part"] or "", match["told"]
        inside = not to.startswith("..")
        to = os.path.join(os.path.dirname(to), tables.lying(folder / to).name)
        lies = folder / to if inside else Path(os.path.normpath(home / to))
        if to not in drawn and not lies.exists():
            return told
        if at and to not in drawn:
            return f'<a href="{urljoin(at.format("blob") + "/", to)}{part}">{told}</a>'
        where = "beside" if inside else "checkout"
        return f'<a data-{where}="{os.path.relpath(to, page.parent)}{part}">{told}</a>'

    return _LINK.sub(link, text)


def keep_drawn(results: Path, folder: Path = reference.FOLDER) -> None:
    """Keep what the pages draw of a finished run: figure data, a neuron, and trials to watch.

    Args:
        results: Folder of the run.
        folder: The recorded tables.
    """
    keep_neuron(results, folder)
    watched.keep_trials(results, folder)
    for talk in reference.recorded(folder):
        for path in (results / talk).glob(f"*/{EXHIBITS}"):
            keep_exhibits(path, folder)


def keep_neuron(results: Path, folder: Path = reference.FOLDER) -> None:
    """Keep the neuron of the discussion that a reader can touch, if a finished run has one."""
    network = next(iter(sorted(results.glob(f"{LEARNED}/seed-*/network.npz"))), None)
    if network is not None:
        arrays = load_arrays(network)
        values = {"w": arrays["w"], "tau_ms": np.exp(arrays["log_tau"]), "theta": arrays["theta"]}
        kept = {name: np.asarray(x, float).round(6).tolist() for name, x in values.items()}
        text = json.dumps(kept, separators=(",", ":"))
        inputs.write(folder / touchable.NEURON, f"{text}\n".encode())


def keep_exhibits(exhibits: Path, folder: Path) -> None:
    """Keep what pages draw of an experiment, of a finished run, in place of the old."""
    of = exhibits.parent
    (folder / of.parent.name / of.name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(exhibits, folder / of.parent.name / of.name / EXHIBITS)
