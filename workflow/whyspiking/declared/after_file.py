"""Reads and checks what came after a talk, with sources (after.yaml)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from whyspiking.declared.registry import Paper, Talk
from whyspiking.declared.strict_yaml import Block, Some, closed, parsed, read_yaml
from whyspiking.errors import UserError

FILE = "after.yaml"


@closed
class Later(Paper):
    """A later work, told in our words from its abstract, which was read.

    Attributes:
        summary: What it found, in our words.
    """

    summary: Annotated[str, Field(pattern=r"^.{40,240}$")]


class After(Block):
    """What came after a talk.

    Attributes:
        later_works: At most two lines, each from a work of its own.
    """

    later_works: Annotated[Some[Later], Field(max_length=2)]


def load(talk: Talk) -> After:
    """Read and check a talk's after.yaml.

    Raises:
        UserError: If the file does not fit the schema, or names a work twice or one that the talk
            itself is about.
    """
    where = f"talks/{talk.name}/{FILE}"
    after = parsed(After, read_yaml(talk.folder / FILE), where)
    told = {paper["doi"] for paper in talk.publications.values()}
    for number, later in enumerate(after.later_works):
        if later["doi"] in told:
            raise UserError(
                f"{where}: 'later_works.{number}.doi' is '{later['doi']}', which is listed already "
                "in this file or under 'publications' of talk.yaml; expected a later publication. "
                "Give its DOI."
            )
        told.add(later["doi"])
    return after
