"""A clock that was set back: what is edited then is older, to Snakemake, than what was made."""

from __future__ import annotations

import logging
import time
from pathlib import Path

TOLERANCE_S = 60.0
"""By which clocks of machines that share a disk may differ."""


def warn_of_future(results: Path) -> None:
    """Tell, in one line, of tables that are newer than the clock.

    Args:
        results: `results/<scale>`.
    """
    tables = [path for depth in ("*", "*/*", "*/*/*") for path in results.glob(f"{depth}.csv")]
    ahead = [path for path in tables if path.stat().st_mtime > time.time() + TOLERANCE_S]
    if ahead:
        logging.getLogger("snakemake.logging").warning(
            f"{ahead[0]} and {len(ahead) - 1} more tables are newer than the clock, which was set "
            "back: what you edit now counts as older, and nothing is run again for it; set the "
            "clock, or have all that is there count as made now: snakemake --touch --forceall"
        )
