"""Find the source files that a stage depends on, since Snakemake does not follow imports."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import yaml

from whyspiking.errors import UserError

PACKAGE = Path(__file__).parents[1]
SCRIPTS = PACKAGE.parent / "scripts"

# Place in the package -> the stages whose numbers it cannot change. They must not load it, and a
# change there does not run them again. Everything else that a stage imports is its input.
NOT_IN = {
    # Figures, drawn for pages only.
    "talks/*/figures*.py": ("train", "simulate"),
    "talks/*/*/figures*.py": ("train", "simulate"),
    # What measures or shows a trained network.
    "talks/*/measures*.py": ("train",),
    "talks/*/*/measures*.py": ("train",),
    "talks/*/exhibits*.py": ("train",),
    "talks/*/*/exhibits*.py": ("train",),
    # Pictures of the shared tasks.
    "tasks/picture*.py": ("train", "simulate"),
    "tasks/*/picture.py": ("train", "simulate"),
    # The types of jobs that learn; data sets are made without them.
    "contract/types.py": ("data",),
}
# What jobs load and what changes no number: their log, their errors, their list of inputs.
INERT = ("errors.py", "running/*.py")
# What readers enter by (`whyspiking.results`): no job does, and none depends on what it imports.
ENTRY_MODULE = PACKAGE / "__init__.py"
# What tables and pages of all talks state and no talk says.
STATED_FILES = ("verdicts/biology.yaml",)
# Folder of the shared tasks, whose modules are imported by the name of a task.
TASKS = PACKAGE / "tasks"
# Rooms that name C++ which is written while a job runs: not all of it is there.
MAKES_CODE = ("brian/", "compiler/", "running/")
# Key of a data set that is made here -> what makes it.
MAKES_DATA = {
    "words": "datasets/speech",
    "nmnist": "datasets/recordings.py",
}


@cache
def of_stage(stage: str) -> list[str]:
    """Files that the script of a stage imports, directly or not."""
    return _make_relative(_follow_imports(_list_roots(stage), stage))


@cache
def of_talk(talk: str, stage: str) -> list[str]:
    """The talk's own files and all files of the core that the stage can reach from them."""
    folder = PACKAGE / "talks" / talk
    files = [path for path in folder.rglob("*.py") if not _is_left_out(path, stage)]
    files += [path for path in _list_task_modules(talk) if not _is_left_out(path, stage)]
    # What a talk fixed beforehand, where it has that, and what it chooses settings by.
    files += [*folder.glob("protocol.yaml"), *folder.glob("tuning/*.csv")]
    if stage == "page":
        file_names = ("talk.yaml", "claims.yaml", "abstract.yaml", "after.yaml")
        files += [folder / name for name in file_names]
    return _make_relative(_follow_imports([*_list_roots(stage), *files], stage))


@cache
def of_data(*names: str) -> list[str]:
    """Some modules, or all of a folder, and what they import: for jobs that make data."""
    roots = [PACKAGE / name for name in names]
    files = [file for root in roots for file in (root.glob("*.py") if root.is_dir() else [root])]
    return _make_relative(_follow_imports(files, "data"))


def of_description(talk: str) -> list[str]:
    """What a talk says of itself, relative like all inputs: a copied project collects nothing."""
    return _make_relative(PACKAGE / "talks" / talk / name for name in ("talk.yaml", "claims.yaml"))


def of_results(talk: str, data_keys: Iterable[str]) -> dict[str, tuple[str, str]]:
    """All files that decide a talk's tables: place in the package -> first stage, digest.

    Args:
        talk: Name of the talk.
        data_keys: Data sets that its experiments use.
    """
    makers = [MAKES_DATA[key] for key in sorted(data_keys) if key in MAKES_DATA]
    stages = {
        "data": of_data(*makers),
        "train": of_talk(talk, "train"),
        "simulate": of_talk(talk, "simulate"),
        # A part of collect that needs the networks: what follows from their rows does not.
        "score": _make_relative(_follow_imports([PACKAGE / "battery/as_trained.py"], "collect")),
        "collect": of_stage("collect"),
    }
    digests: dict[str, tuple[str, str]] = {}
    for stage, files in stages.items():
        for path in (Path(file).absolute() for file in files):
            digests.setdefault(_name_in_package(path), (stage, digest_of(path)))
    return digests


