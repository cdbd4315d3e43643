"""Parts of a claim: what was measured, where it stands, and how else it was measured."""

from __future__ import annotations

from typing import Literal, TypedDict

from pydantic import Field

from whyspiking.declared.strict_yaml import Block, Filled, MayLack, closed

PUBLISHED, QUOTED = "published number", "number quoted from memory"
PICTURE, STATEMENT = "published picture", "published statement"
RELEASED, NO_NUMBER = "released artefact", "no number"
EVIDENCE = (PUBLISHED, PICTURE, STATEMENT, QUOTED, RELEASED, NO_NUMBER)
"""What a result can be compared with."""


@closed
class Condition(TypedDict, total=False):
    """Rows of the metrics table under which something was measured, by the values of columns.

    Attributes:
        engine: What simulated: the engine of training, or Brian2.
        perturbation: What was changed; `none` for the clean run.
        location: Where it was changed, or the other side of a contrast.
        strength: Level of the perturbation, in the unit of its definition.
    """

    engine: Literal["jax", "compiled", "numpy", "brian2-runtime", "brian2-learning", "brian2"]
    perturbation: str
    location: str
    strength: float


@closed
class Network(Condition):
    """Rows of one kind of network.

    Attributes:
        experiment: Of this talk.
        variant: Of that experiment.
    """

    experiment: str
    variant: str


@closed
class Place(Condition, total=False):
    """What is other than in `rows`.

    Attributes:
        experiment: Of this talk.
        variant: Of that experiment.
    """

    experiment: str
    variant: str


class Source(Block):
    """Where a claim stands, and the number that was published there, where there is one.

    Attributes:
        publication: One of `publications` in talk.yaml.
        source_location: Place in the publication.
        value: The number.
        standard_deviation: Over seeds.
        n_seeds: How many those were.
        quoted_from_memory: Whether number or, without one, statement was not read there.
        shown_as: `picture` or `statement`, where the criterion follows from a published picture
            or sentence that was read, and not from one number.
        released_artefact: Whether ours is compared with our scoring of weights or outputs that the
            authors released; nobody published that number.
    """

    publication: str = Field(min_length=3)
    source_location: str = Field(min_length=2)
    value: MayLack[float] = None
    standard_deviation: MayLack[float] = Field(None, gt=0)
    n_seeds: MayLack[int] = Field(None, ge=1)
    quoted_from_memory: bool = False
    shown_as: MayLack[Literal["picture", "statement"]] = None
    released_artefact: bool = False

    @property
    def evidence(self) -> str:
        """What a result can be compared with, one of `EVIDENCE`."""
        if self.released_artefact:
            return RELEASED
        if self.shown_as is not None:
            return PICTURE if self.shown_as == "picture" else STATEMENT
        if self.value is None:
            return NO_NUMBER
        return QUOTED if self.quoted_from_memory else PUBLISHED


class Alternative(Block):
    """Another way to measure the quantity of a claim.

    Attributes:
        description: What is different, in a few words.
        metric: Another metric of the same networks.
        rows: Another simulator, experiment or variant.
        fresh_trials: Whether the test trials are others than those of the published number.
        published_error: Whether the standard error of the published mean is included.
        not_judged: Why it has no verdict: the metric measures another quantity.
    """

    description: str = Field(min_length=3, pattern="^[^:;]+$")
    metric: MayLack[str] = Field(None, pattern="^[a-z][a-z0-9_]*$")
    rows: MayLack[Filled[Place]] = None
    fresh_trials: bool = False
    published_error: bool = False
    not_judged: MayLack[str] = Field(None, min_length=5)
