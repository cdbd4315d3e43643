"""What a talk still lacks, all of it at once, each with its remedy."""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from made.checkouts import ROOT

from whyspiking.declared import abstract_file, after_file, registry
from whyspiking.errors import UserError
from whyspiking.verdicts import judge
from whyspiking_maintain import tune

TEMPLATE = "_template"
LONG = 30
"""Letters from which a text of the template is not a word that any talk may have."""


def missing(name: str, root: Path = ROOT) -> list[str]:
    """Everything that a talk lacks; empty where it is complete.

    Args:
        name: Of its folder.
        root: Of the project, for config and notebooks.
    """
    found = [*_not_run(name, root), *_text_left(name, root)]
    talk = _said(found, registry.load_talk, name)
    if talk is None:
        return found
    claims = _said(found, judge.load, talk.folder / "claims.yaml", talk)
    if claims is not None:
        ids = [claim.id for claim in claims]
        _said(found, abstract_file.load, talk.folder, ids)
        found += _not_handed_in(name, ids, root)
    _said(found, after_file.load, talk)
    shared = [e for e in talk.experiments.values() if e.tuned]
    if shared:
        _said(found, tune.load, talk)
    return found


def _said(found: list[str], read: Callable[..., Any], *given: Any) -> Any:
    """What a function gives; None where it refuses, and then why is added to what was found."""
    try:
        return read(*given)
    except UserError as error:
        found += str(error).splitlines()
        return None


def _not_run(name: str, root: Path) -> Iterator[str]:
    chosen = yaml.safe_load((root / "config" / "config.yaml").read_text())["talks"]
    if not {name, "all"} & set(chosen):
        yield f"config/config.yaml: 'talks' lacks '{name}', so no run has it; add it there"
    if not (root / "notebooks" / f"{name}.ipynb").is_file():
        yield f"notebooks/{name}.ipynb: does not exist; copy notebooks/_template.ipynb"


def _not_handed_in(name: str, claims: list[str], root: Path) -> Iterator[str]:
    """What maintainers, and tests of the record, ask of a talk that is not recorded yet."""
    rows = set(pd.read_csv(judge.KNOWN_BEFORE)["claim"])
    if lacking := [claim for claim in claims if claim not in rows]:
        yield (
            f"verdicts/known_before.csv: lacks {len(lacking)} of its claims, such as "
            f"'{lacking[0]}'; add a row for each, which says whether a result was known when its "
            "criterion was written (docs/extending.md, 6)"
        )


def _text_left(name: str, root: Path) -> Iterator[str]:
    """Files of a talk that still have texts of the template."""
    folder, notebooks = registry.FOLDER, root / "notebooks"
    pairs = [(path, folder / TEMPLATE / path.name) for path in sorted((folder / name).glob("*.*"))]
    pairs.append((notebooks / f"{name}.ipynb", notebooks / f"{TEMPLATE}.ipynb"))
    for own, template in pairs:
        if not (own.is_file() and template.is_file()):
            continue
        left = _texts(own) & {text.replace(TEMPLATE, name) for text in _texts(template)}
        if left and own.suffix == ".yaml":
            # What other talks say as well is nobody's.
            others = [folder / talk / own.name for talk in registry.available() if talk != name]
            left -= set().union(*(_texts(path) for path in others if path.is_file()))
        if left:
            yield (
                f"{own.parent.name}/{own.name}: {len(left)} of the template's texts, such as "
                f"'{max(left, key=len)[:60]}'; write your own"
            )


def _texts(path: Path) -> set[str]:
    """Long texts of a file: lines of prose, values of YAML, docstrings of modules."""
    told = path.read_text(encoding="utf-8")
    match path.suffix:
        case ".yaml":
            # What cannot be read is refused elsewhere, in words.
            texts = _values(yaml.load(told, yaml.BaseLoader)) if _is_yaml(told) else []
        case ".ipynb":
            cells = json.loads(told)["cells"]
            texts = [x for c in cells if c["cell_type"] == "markdown" for x in c["source"]]
        case ".py":
            texts = [ast.get_docstring(ast.parse(told)) or ""]
        case _:
            texts = told.splitlines()
    return {text.strip() for text in texts if len(text.strip()) >= LONG}


def _is_yaml(told: str) -> bool:
    try:
        yaml.load(told, yaml.BaseLoader)
    except yaml.YAMLError:
        return False
    return True


def _values(data: Any) -> Iterator[str]:
    """All texts in lists and mappings."""
    if isinstance(data, str):
        yield data
    elif data is not None:
        for part in data.values() if isinstance(data, dict) else data:
            yield from _values(part)
