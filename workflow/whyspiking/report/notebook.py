"""Execute a notebook and make a self-contained page of it.

The page needs no network: style, script, equations (MathML) and figures (SVG) are inside.
"""

from __future__ import annotations

import html
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError
from whyspiking.records.whole_files import replacing
from whyspiking.report.html import ASSETS, slug, templates

MAIN_PAGE = "why_spiking.html"

# Code first, so that a dollar sign in code is not taken for an equation.
_MATH = re.compile(r"```.*?```|`[^`\n]*`|\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+?)\$", re.DOTALL)
_TAG = re.compile(r"\\tag\{([^}]*)\}")
_TOKEN = re.compile(r"LIFTED(\d{4})HERE")
_HEADING = re.compile(
    r'<h(?P<level>[23])(?: id="(?P<name>[^"]+)")?>(?P<text>.*?)</h(?P=level)>', re.DOTALL
)
# What latex2mathml writes wrongly, and the spelling to use instead.
_UNSUPPORTED = re.compile(r"\\!|\\begin\{(?:aligned|align|split)")


def make_page(source: Path, notebook: Path, page: Path, parameters: Mapping[str, Any]) -> None:
    """Execute `source` with parameters, keep the result as `notebook`, export it as `page`.

    Args:
        source: Notebook with a cell tagged `parameters`.
        notebook: Where the executed notebook goes.
        page: Where the HTML page goes.
        parameters: Values for the parameters cell; `results` is the folder of the run.

    Raises:
        UserError: If a cell fails for a reason that the user can mend.
    """
    run_notebook(source, notebook, parameters)
    export(notebook, page, Path(parameters["results"]))


def run_notebook(source: Path, notebook: Path, parameters: Mapping[str, Any]) -> None:
    """Execute a notebook; the result appears whole or not at all.

    Execution times, versions and paths that papermill notes are removed, so that two runs on equal
    results write equal files.

    Args:
        source: Notebook with a cell tagged `parameters`.
        notebook: Where the executed notebook goes.
        parameters: Values for the parameters cell.

    Raises:
        UserError: If the file is no notebook, does not ask for a parameter or asks for one of
            another type, or if a cell raised a `UserError` or ended its kernel.
        papermill.PapermillExecutionError: If a cell failed otherwise.
    """
    import nbformat
    import papermill
    from traitlets.config import Config

    _check_parameters(source, parameters)
    with (
        replacing(notebook) as partial,
        tempfile.TemporaryDirectory(prefix="whyspiking-") as socket_folder,
    ):
        # Over TCP whoever else is on the machine could listen.
        sockets = {"transport": "ipc", "ip": f"{socket_folder}/kernel"}
        try:
            papermill.execute_notebook(
                str(source),
                str(partial),
                parameters=dict(parameters),
                kernel_name="python3",
                progress_bar=False,
                log_output=False,
                cwd=".",
                config=Config({"ConnectionFileMixin": sockets}),
                # Each kernel is stopped by an interrupt, which it would report as an error.
                extra_arguments=["--IPKernelApp.log_level=50"],
            )
        except papermill.PapermillExecutionError as error:
            if error.ename == "UserError":
                raise UserError(error.evalue) from None
            raise
        except RuntimeError as error:  # "Kernel died"
            raise UserError(
                f"{source}: {error}: the process that ran its cells was ended, as by a system "
                "without memory; expected all cells to run; free some memory and start again"
            ) from None
        executed = nbformat.read(partial, as_version=4)
        executed.metadata.pop("papermill", None)
        for number, cell in enumerate(executed.cells):
            cell.metadata.pop("papermill", None)
            cell.metadata.pop("execution", None)
            # Papermill gives the cell it injects a random id.
            cell["id"] = f"cell-{number}"
        nbformat.write(executed, partial)


def _check_parameters(source: Path, parameters: Mapping[str, Any]) -> None:
    """Parameters become code of a cell: only those that the notebook asks for, of their type."""
    import papermill

    try:
        declared = papermill.inspect_notebook(str(source))
    except Exception as error:  # what a damaged notebook makes of nbformat has many names
        raise UserError(
            f"{source}: not readable as a notebook ({' '.join(str(error).split())[:80]}); expected "
            "one as Jupyter writes it; restore it (git checkout), or save it again"
        ) from None
    for name, value in parameters.items():
        if name not in declared:
            raise UserError(
                f"{source}: its cell of parameters does not name '{name}'; expected it there. Add "
                f"`{name}: {type(value).__name__} = ...`"
            )
        declared_type = declared[name]["inferred_type_name"]
        if declared_type != type(value).__name__:
            raise UserError(
                f"{source}: parameter '{name}' is {value!r}; expected '{declared_type}' as in the "
                "cell of parameters. Correct it, or write "
                f"`{name}: {type(value).__name__} = ...` there"
            )


