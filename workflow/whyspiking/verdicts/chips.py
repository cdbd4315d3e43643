"""What chips were measured to need, to stand beside the cost models (`chips.yaml`)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from whyspiking.declared.strict_yaml import Block, Some, parsed, read_yaml
from whyspiking.verdicts.biology import Sourced, Words

SOURCES = Path(__file__).with_name("chips.yaml")
Energies = Annotated[dict[str, Annotated[float, Field(gt=0)]], Field(min_length=1)]
"""Name of the chip -> energy."""


class Operations(Sourced):
    """Energy of one synaptic operation, pJ."""

    pj: Energies


class Inference(Sourced):
    """Energy of one inference, uJ.

    Attributes:
        what: The task and the network.
        uj: Name of the chip -> energy.
        counts: What the energy holds.
    """

    what: Words
    uj: Energies
    counts: Words


class Chips(Block):
    """What `chips.yaml` says."""

    operations: Operations
    inferences: Some[Inference]


def measured() -> Chips:
    """The energies, each with its source.

    Raises:
        UserError: If the file does not fit its schema.
    """
    return parsed(Chips, read_yaml(SOURCES), f"verdicts/{SOURCES.name}")
