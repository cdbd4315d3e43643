"""Numbers as a reader says them."""

from __future__ import annotations


def jobs(number: int) -> str:
    """A number of jobs."""
    return f"{number} job{'s' * (number != 1)}"


def clock(seconds: float) -> str:
    """Time since the start: " 3:12", "1:03:12"."""
    minutes, n_seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{n_seconds:02}" if hours else f"{minutes:2}:{n_seconds:02}"


def duration(seconds: float) -> str:
    """What was measured: "12 s", "3:12 min"."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{clock(seconds).strip()} min"


def roughly(seconds: float) -> str:
    """What is estimated: "30 s", "12 min", "1 h 5 min"."""
    if seconds < 55:
        return f"{max(10, 10 * round(seconds / 10))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
