"""How a long job tells how far it is: lines in its log, and one small file for the terminal."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

Progress = Callable[[float, str], None]
"""Called by long jobs with the fraction done (0 to 1) and one short line of news."""

# News comes once per epoch or condition; a fast loop must not fill the log.
SHORTEST_GAP_S = 0.5


def news_file(log: str | Path) -> Path:
    """Where the job with this log file leaves its latest news."""
    return Path(f"{log}.progress")


def reporter(log: str | Path, label: str) -> Callable[[float, str], None]:
    """Give the function by which a job tells its progress.

    Each call appends a time-stamped line to the log and replaces the news file, which the
    workflow's terminal output reads. Calls less than half a second after the last line are
    dropped, except the first and those with fraction 1.

    Args:
        log: The job's log file; its folder must exist.
        label: What the job is ("goeltz yinyang spiking seed 0").

    Returns:
        A function of the fraction done (clipped to 0 to 1; NaN counts as 0) and a line of news.
    """
    path = Path(log)
    started = time.monotonic()
    last_report_s = float("-inf")

    def tell(fraction: float, text: str) -> None:
        nonlocal last_report_s
        # min and max with the constant first also turn NaN into 0.
        share = min(1.0, max(0.0, float(fraction)))
        elapsed = time.monotonic() - started
        if share < 1 and elapsed - last_report_s < SHORTEST_GAP_S:
            return
        last_report_s = elapsed
        line = " ".join(text.split())
        clock = time.strftime("%H:%M:%S")
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{clock} +{elapsed:.0f} s {label} {share:.0%}: {line}\n")
        _replace(news_file(path), {"fraction": share, "text": line})

    return tell


def latest(log: str | Path) -> tuple[float, str] | None:
    """Last news of the job with this log file: share done, and a line; None where there is none."""
    try:
        content = json.loads(news_file(log).read_text(encoding="utf-8"))
        return float(content["fraction"]), str(content["text"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _replace(path: Path, content: dict[str, object]) -> None:
    """Write a file so that no reader ever sees half of it."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.write_text(json.dumps(content), encoding="utf-8")
    scratch.replace(path)
