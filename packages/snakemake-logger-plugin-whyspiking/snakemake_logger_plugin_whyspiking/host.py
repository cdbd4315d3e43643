"""What the project says of its own jobs, where that is whyspiking; stand-ins for any other.

`latest` is how far a job is, `used` the CPU seconds that its log tells, `machine` how slow this one
is, `STOP` whether the run was told to stop.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PROJECT = find_spec("whyspiking")

if PROJECT is not None:
    from whyspiking.running import machine
    from whyspiking.running.jobs import NO_MEMORY, used
    from whyspiking.running.progress import latest, news_file
    from whyspiking.running.stopping import STOP
else:
    NO_MEMORY = "no memory is left"
    STOP: Any = SimpleNamespace(number=None, ended=False, signalled=lambda: False)
    machine: Any = SimpleNamespace(cached=lambda _: None, unit=lambda _: None)

    def latest(log: str | Path) -> Any:
        """A job tells nothing."""

    def news_file(log: str | Path) -> Path:
        """Where it would."""
        return Path(f"{log}.progress")

    def used(log: Path) -> tuple[float, float]:
        """No log tells the CPU seconds."""
        return float("nan"), float("nan")


__all__ = [
    "NO_MEMORY",
    "PROJECT",
    "STOP",
    "latest",
    "machine",
    "news_file",
    "used",
]
