"""How large the project is: statements, nodes and lines by room and talk, C++, YAML, words.

    python maintain/benchmarks/size.py [FOLDER]
Statements are those of `ast`, without imports and docstrings, so that nothing is won by folding
lines.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

TOPS = ("workflow", "exchange", "maintain", "article", "packages", "tests")
"""Folders with Python; what a rule reaches lies in the first."""
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/*.md", "workflow/whyspiking/talks/*/README.md")
OTHERS = (
    "CHANGELOG.md",
    "SECURITY.md",
    "config/*.md",
    "exchange/community/*.md",
    "results/**/README.md",
)
FIRST_DAY = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/running.md",
    "config/README.md",
    "docs/verdicts.md",
    "config/config.yaml",
    "workflow/Snakefile",
    "workflow/rules/*.smk",
    "workflow/whyspiking/contract/[!bcp]*.py",
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
"""What somebody reads to get from README to the heart of one talk.

Of `contract` all but what no file listed here calls: `brian_model` (goeltz writes its network for
Brian2 in `brian_network.py`), `perturb` and `places` (the battery), `counts` (operations).
"""


def statements(path: Path) -> int:
    """Number of statements in a file of Python."""
    return sum(_counts(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def nodes(path: Path) -> int:
    """Number of nodes of the syntax tree of a file of Python."""
    return sum(1 for _ in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _counts(node: ast.AST) -> bool:
    if not isinstance(node, ast.stmt) or isinstance(node, ast.Import | ast.ImportFrom):
        return False
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return True
    return not isinstance(node.value.value, str)


def parts(folder: Path) -> dict[str, list[Path]]:
    """All Python: what a rule reaches, what stands beside it, and tests wherever they lie."""
    by_part: dict[str, list[Path]] = {}
    for path in (path for top in TOPS for path in (folder / top).rglob("*.py")):
        places = path.relative_to(folder).parts
        core = "talks" if "talks" in places else "core that a rule reaches"
        part = "tests" if "tests" in places else core if places[0] == TOPS[0] else "beside it"
        by_part.setdefault(part, []).append(path)
    return by_part


def rooms(folder: Path) -> Counter[str]:
    """Statements of every room, and of every talk of the workflow."""
    counts: Counter[str] = Counter()
    for path in _code(folder):
        places = path.relative_to(folder).parts
        depth = 2 if len(places) < 4 else 4 if "talks" in places[:3] and len(places) > 4 else 3
        counts["/".join(places[:depth])] += statements(path)
    return counts


def _code(folder: Path) -> Iterator[Path]:
    return (path for part, own in parts(folder).items() if part != "tests" for path in own)


def read(folder: Path, patterns: Iterable[str]) -> dict[Path, str]:
    """The texts of all files that one of the patterns names."""
    paths = {path for pattern in patterns for path in folder.glob(pattern)}
    return {path: path.read_text(encoding="utf-8") for path in paths}


def lines(texts: Mapping[Path, str]) -> int:
    """Lines of some files."""
    return sum(len(text.splitlines()) for text in texts.values())


def words(texts: Mapping[Path, str]) -> int:
    """Words of the files of Markdown among them."""
    return sum(len(text.split()) for path, text in texts.items() if path.suffix == ".md")


def main(folder: Path) -> None:
    """Print all of it."""
    for room, number in sorted(rooms(folder).items()):
        print(f"{room:64}{number:7,}")
    for part, own in parts(folder).items():
        long = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in own)
        counts = sum(map(statements, own)), sum(map(nodes, own)), long
        print("{}: {:,} statements, {:,} nodes, {:,} lines".format(part, *counts))
    below = [[f"workflow/**/*.{end}" for end in ends] for ends in (("cpp", "hpp"), ("yaml",))]
    cpp, yaml = (lines(read(folder, names)) for names in below)
    print(f"lines: C++ {cpp:,}, YAML {yaml:,}")
    prose, more, first = (read(folder, names) for names in (DOCUMENTS, OTHERS, FIRST_DAY))
    print(f"words of README, CONTRIBUTING, docs and talks' READMEs: {words(prose):,}")
    print(f"words of all Markdown: {words(prose | more):,}")
    print(f"first day: {lines(first):,} lines, {words(first):,} words of Markdown")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2])
