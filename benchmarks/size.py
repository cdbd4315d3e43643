"""How large the project is: statements by room and talk, lines of C++ and YAML, words, functions.

    python benchmarks/size.py [FOLDER]
Statements are those of `ast`, without imports and docstrings, so that nothing is won by folding
lines.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

LONG = 60
"""Lines of a function that is called long."""
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/*.md", "workflow/whyspiking/talks/*/README.md")
OTHERS = ("CHANGELOG.md", "SECURITY.md", "config/*.md", "community/*.md", "results/**/README.md")
FIRST_DAY = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/running.md",
    "config/README.md",
    "results/README.md",
    "config/config.yaml",
    "workflow/Snakefile",
    "workflow/rules/*.smk",
    "workflow/whyspiking/contract/*.py",
    "workflow/whyspiking/stages/train.py",
    "workflow/whyspiking/stages/simulate.py",
    "workflow/whyspiking/stages/collect.py",
    "workflow/whyspiking/talks/goeltz/README.md",
    "workflow/whyspiking/talks/goeltz/talk.yaml",
    "workflow/whyspiking/talks/goeltz/claims.yaml",
    "workflow/whyspiking/talks/goeltz/__init__.py",
    "workflow/whyspiking/talks/goeltz/networks.py",
    "workflow/whyspiking/talks/goeltz/task.py",
    "workflow/whyspiking/talks/goeltz/model.py",
    "workflow/whyspiking/talks/goeltz/learning.py",
]
"""What somebody reads to get from README to the heart of one talk."""


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


def read(folder: Path, patterns: Iterable[str]) -> dict[Path, str]:
    """The texts of all files that one of the patterns names."""
    paths = [path for pattern in patterns for path in folder.glob(pattern)]
    return {path: path.read_text(encoding="utf-8") for path in paths}


def words(texts: Mapping[Path, str]) -> int:
    """Words of the files of Markdown among them."""
    return sum(len(text.split()) for path, text in texts.items() if path.suffix == ".md")


def main(folder: Path) -> None:
    """Print all of it."""
    found = rooms(folder)
    for room, number in sorted(found.items()):
        print(f"{room:44}{number:7,}")
    talks = sum(number for room, number in found.items() if "/talks" in room)
    tests = sum(statements(path) for path in (folder / "tests").rglob("*.py"))
    print(
        f"statements: {sum(found.values()):,} in workflow, {talks:,} of them talks; tests {tests:,}"
    )
    print(f"lines: C++ {lines(folder, '*.cpp', '*.hpp'):,}, YAML {lines(folder, '*.yaml'):,}")
    prose, more, first = (read(folder, names) for names in (DOCUMENTS, OTHERS, FIRST_DAY))
    print(f"words of README, CONTRIBUTING, docs and talks' READMEs: {words(prose):,}")
    print(f"words of all Markdown: {words(prose | more):,}")
    total = sum(len(text.splitlines()) for text in first.values())
    print(f"first day: {total:,} lines in {len(first)} files; {words(first):,} words of Markdown")
    longest = sorted(long_functions(folder), reverse=True)
    print(f"functions above {LONG} lines: {len(longest)}")
    for number, place in longest[:10]:
        print(f"  {number:4} {place}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
