"""HTML, LaTeX and PDF of the article, by pandoc and pdfTeX, the same bytes every time.

HTML and LaTeX are those of the pandoc at hand (its version stands in codecheck.yml). Where there is
no pdfTeX the PDF is left as it was.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from whyspiking.declared import abstract_file
from whyspiking.errors import UserError
from whyspiking.plots.figures import Plate, style
from whyspiking.report import eight_talks, frontier_figure, talk_page
from whyspiking.verdicts import judge
from whyspiking_article import text
from whyspiking_article.record import Record

NAME = "article"
PANDOC = ("pandoc", f"{NAME}.md", "--standalone", "--number-sections", "--citeproc")
BIBLIOGRAPHY = f"--bibliography={text.BIBLIOGRAPHY}"
KINDS = {
    "html": ("--embed-resources", "--mathml", f"--css={text.ASSETS / 'article.css'}"),
    "tex": (f"--include-in-header={text.ASSETS / 'header.tex'}",),
}
"""What pandoc makes of the text -> its own options."""
FIGURES = {"html": ("svg", "Date"), "tex": ("pdf", "CreationDate")}
"""Kind of page -> format of its figures, and the entry of that which would tell the time."""
_DRAWN = re.compile(r'<svg id="(svg_\w+)".*?</svg>', re.DOTALL)


def figures(record: Record) -> dict[str, Plate]:
    """The figures by the name that the template includes them by: those of the page."""
    comparisons, talks = record.comparisons, record.talks
    claims = talk_page.claims_of(talks.values())
    rows = {row["talk"]: row for row in record.rows("verdicts", claim_role="key")}
    named = [
        (
            talk.surname,
            abstract_file.load(talk.folder, claims).short_statement,
            rows[name],
            judge.list_values(record.run.metrics, claims[rows[name]["claim"]]),
        )
        for name, talk in talks.items()
    ]
    return {
        "talks": eight_talks.figure(named),
        "frontiers": frontier_figure.figure(
            comparisons.networks,
            comparisons.advantage,
            comparisons.titles,
        ),
    }


def write(record: Record, folder: Path) -> list[Path]:
    """Make the article; returns the files that were written.

    Args:
        record: Where its numbers are.
        folder: Where to.

    Raises:
        UserError: If pandoc is missing, or pandoc or TeX refuses the text.
    """
    if shutil.which("pandoc") is None:
        raise UserError("article: no pandoc on PATH; expected one; run apt-get install pandoc")
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        with style():
            for name, plate in figures(record).items():
                for kind, clock in FIGURES.values():
                    plate.savefig(place / f"{name}.{kind}", metadata={clock: None})
        (place / f"{NAME}.md").write_text(text.filled(record), encoding="utf-8")
        for kind, options in KINDS.items():
            images = f"--default-image-extension={FIGURES[kind][0]}"
            _made(
                (*PANDOC, BIBLIOGRAPHY, images, *options, f"--output={NAME}.{kind}"), place, record
            )
        kinds = [*KINDS]
        if shutil.which("pdflatex"):
            for _ in range(2):  # the second sets the references to sections and figures
                _made(("pdflatex", "-interaction=nonstopmode", f"{NAME}.tex"), place, record)
            kinds.append("pdf")
        page = place / f"{NAME}.html"
        page.write_text(apart(page.read_text(encoding="utf-8")), encoding="utf-8")
        return [_kept(place / f"{NAME}.{kind}", folder) for kind in kinds]


def apart(page: str) -> str:
    """A page whose drawings scroll by themselves and clip by their own paths.

    Pandoc puts the name of a drawing before each name in it, but not where `url()` leads to one.
    """
    return _DRAWN.sub(
        lambda found: (
            f'<div class="picture">{re.sub(r"url\(#(?!svg_)", f"url(#{found[1]}_", found[0])}</div>'
        ),
        page,
    )


def _kept(made: Path, folder: Path) -> Path:
    return Path(shutil.copyfile(made, folder / made.name))


def _made(command: Sequence[str], place: Path, record: Record) -> None:
    """Run a command; its clock stands at the day of the record."""
    day = datetime.fromisoformat(record.run.manifest["date"]).replace(tzinfo=UTC)
    epoch = {"SOURCE_DATE_EPOCH": f"{day.timestamp():.0f}", "FORCE_SOURCE_DATE": "1"}
    done = subprocess.run(
        command, cwd=place, env=os.environ | epoch, capture_output=True, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
        raise UserError(f"article: {command[0]} failed; correct the template:\n{tail}")
