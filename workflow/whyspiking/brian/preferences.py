"""The preferences of Brian2 by which this project generates code, whatever the user's files say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STANDALONE: dict[str, Any] = {"codegen.cpp.extra_compile_args": []}
"""Preferences of compiled programs that are not Brian2's defaults.

`compiler.programs` has all flags of the compiler, so Brian2 need not try its own.
"""


def set_preferences(changes: Mapping[str, Any]) -> None:
    """Set every preference of Brian2: to its default, or to what `changes` says.

    Brian2 reads `~/.brian/user_preferences` and `./brian_preferences` when it is imported; a
    precision or a schedule that stands there would change numbers.

    Args:
        changes: Preferences that are not at their default.
    """
    from brian2 import prefs

    prefs.reset_to_defaults()
    for name, value in changes.items():
        prefs[name] = value
