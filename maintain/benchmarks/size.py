"""Print how large the project is, and compare it with the limits of size_limits.yaml.

    python maintain/benchmarks/size.py [--check]

Statements are those of `ast`, without imports and docstrings, so that nothing is won by folding
lines. With `--check` only limits that are exceeded are printed, and the exit status is then 1.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

LIMITS = Path(__file__).with_name("size_limits.yaml")
LINE_PATTERNS = {
    "C++ lines": ("workflow/**/*.cpp", "workflow/**/*.hpp"),
    "JavaScript lines": ("workflow/**/*.js",),
    "YAML lines": ("config/**/*.yaml", "workflow/**/*.yaml"),
}
"""Column of the table of limits -> the files whose lines it counts."""

PYTHON_FOLDERS = ("workflow", "exchange", "maintain", "article", "packages", "tests")
"""Folders with Python; what a rule reaches lies in the first."""


def count_statements(path: Path) -> int:
    """Count the statements in a file of Python."""
    return sum(_is_counted(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def count_nodes(path: Path) -> int:
    """Count the nodes of the syntax tree of a file of Python."""
    return sum(1 for _ in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _is_counted(node: ast.AST) -> bool:
    if not isinstance(node, ast.stmt) or isinstance(node, ast.Import | ast.ImportFrom):
        return False
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return True
    return not isinstance(node.value.value, str)


def group_files(folder: Path) -> dict[str, list[Path]]:
    """Group all Python files: core and talks, other packages, and tests."""
    paths_by_group: dict[str, list[Path]] = {}
    for path in (
        path for top_folder in PYTHON_FOLDERS for path in (folder / top_folder).rglob("*.py")
    ):
        path_parts = path.relative_to(folder).parts
        workflow_group = "talks" if "talks" in path_parts else "core"
        group = (
            "tests"
            if "tests" in path_parts
            else workflow_group
            if path_parts[0] == PYTHON_FOLDERS[0]
            else "exchange, maintain, plugin, article"
        )
        paths_by_group.setdefault(group, []).append(path)
    return paths_by_group


def count_lines(folder: Path, patterns: Iterable[str]) -> int:
    """Count the lines of all files that one of the patterns names."""
    paths = {path for pattern in patterns for path in folder.glob(pattern)}
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def measure_columns(folder: Path) -> dict[str, int]:
    """Measure the columns of the table of limits."""
    statement_counts = {
        group: sum(map(count_statements, paths)) for group, paths in group_files(folder).items()
    }
    line_counts = {name: count_lines(folder, patterns) for name, patterns in LINE_PATTERNS.items()}
    return {**statement_counts, **line_counts}


def find_exceeded_limits(columns: Mapping[str, int]) -> list[str]:
    """Say which columns exceed their limits, a line each."""
    limits = yaml.safe_load(LIMITS.read_text(encoding="utf-8"))
    return [
        f"{name}: {columns[name]:,}; expected at most {limit:,} ({LIMITS.name}). Remove some code"
        for name, limit in limits.items()
        if columns[name] > limit
    ]


def main(folder: Path) -> None:
    """Print the columns, and how complex the statements are."""
    for group, paths in group_files(folder).items():
        per_statement = sum(map(count_nodes, paths)) / sum(map(count_statements, paths))
        print(f"{group}: {per_statement:.2f} nodes per statement")
    for name, count in measure_columns(folder).items():
        print(f"{name:40}{count:7,}")


if __name__ == "__main__":
    ROOT = Path(__file__).parents[2]
    if sys.argv[1:] != ["--check"]:
        main(ROOT)
    elif EXCEEDED := find_exceeded_limits(measure_columns(ROOT)):
        sys.exit("\n".join(EXCEEDED))
