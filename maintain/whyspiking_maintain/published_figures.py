"""Reads published_figures.yaml: figures and tables of the talks' papers, as far as known."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from whyspiking.declared.strict_yaml import Block, Listed, Unique, parsed, read_yaml

FILE = Path(__file__).with_name("published_figures.yaml")


class Published(Block):
    """A figure or table of a paper.

    Attributes:
        shows: What, in at most twelve words.
        known: How that is known: seen in the paper, by its caption or title on a page of the
            publisher or an archive, by the authors' repository, from memory, or not at all.
        claims: Claims that judge what it shows, though their numbers were read elsewhere.
        why: Why no claim judges it; empty: one does.
    """

    shows: str
    known: Literal["paper", "caption", "code", "recalled", "unknown"]
    claims: Unique[Listed[str]] = ()
    why: str = ""


def load(path: Path = FILE) -> dict[str, dict[str, dict[str, Published]]]:
    """Load talk -> paper, by its name in talk.yaml -> figure or table -> what is known of it.

    Raises:
        UserError: If the file says anything else.
    """
    adapter = TypeAdapter(dict[str, dict[str, dict[str, Published]]])
    return parsed(adapter, read_yaml(path), path.name)