@cache
def digest_of(path: Path) -> str:
    """What a source file does, as a short hash.

    Of Python, comments and docstrings do not count; of YAML comments, and what a protocol tells of
    its own changes, of how tables are read, which `verdicts` does, and of seeds, which rows have.
    """
    raw = path.read_bytes()
    if path.suffix == ".py":
        raw = _write_tree(ast.parse(raw)).encode()
    if path.suffix == ".yaml":
        content = yaml.safe_load(raw)
        if isinstance(content, dict):
            content |= {"amendments": None, "comparison_rules": None, "seeds": None}
        raw = json.dumps(content, sort_keys=True, default=str).encode()
    return short_hash(raw)


def list_digests(files: Iterable[str]) -> dict[str, str]:
    """List the digests of source files by their places in the package, for a job's parameters."""
    paths = [Path(file).absolute() for file in files]
    return {_name_in_package(path): digest_of(path) for path in sorted(paths)}


def short_hash(raw: bytes) -> str:
    """The first half of a SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:32]


def _write_tree(node: object) -> str:
    """Write a syntax tree as text, equal in all Python versions that parse it alike."""
    if isinstance(node, list):
        statements = [statement for statement in node if not _is_text(statement)]
        return f"[{','.join(map(_write_tree, statements))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(k, v) for k, v in ast.iter_fields(node) if v is not None and v != []]
    return f"{type(node).__name__}({','.join(f'{k}={_write_tree(v)}' for k, v in fields)})"


def _is_text(node: object) -> bool:
    """Whether a statement is only a text: a docstring."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def check_loaded(stage: str, declared: Iterable[str]) -> None:
    """Refuse a job that has loaded a module of the package which is not among its inputs.

    A change of such a module would change the job's numbers and run nothing again.

    Args:
        stage: Name of the rule.
        declared: The inputs of the job that are source files.

    Raises:
        RuntimeError: Naming the modules.
    """
    declared_files = {Path(path).resolve() for path in declared}
    loaded = [
        Path(module.__file__)
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] == PACKAGE.name and module.__file__ is not None
    ]
    undeclared = [
        _name_in_package(path)
        for path in sorted(loaded)
        if path.resolve() not in declared_files and not _is_inert(path)
    ]
    if undeclared:
        raise RuntimeError(
            f"a job of '{stage}' has loaded {', '.join(undeclared)}, and a change of this module "
            "would not make the job run again. Import the module with a statement that "
            "code_inputs.py can follow. If NOT_IN in code_inputs.py excludes the module, correct "
            "that table, or do not load the module"
        )


def of_joint_tables() -> list[str]:
    """What the joint tables hold beside measurements: ranges, shared tasks, protocol; relative."""
    tasks = TASKS.glob("*/task.yaml")
    stated = [*map(PACKAGE.joinpath, STATED_FILES), *tasks, *PACKAGE.glob("talks/*/protocol.yaml")]
    return _make_relative(stated)


def of_comparison(talks: Iterable[str]) -> list[str]:
    """All files of the package on which the joint tables of these talks depend."""
    described = [path for talk in talks for path in of_description(talk)]
    return [*of_stage("compare"), *described, *of_joint_tables()]


@cache
def _list_task_modules(talk: str) -> tuple[Path, ...]:
    """List the modules of the shared tasks on whose data a talk has experiments."""
    described = yaml.safe_load((PACKAGE / "talks" / talk / "talk.yaml").read_text("utf-8"))
    experiments = described.get("experiments", {}).values()
    data_sets = {experiment.get("data", {}).get("data_set") for experiment in experiments}
    return tuple(
        path for name in sorted(filter(None, data_sets)) for path in (TASKS / name).glob("*.py")
    )