def export(notebook: Path, page: Path, results: Path) -> None:
    """Make the page of an executed notebook.

    Args:
        notebook: Executed notebook; its first heading is the page's title.
        page: Where the HTML goes.
        results: Folder of the run, where the main page and the tables lie.

    Raises:
        UserError: If an equation uses what the converter to MathML does not know.
    """
    import nbformat
    from nbconvert import HTMLExporter

    content = nbformat.read(notebook, as_version=4)
    lifted: list[str] = []
    for cell in content.cells:
        if cell.cell_type == "markdown":
            cell.source = _lift_equations(cell.source, lifted, str(notebook))
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                # The exporter would parse all figures, and write their names in small letters.
                lifted.append(output.data["text/html"])
                output.data["text/html"] = _write_token(len(lifted) - 1)
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_output_prompt=True,
        exclude_input_prompt=True,
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(content)
    body = _TOKEN.sub(lambda match: lifted[int(match.group(1))], body)
    body, sections = _add_anchors(body)
    # An equation that stands alone is a block of its own, not a paragraph.
    body = re.sub(r"<p>\s*(<div class=\"equation\".*?</div>)\s*</p>", r"\1", body, flags=re.DOTALL)

    title = re.search(r"<h1[^>]*>(.*?)</h1>", body, flags=re.DOTALL)
    summary = re.search(r'<div class="told">.*?<p[^>]*>(.*?)</p>', body, flags=re.DOTALL)
    main_page = results / MAIN_PAGE
    home = "" if page.resolve() == main_page.resolve() else os.path.relpath(main_page, page.parent)
    text = (
        templates()
        .get_template("page.html.j2")
        .render(
            title=_strip_tags(title.group(1)) if title else page.stem,
            description=_strip_tags(summary.group(1)) if summary else "",
            sections=sections,
            home=home,
            notebook=os.path.relpath(notebook, page.parent),
            style=_read_assets("style.css", "touchable.css", "energy.css"),
            script=_read_assets("page.js", "touchable.js", "energy.js", "watch.js"),
            body=body,
        )
    )
    # Sealed: the page of the run shows the figures of the talks' pages.
    with replacing(page, sealed=True) as partial:
        partial.write_text(text, encoding="utf-8")


def _read_assets(*names: str) -> str:
    """What a page is dressed in, one file after the other."""
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in names)


def mathml(latex: str, display: bool) -> str:
    r"""One LaTeX formula as MathML; `\tag{n}` becomes an equation number with an anchor.

    Raises:
        ValueError: If the formula uses what the converter does not know.
    """
    from latex2mathml.converter import convert

    unsupported = _UNSUPPORTED.search(latex)
    if unsupported or ("&" in latex and "\\begin" not in latex):
        raise ValueError(
            f"the formula '{latex.strip()}' contains "
            f"'{unsupported.group(0) if unsupported else '&'}', which "
            "MathML conversion does not know; write one formula per line without it"
        )
    try:
        markup = convert(_TAG.sub("", latex).strip(), display="block" if display else "inline")
    except Exception as error:  # the converter has a name of its own for each mistake
        raise ValueError(
            f"the formula '{latex.strip()}' cannot be converted ({type(error).__name__}); expected "
            "LaTeX whose braces and commands are complete; correct it"
        ) from None
    if not display:
        return markup
    tag = _TAG.search(latex)
    if not tag:
        return f'<div class="equation">{markup}</div>'
    name = html.escape(tag.group(1), quote=True)
    number = f'<span class="number">({html.escape(tag.group(1))})</span>'
    return f'<div class="equation" id="eq-{name}">{markup}{number}</div>'


def _lift_equations(source: str, lifted: list[str], file_name: str) -> str:
    """Replace every formula by a token: Markdown would tear its underscores and stars apart."""

    def lift(match: re.Match[str]) -> str:
        block, inline = match.group(1), match.group(2)
        if block is None and inline is None:
            return match.group(0)
        try:
            lifted.append(mathml(block or inline, display=block is not None))
        except ValueError as error:
            raise UserError(f"{file_name}: {error}") from None
        return _write_token(len(lifted) - 1)

    return _MATH.sub(lift, source)


def _write_token(number: int) -> str:
    return f"LIFTED{number:04d}HERE"


def _add_anchors(body: str) -> tuple[str, list[tuple[str, str]]]:
    """Give headings of the second and third level an anchor and a link to it.

    Returns:
        The page, and the anchors and texts of its second-level headings.
    """
    sections: list[tuple[str, str]] = []

    def anchor(match: re.Match[str]) -> str:
        level, text = match["level"], _strip_tags(match["text"])
        name = match["name"] or slug(text)
        if level == "2":
            sections.append((name, text))
        link = f'<a class="permalink" href="#{name}" aria-label="Link to “{text}”">#</a>'
        return f'<h{level} id="{name}">{match["text"]} {link}</h{level}>'

    return _HEADING.sub(anchor, body), sections


def _strip_tags(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()
