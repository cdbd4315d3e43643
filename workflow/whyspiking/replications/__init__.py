"""The talks: one folder each that fulfils `whyspiking.contract.Replication`."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from whyspiking.contract import Replication


def module(name: str) -> Replication:
    """Import a talk; see `contract.Replication` for what it exports."""
    return cast("Replication", importlib.import_module(f"{__name__}.{name}"))
