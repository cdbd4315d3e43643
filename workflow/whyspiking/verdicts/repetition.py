"""Counts what changed when experiments were trained again with other floating-point rounding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whyspiking.verdicts.advantage import NOT_ASSESSED

FILE = "repetition.json"
"""Name of the file in the reference results."""
BEST = "the best trained non-spiking network"
"""How the file names the comparison with the best of all trained non-spiking families."""


def summarise_repetition(repeated: Mapping[str, Any]) -> dict[str, Any]:
    """Count what changed when experiments were trained again with other floating-point rounding.

    Experiments that got new data later were repeated apart (`since`), and claims that rest on them
    count as touched, too. Comparisons of energy that had no verdict before cannot change.

    Args:
        repeated: Content of repetition.json; empty if nothing was repeated.

    Returns:
        Numbers by name, `experiments` that were repeated and `changed`, a line per verdict; empty
        if nothing was repeated.
    """
    if not repeated:
        return {}
    verdicts, energies = repeated["verdicts"], repeated["energies"]
    has_verdict = [
        name
        for name, (before, _) in energies["compared"].items()
        if before not in ("", NOT_ASSESSED)
    ]
    return {
        "experiments": repeated["experiments"],
        "n_experiments": len(repeated["experiments"]),
        "n_claims": verdicts["claims"],
        "n_touched": verdicts["touched"]
        + sum(run["verdicts"]["touched"] for run in repeated.get("since", ())),
        "n_changed": len(verdicts["changed"]),
        "n_energy": len(has_verdict),
        "n_energy_changed": len(energies["changed"]),
        "n_best": sum(BEST in name for name in has_verdict),
        "n_best_changed": sum(BEST in name for name in energies["changed"]),
        "changed": verdicts["changed"] + energies["changed"],
        "vectors": repeated["arithmetic"]["vectors"],
    }
