"""How long a test waits before it calls something hung: no test asks how fast a machine is."""

import functools
import subprocess
import time
from collections.abc import Callable

HANG_S = 1800.0
"""Ten times what the longest run of a test takes on a machine that counts in `NOMINAL_S`."""
NOMINAL_S = 0.05
"""Wall-clock seconds of `_count` on an idle machine of unit 1."""


@functools.cache
def limit() -> float:
    """Seconds after which a program is hung: more of them where this machine is slow or busy."""
    began = time.monotonic()
    _count()
    return HANG_S * max(1.0, (time.monotonic() - began) / NOMINAL_S)


def _count() -> int:
    return sum(number & 3 for number in range(1_000_000))


def wait_until(there: Callable[[], object], process: subprocess.Popen | None = None) -> None:
    """Wait for something, or for the end of the process that should bring it about."""
    until = time.monotonic() + limit()
    while not there() and (process is None or process.poll() is None):
        assert time.monotonic() < until, f"hung: waited {limit():.0f} s in vain"
        time.sleep(0.05)
