"""Reads and checks what a talk's abstract states, sentence by sentence (abstract.yaml)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, model_validator

from whyspiking.declared.strict_yaml import Block, nearest, parsed, read_yaml
from whyspiking.errors import UserError

FILE = "abstract.yaml"


class Statement(Block):
    """Something that a sentence of the abstract states.

    Attributes:
        sentence: Number of the sentence, from 1.
        statement: What it states, in our words.
        claims: Ids of the claims that put it to the test, the most telling first.
        untested: Why none does; beside claims, what of the sentence they leave out.
    """

    sentence: int = Field(ge=1)
    statement: str = Field(min_length=10)
    claims: list[str] = Field(default_factory=list)
    untested: str = ""

    @model_validator(mode="after")
    def _is_answered(self) -> Statement:
        if not self.claims and len(self.untested) < 10:
            raise ValueError(
                f"sentence {self.sentence} has neither 'claims' nor 'untested'; expected ids of "
                "claims, or under 'untested' the reason why no claim tests it. Add one of them"
            )
        return self


class Abstract(Block):
    """What a talk's abstract states, and where it is put to the test.

    Attributes:
        source: Where the abstract was read.
        n_sentences: How many sentences it has.
        statements: What they state: every sentence at least once, in order.
        short_statement: What its key claim says, in the few words that a figure has room for.
        deviations: Why what we found is not what the talk said, or what was smaller here.
    """

    source: str = Field(min_length=5)
    n_sentences: int = Field(ge=1, le=100)
    statements: list[Statement] = Field(min_length=1)
    short_statement: str = Field("", max_length=44)
    deviations: str = ""

    @model_validator(mode="after")
    def _leaves_none_out(self) -> Abstract:
        told = [statement.sentence for statement in self.statements]
        missing = sorted(set(range(1, self.n_sentences + 1)) - set(told))
        if missing or told != sorted(told) or told[-1] > self.n_sentences:
            raise ValueError(
                f"'statements' are of the sentences {told}, but 'n_sentences' is "
                f"{self.n_sentences}; expected every number from 1 to the value of 'n_sentences', "
                "in order. Add the missing statements"
            )
        return self


def load(folder: Path, claims: Iterable[str]) -> Abstract:
    """Read and check a talk's abstract.yaml.

    Args:
        folder: Of the talk.
        claims: Ids of the talk's claims.

    Raises:
        UserError: If the file does not fit the schema, leaves a sentence out or names a claim that
            does not exist.
    """
    where, known = f"talks/{folder.name}/{FILE}", set(claims)
    abstract = parsed(Abstract, read_yaml(folder / FILE), where)
    for statement in abstract.statements:
        for name in (name for name in statement.claims if name not in known):
            raise UserError(
                f"{where}: 'claims' of sentence {statement.sentence} lists '{name}', which is not "
                f"a claim of the talk; {nearest(name, known, 'expected an id of claims.yaml.')} "
                "Correct it, or add the claim."
            )
    return abstract
