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
"""Notebook of the page of the run, and the file name of this page and of the page of each talk."""
FIGURE = "report.png"
"""The figure of the answer, for README and for what is shown where somebody links to the page."""
PICTURE_METADATA = {"Software": None}
"""Metadata of a picture without the software that wrote it."""
NEURON_NETWORKS = "discussion/one_neuron/spiking"
"""Folder in a run with the networks of which the record keeps a neuron."""
SLIDES = "slides"
"""Folder with every figure of the page as a file."""
EXHIBITS = "figure_data.npz"
"""File in the folder of an experiment with the data that figures of its talk draw."""
STATED = '<meta name="tables" content="{}">'
"""Tag in the head of a page that names its tables by the hashes of their description."""
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
    repository_url = citing.citation({})["repository_code"]
    commit_url = (
        f"{repository_url}/{{}}/{git('rev-parse', 'HEAD')}/{home}" if repository_url else ""
    )
    with tempfile.TemporaryDirectory() as temp_folder:
        for name in (*reference.recorded(folder), MAIN):
            page_path = PAGE if name == MAIN else f"{name}/{PAGE}"
            page = Path(temp_folder) / (notebook.MAIN_PAGE if name == MAIN else page_path)
            page.parent.mkdir(exist_ok=True)
            parameters = {"results": str(folder), "scale": reference.SCALE}
            notebook_path = page.with_suffix(".ipynb")
            notebook.run_notebook(NOTEBOOKS / f"{name}.ipynb", notebook_path, parameters)
            notebook.export(notebook_path, page, Path(temp_folder))
            markup = page.read_text(encoding="utf-8")
            head_tags = [STATED.format(stated(folder))]
            if commit_url:
                image = f"{commit_url.format('raw')}/{FIGURE}"
                head_tags.append(f'<meta property="og:image" content="{image}">')
            markup = markup.replace("</head>", "\n".join(head_tags) + "\n</head>", 1)
            inputs.write(
                folder / page_path,
                alone(markup, Path(page_path), folder, commit_url, home).encode(),
            )
        slides.write([folder / PAGE], folder / SLIDES)
        picture(folder, folder / FIGURE)


def picture(folder: Path, target: Path) -> None:
    """Draw the figure of the answer by itself, to be read where a page is 880 pixels wide.

    Args:
        folder: The recorded tables.
        target: Where the picture goes.
    """
    comparisons = first_screen.recorded(folder)
    if comparisons is None:
        return
    with figures.style():
        plot_inputs = comparisons.networks, comparisons.advantage, comparisons.titles
        figure = frontier_figure.figure(*plot_inputs)
        with replacing(target) as partial:
            figure.savefig(
                partial, dpi=200, facecolor="white", format="png", metadata=PICTURE_METADATA
            )


def stated(folder: Path) -> str:
    """Return an identifier of the recorded tables: the hashes that their description lists."""
    package = read_json(existing(folder / "datapackage.json"))
    hashes = sorted(str(entry["hash"]) for entry in package["resources"])
    return " ".join(digest.removeprefix("sha256:")[:8] for digest in hashes)


def alone(markup: str, page: Path, folder: Path, url: str, home: Path) -> str:
    """Return a page without links that would be dead where it is opened.

    Args:
        markup: Of the page.
        page: Where it lies in the record.
        folder: Of the record.
        url: Address of `home` at a commit, `{}` for how it is shown; empty: not known.
        home: Where the record lies in the repository, as links name it.
    """
    page_paths = {PAGE, *(f"{talk}/{PAGE}" for talk in reference.recorded(folder))}
    published_paths = {notebook.MAIN_PAGE: PAGE, f"{MAIN}.ipynb": f"../../{NOTEBOOKS}/{MAIN}.ipynb"}
    for talk in reference.recorded(folder):
        published_paths[f"{talk}/report.ipynb"] = f"../../{NOTEBOOKS}/{talk}.ipynb"

    def rewrite_link(match: re.Match[str]) -> str:
        target = os.path.relpath(home / page.parent / match["to"], home)
        target, fragment, label = (
            published_paths.get(target, target),
            match["part"] or "",
            match["told"],
        )
        is_inside = not target.startswith("..")
        target = os.path.join(os.path.dirname(target), tables.lying(folder / target).name)
        target_file = folder / target if is_inside else Path(os.path.normpath(home / target))
        if target not in page_paths and not target_file.exists():
            return label
        if url and target not in page_paths:
            return f'<a href="{urljoin(url.format("blob") + "/", target)}{fragment}">{label}</a>'
        base = "beside" if is_inside else "checkout"
        return f'<a data-{base}="{os.path.relpath(target, page.parent)}{fragment}">{label}</a>'

    return _LINK.sub(rewrite_link, markup)


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
    network = next(iter(sorted(results.glob(f"{NEURON_NETWORKS}/seed-*/network.npz"))), None)
    if network is not None:
        arrays = load_arrays(network)
        parameters = {
            "w": arrays["w"],
            "tau_ms": np.exp(arrays["log_tau"]),
            "theta": arrays["theta"],
        }
        rounded_parameters = {
            name: np.asarray(x, float).round(6).tolist() for name, x in parameters.items()
        }
        text = json.dumps(rounded_parameters, separators=(",", ":"))
        inputs.write(folder / touchable.NEURON, f"{text}\n".encode())


def keep_exhibits(exhibits: Path, folder: Path) -> None:
    """Keep what pages draw of an experiment, of a finished run, in place of the old."""
    experiment_folder = exhibits.parent
    (folder / experiment_folder.parent.name / experiment_folder.name).mkdir(
        parents=True, exist_ok=True
    )
    shutil.copyfile(
        exhibits, folder / experiment_folder.parent.name / experiment_folder.name / EXHIBITS
    )