def _list_roots(stage: str) -> list[Path]:
    if stage != "page":
        stated = [PACKAGE / "verdicts/known_before.csv"] if stage == "collect" else []
        return [SCRIPTS / f"{stage}.py", *stated]
    # What the notebooks import, and what a page is dressed in.
    assets = sorted((PACKAGE / "report" / "assets").iterdir())
    assets += sorted([*TASKS.glob("*/task.yaml"), *TASKS.glob("*/*.py")])
    tables = ("verdicts/known_before.csv", "verdicts/rule_study.csv")
    page_files = (
        "report/run_page.py",
        "plots/style.mplstyle",
        "records/labels.yaml",
        *tables,
        *STATED_FILES,
    )
    return [SCRIPTS / "page.py", *(PACKAGE / name for name in page_files), *assets]


def _make_relative(paths: Iterable[Path]) -> list[str]:
    working_folder = Path.cwd()
    # Snakemake tracks the scripts itself.
    inputs = [path for path in paths if path.parent != SCRIPTS and not _is_inert(path)]
    return sorted(
        str(path.relative_to(working_folder)) if path.is_relative_to(working_folder) else str(path)
        for path in inputs
    )


def _name_in_package(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix() if path.is_relative_to(PACKAGE) else str(path)


def _is_left_out(path: Path, stage: str) -> bool:
    package_path = PurePosixPath(_name_in_package(path))
    return any(
        stage in stages and package_path.match(pattern) for pattern, stages in NOT_IN.items()
    )


@cache
def _is_inert(path: Path) -> bool:
    """Whether a file changes no number: by its place, or because it is but a room's docstring."""
    package_path = PurePosixPath(_name_in_package(path))
    if path == ENTRY_MODULE or any(package_path.match(pattern) for pattern in INERT):
        return True
    if package_path.name != "__init__.py":
        return False
    return all(isinstance(node, ast.Expr) for node in ast.parse(path.read_text("utf-8")).body)


def _follow_imports(roots: Iterable[Path], stage: str) -> set[Path]:
    """Roots and all they import, except through files that the stage leaves out."""
    visited: set[Path] = set()
    waiting = list(roots)
    while waiting:
        path = waiting.pop()
        if path in visited or path == ENTRY_MODULE or _is_left_out(path, stage):
            continue
        visited.add(path)
        if path.suffix == ".py":
            waiting.extend(_list_imports(path))
        if path.suffix in (".py", ".cpp", ".hpp"):
            waiting.extend(_list_cpp_files(path))
    return visited


@cache
def _list_imports(path: Path) -> tuple[Path, ...]:
    """Modules that a file imports when it runs, with the packages that they are in."""
    names: set[str] = set()
    for node in _list_statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    modules: set[Path] = set()
    for name in names:
        name_parts = name.split(".")
        if name_parts[0] != PACKAGE.name:
            continue
        for depth in range(1, len(name_parts) + 1):
            base = PACKAGE.joinpath(*name_parts[1:depth])
            modules |= {
                candidate
                for candidate in (base.with_suffix(".py"), base / "__init__.py")
                if candidate.is_file()
            }
    return tuple(sorted(modules))


def _list_statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements but those that only a type checker reads; no import is in an expression."""
    if isinstance(tree, ast.If) and ast.unparse(tree.test) == "TYPE_CHECKING":
        return
    yield tree
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        for node in getattr(tree, field, ()):
            yield from _list_statements(node)


@cache
def _list_cpp_files(path: Path) -> tuple[Path, ...]:
    """C++ files that a module names, with the headers beside them, or that one of them includes."""
    text = path.read_text(encoding="utf-8")
    pattern = r'"([\w/.-]+\.[ch]pp)"'
    # Beside the file, or from the package on, as kernels include what they share.
    files_by_name = {
        name: [folder / name for folder in (path.parent, PACKAGE) if (folder / name).is_file()]
        for name in re.findall(pattern, text)
    }
    lost = [name for name, files in files_by_name.items() if not files]
    if lost and not _name_in_package(path).startswith(MAKES_CODE):
        raise UserError(
            f"{_name_in_package(path)}: the file names '{lost[0]}', which does not exist; "
            f"expected this source file in the same folder or at this place in {PACKAGE.name}. "
            "Restore it (git checkout), or correct the name"
        )
    sources = {file.resolve() for files in files_by_name.values() for file in files}
    return tuple(
        sorted(sources | {header for file in sources for header in file.parent.glob("*.hpp")})
    )
