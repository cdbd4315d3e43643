"""How large the project is: statements by room and talk, lines of C++ and YAML, words, functions.

    python benchmarks/size.py [FOLDER]

Statements are those of `ast`, without imports and docstrings, so that nothing is won by folding
lines.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

LONG = 60
"""Lines of a function that is called long."""
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/*.md", "workflow/whyspiking/talks/*/README.md")


def statements(path: Path) -> int:
    """Number of statements in a file of Python."""
    return sum(_counts(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _counts(node: ast.AST) -> bool:
    if not isinstance(node, ast.stmt) or isinstance(node, ast.Import | ast.ImportFrom):
        return False
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return True
    return not isinstance(node.value.value, str)


def rooms(folder: Path) -> Counter[str]:
    """Statements of every room of the package, and of every talk."""
    found: Counter[str] = Counter()
    for path in (folder / "workflow").rglob("*.py"):
        parts = path.relative_to(folder / "workflow").parts
        depth = 1 if len(parts) < 3 else 3 if "talks" in parts[:2] and len(parts) > 3 else 2
        found["/".join(parts[:depth])] += statements(path)
    return found


def long_functions(folder: Path) -> Iterator[tuple[int, str]]:
    """Length and place of every function above `LONG` lines."""
    for path in (folder / "workflow").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONG:
                    yield lines, f"{path.relative_to(folder)}:{node.name}"


def lines(folder: Path, *patterns: str) -> int:
    """Lines of all files below `workflow` that have one of the patterns."""
    paths = [path for pattern in patterns for path in (folder / "workflow").rglob(pattern)]
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def main(folder: Path) -> None:
    """Print all of it."""
    found = rooms(folder)
    for room, number in sorted(found.items()):
        print(f"{room:44}{number:7,}")
    talks = sum(number for room, number in found.items() if "/talks" in room)
    tests = sum(statements(path) for path in (folder / "tests").rglob("*.py"))
    words = sum(
        len(path.read_text(encoding="utf-8").split())
        for pattern in DOCUMENTS
        for path in folder.glob(pattern)
    )
    print(
        f"statements: {sum(found.values()):,} in workflow, {talks:,} of them talks; tests {tests:,}"
    )
    print(f"lines: C++ {lines(folder, '*.cpp', '*.hpp'):,}, YAML {lines(folder, '*.yaml'):,}")
    print(f"words of README, CONTRIBUTING, docs and talks' READMEs: {words:,}")
    longest = sorted(long_functions(folder), reverse=True)
    print(f"functions above {LONG} lines: {len(longest)}")
    for number, place in longest[:10]:
        print(f"  {number:4} {place}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
