"""What docstrings of rooms and modules name in backticks is there."""

import ast
import re
from functools import cache

import pytest
from made.checkouts import ROOT, repository

WORKFLOW = ROOT / "workflow"
PACKAGE = WORKFLOW / "whyspiking"
PACKAGES = (
    PACKAGE,
    ROOT / "exchange/whyspiking_exchange",
    ROOT / "maintain/whyspiking_maintain",
    ROOT / "article/whyspiking_article",
    ROOT / "packages/snakemake-logger-plugin-whyspiking/snakemake_logger_plugin_whyspiking",
)
SOURCES = [path for package in PACKAGES for path in package.rglob("*.py")]
NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)*")
DEFINED = re.compile(
    r"\b(?:def|class|import|type) (\w+)|^(\w+)(?:: .+)? = |self\.(\w+) = |(\w+):\s"
    r'|"([\w.]+)["{]|^    (\w+),$|^\w[\w<>:* ]* (\w+)\(',
    re.MULTILINE,
)
"""Of modules, YAML and C++: also arguments, fields, keys, columns, imports, texts of one word."""
FILES = "\n".join(f"/{path.relative_to(ROOT)}" for path in repository("*")) + "\n"
OUTSIDE = {
    "aeon", "brian2.TimedArray", "jax.grad", "make", "nir.read_data", "numpy.nonzero",
    "sha256sum", "vmap",
    "_neurons/leaky.py", "export_nir.py", "functional/lif.py", "lif_box.py", "synaptic.py",
    "utils/export_nir.py", "nir_exchange/to_nir.py", "plot_xor.py", "model_0.853338_36_New.pth",
    "tutorial_evidence_accumulation_with_alif.py", "weights_pretrained.npy",
    "blueprints/form/form_blueprint.py",
}  # fmt: skip
"""Programs, and files of other frameworks and of the authors."""
PLANTED = {
    "contract/__init__.py": "defaults", "datasets/speech/__init__.py": "spectra",
    "plots/__init__.py": "svg.markup", "running/__init__.py": "clock",
    "plots/figures.py": "report.py", "talks/comsa/model.py": "first_spike.brian_network.NEURON",
}  # fmt: skip
"""Module -> what it pointed to, and was not there."""


@cache
def words_of(path):
    """What a file defines."""
    return {m[m.lastindex] for m in DEFINED.finditer(path.read_text(encoding="utf-8"))}


def is_in(place, parts):
    """Whether a module or package has these parts: modules first, then what the last defines."""
    if not parts:
        return place.is_dir() or place.with_suffix(".py").is_file()
    files = [f for f in (place.with_suffix(".py"), place / "__init__.py") if f.is_file()]
    return is_in(place / parts[0], parts[1:]) or any(set(parts) <= words_of(f) for f in files)


@cache
def around(folder):
    """Files of a room, of a package within it, or of all of a talk, and what they import from."""
    inner = folder.relative_to(PACKAGE).parts if folder.is_relative_to(PACKAGE) else ()
    talk = PACKAGE.joinpath(*inner[:2]) if inner[:1] == ("talks",) else folder
    own = [p for kind in ("*.py", "*.yaml", "*.cpp", "*.hpp") for p in talk.rglob(kind)]
    text = "".join(p.read_text(encoding="utf-8") for p in own)
    lower = {f"{m.replace('.', '/')}.py" for m in re.findall(r"^from (\S+) import", text, re.M)}
    found = (package.parent / name for package in PACKAGES for name in sorted(lower))
    return own + [path for path in found if path.is_file()]


def resolves(name, path):
    """Whether the docstring of a module may say so; commands and formulas are not looked at."""
    name = re.sub(r"(?<=_)k$", "", name)  # what layers have by number
    parts = name.split(".")
    above = [p for p in path.parents if any(p.is_relative_to(own.parent) for own in PACKAGES)]
    above += [WORKFLOW, PACKAGE]
    own = [path] if path.parent == PACKAGE else around(path.parent)
    return (
        not NAME.fullmatch(name)
        or name in OUTSIDE
        or f"/{name}\n" in FILES
        or any(is_in(place, parts) for place in above)
        or any({name} <= words_of(p) or set(parts) <= words_of(p) for p in own)
    )


def unresolved(docstring, path):
    """What stands in backticks there and is nowhere."""
    return [n for n in re.findall(r"`([^`\n]+)`", docstring or "") if not resolves(n, path)]


def test_what_a_room_and_a_module_point_to_is_there():
    found = {p: ast.get_docstring(ast.parse(p.read_text("utf-8"))) for p in SOURCES}
    wrong = {str(p.relative_to(ROOT)): unresolved(said, p) for p, said in found.items()}
    assert len(found) > 300
    assert {place: names for place, names in wrong.items() if names} == {}


@pytest.mark.parametrize(("place", "name"), PLANTED.items())
def test_a_name_of_nothing_is_found(place, name):
    assert unresolved(f"At a glance: `{name}`, `Path`.", PACKAGE / place) == [name]


def test_files_that_code_and_comments_name_are_there():
    found = {
        (str(p.relative_to(ROOT)), name)
        for p in SOURCES
        for name in re.findall(r"(?<![\w./*>])[a-z_][\w/]*\.py\b", p.read_text("utf-8"))
        if f"/{name}\n" not in FILES and name not in OUTSIDE
    }
    assert found == set()
