"""Which source files a stage depends on: Snakemake does not follow imports, this does."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
SCRIPTS = PACKAGE.parent / "scripts"

STAGE_SCRIPTS = {
    "train": "train.py",
    "simulate": "simulate.py",
    "collect": "collect.py",
    "compare": "compare.py",
    "page": "page.py",
    "slides": "slides.py",
}
# What only draws, or writes finished networks for others, does not decide a number: a change there
# must not retrain a network.
DRAWING = ("figures.py", "drawing.py", "report.py", "exchange.py")
# Drawings of a talk may fill several files, drawing_<part>.py.
DRAWING_PREFIX = "drawing_"
# Neither do the lines in a log; and what talk.yaml says reaches the jobs as their parameters.
TELLING = ("jobs.py", "progress.py", "config.py")


@cache
def of_stage(stage: str) -> list[str]:
    """Core files that the script of a stage imports, directly or not."""
    return _relative(_closure(_roots(stage)))


@cache
def of_talk(talk: str, stage: str) -> list[str]:
    """The talk's own files and all core files that the stage can reach from them."""
    folder = PACKAGE / "replications" / talk
    if stage == "page":
        own = [*folder.glob("*.py"), folder / "talk.yaml", folder / "claims.yaml"]
    else:
        own = [p for p in folder.glob("*.py") if not _draws(p, DRAWING)]
    reached = _closure([*_roots(stage), *own], left_out=() if stage == "page" else DRAWING)
    return _relative({*reached, *own})


@cache
def of_folder(folder: str) -> list[str]:
    """All sources of a folder of the package and what they import: for jobs that make data."""
    # What a progress display or a contract says changes no data.
    left_out = ("contract.py", "errors.py", *TELLING)
    return _relative(_closure((PACKAGE / folder).glob("*.py"), left_out))


def of_modules(*names: str) -> list[str]:
    """Some modules of the package and what they import: for jobs that make data."""
    left_out = ("contract.py", "errors.py", *TELLING)
    return _relative(_closure([PACKAGE / name for name in names], left_out))


def of_claims(talk: str) -> str:
    """The claims of a talk, relative like all inputs: a copied project collects nothing anew."""
    return _relative([PACKAGE / "replications" / talk / "claims.yaml"])[0]


def of_description(talk: str) -> str:
    """What a talk declares, relative: the numbers of its tables depend on roles and times there."""
    return _relative([PACKAGE / "replications" / talk / "talk.yaml"])[0]


def of_ranges() -> str:
    """The published ranges that stand beside the networks, relative."""
    return _relative([PACKAGE / "report_assets" / "biology.yaml"])[0]


def _roots(stage: str) -> list[Path]:
    roots = [SCRIPTS / STAGE_SCRIPTS[stage]]
    if stage == "page":
        # What the notebooks import, and what a page is dressed in.
        assets = sorted((PACKAGE / "report_assets").iterdir())
        own = ("study.py", "benchmark_section.py", "style.mplstyle")
        roots += [*(PACKAGE / name for name in own), *assets]
    return roots


def _relative(paths: Iterable[Path]) -> list[str]:
    here = Path.cwd()
    # Snakemake tracks the scripts itself.
    kept = [p for p in paths if p.parent != SCRIPTS and p.name not in TELLING]
    return sorted(str(p.relative_to(here)) if p.is_relative_to(here) else str(p) for p in kept)


def _closure(roots: Iterable[Path], left_out: tuple[str, ...] = ()) -> set[Path]:
    """Roots and all they import, except through files that are left out."""
    seen: set[Path] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path in seen or _draws(path, left_out):
            continue
        seen.add(path)
        if path.suffix == ".py":
            waiting.extend(_imports(path))
            waiting.extend(p for p in path.parent.iterdir() if p.suffix in (".cpp", ".hpp"))
    return seen


def _draws(path: Path, names: tuple[str, ...]) -> bool:
    return path.name in names or (bool(names) and path.name.startswith(DRAWING_PREFIX))


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    found = []
    for name in sorted(names):
        parts = name.split(".")
        if parts[0] != PACKAGE.name:
            continue
        base = PACKAGE.joinpath(*parts[1:])
        for candidate in (base.with_suffix(".py"), base / "__init__.py"):
            if candidate.is_file():
                found.append(candidate)
    return tuple(found)
