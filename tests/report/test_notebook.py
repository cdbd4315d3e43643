"""Pages from notebooks: equations, parameters, captions, and no half page when a cell fails."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from made.checkouts import ROOT

from whyspiking.errors import UserError
from whyspiking.report import notebook as report
from whyspiking.running import code_inputs

# equations


def test_equations_become_numbered_mathml():
    block = report.mathml(r"\frac{a_1}{b} \tag{3}", display=True)
    for part in ('id="eq-3"', "(3)</span>", "<mfrac>"):
        assert part in block
    assert "tag" not in block
    assert report.mathml("x_1", display=False).startswith("<math")


@pytest.mark.parametrize(
    "latex", [r"a \! b", r"\begin{aligned} a &= b \end{aligned}", "a & b", r"\frac{", "a^b^c"]
)
def test_equations_that_cannot_be_converted_are_refused(latex):
    with pytest.raises(ValueError, match=r"MathML|cannot be converted"):
        report.mathml(latex, display=True)


def test_dollars_in_code_are_no_equations():
    lifted: list[str] = []
    text = report._lift_equations("cost `a $b$ c` and $x_i * y_i$, then\n\n$$z$$", lifted, "here")
    assert "`a $b$ c`" in text
    assert len(lifted) == 2
    assert "$" not in text.replace("`a $b$ c`", "")


# the notebooks


def write_notebook(path, *cells):
    """A notebook of these cells, the second of which has the parameters."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )
    for number, source in enumerate(cells):
        words = source.startswith("#")
        kind = nbformat.v4.new_markdown_cell if words else nbformat.v4.new_code_cell
        notebook.cells.append(kind(source, id=f"cell-{number}"))
    notebook.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path


@pytest.mark.slow
def test_page_is_self_contained_and_the_same_on_every_build(tmp_path):
    source = write_notebook(
        tmp_path / "toy.ipynb",
        "# A title\n\ntext with $x_1$\n\n$$y = x^2 \\tag{1}$$",
        "results: str = ''\nword: str = 'default'",
        "## A section",
        "from whyspiking.report.html import Html\nHtml(f'<p>{word}</p>')",
    )
    pages = []
    for name in ("a", "b"):
        page = tmp_path / f"{name}.html"
        parameters = {"results": str(tmp_path), "word": "changed"}
        report.make_page(source, tmp_path / f"{name}.ipynb", page, parameters)
        pages.append(page.read_text().replace(f"{name}.ipynb", "x.ipynb"))
    assert pages[0] == pages[1]
    page = pages[0]
    for part in (
        "<p>changed</p>",
        "<title>A title</title>",
        '<a href="#a-section">A section</a>',
        'id="eq-1"',
    ):
        assert part in page
    assert "$$" not in page and not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    executed = json.loads((tmp_path / "a.ipynb").read_text())
    assert "papermill" not in json.dumps(executed["metadata"])
    assert str(tmp_path) not in page


def test_every_caption_of_the_snakemake_report_exists():
    folder = ROOT / "workflow"
    shown = []
    for path in (folder / "Snakefile", *(folder / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        names = re.findall(r'(?:caption=|^report: )"([^"]+)"', text, flags=re.MULTILINE)
        shown += [(path.parent / name).resolve() for name in names]
        assert text.count("report(") == len(re.findall(r"caption=", text))
    assert all(len(path.read_text()) > 80 for path in shown)
    kept = sorted((ROOT / "workflow" / "report").iterdir())
    assert len(kept) >= 5 and sorted(set(shown)) == kept, "a caption that nothing shows"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "error", "words"),
    [
        ("1 / 0", Exception, "ZeroDivisionError"),
        (
            "from whyspiking.errors import UserError\nraise UserError('mend it')",
            UserError,
            "mend it",
        ),
        ("import os\nos._exit(9)", UserError, "without memory"),
    ],
)
def test_failing_cell_leaves_no_half_report(tmp_path, cell, error, words):
    source = write_notebook(tmp_path / "toy.ipynb", "# A title", "results: str = ''", cell)
    folder = tmp_path / "out"
    parameters = {"results": str(tmp_path)}
    with pytest.raises(error, match=words):
        report.make_page(source, folder / "r.ipynb", folder / "r.html", parameters)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nbformat": 4, "metadata": {}}', "[" * 99_999])
def test_what_is_no_notebook_is_refused(tmp_path, text):
    (tmp_path / "toy.ipynb").write_text(text)
    with pytest.raises(UserError, match="not readable as a notebook"):
        report.run_notebook(tmp_path / "toy.ipynb", tmp_path / "out.ipynb", {"results": "."})


def test_nobody_else_on_the_machine_can_listen_to_a_kernel(tmp_path, capfd):
    asked = (
        "import os\nfrom ipykernel.kernelapp import IPKernelApp\napp = IPKernelApp.instance()\n"
        "print(app.transport, os.stat(os.path.dirname(app.ip)).st_mode & 0o77)"
    )
    source = write_notebook(tmp_path / "toy.ipynb", "# A title", "results: str = ''", asked)
    report.run_notebook(source, tmp_path / "out.ipynb", {"results": "."})
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert executed.cells[-1]["outputs"][0]["text"] == "ipc 0\n"
    assert "KeyboardInterrupt" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"colour": "green"}, "does not name 'colour'"),
        ({"results": 7}, "'results' is 7; expected 'str'"),
        ({"results": None}, "'results' is None; expected 'str'"),
    ],
)
def test_parameters_that_a_notebook_does_not_ask_for_are_refused(tmp_path, parameters, words):
    source = write_notebook(tmp_path / "toy.ipynb", "# A title", "results: str = ''")
    with pytest.raises(UserError, match=words):
        report.run_notebook(source, tmp_path / "out.ipynb", parameters)
    assert not (tmp_path / "out.ipynb").exists()


def test_pages_depend_on_all_that_draws_them():
    files = {Path(name).name for name in code_inputs.of_stage("page")}
    assert files >= {"run_page.py", "talk_page.py", "eight_talks.py", "style.css", "page.html.j2"}
    code = (".py", ".cpp", ".hpp", ".pyc")
    # Room nir has the template of scripts of Brian2.
    rooms = [room for room in code_inputs.PACKAGE.iterdir() if room.name not in ("talks", "nir")]
    told = {p.name for room in rooms for p in room.rglob("*.*") if p.suffix not in code}
    told -= {"protocol.yaml", "README.md"}  # read by a test, and by readers
    assert {"labels.yaml", "rule_study.csv"} <= told <= files
    trained = {Path(name).name for name in code_inputs.of_talk("goeltz", "train")}
    assert not trained & {"run_page.py", "figures.py", "style.css"}
    assert not trained & {"frontier_figure.py", "html.py"}, "nor on what only drawing imports"


def test_importing_the_page_maker_is_cheap():
    code = "import sys, whyspiking.report.notebook; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
