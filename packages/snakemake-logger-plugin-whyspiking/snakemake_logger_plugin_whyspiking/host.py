"""What the plugin takes from the package `whyspiking`, which it needs.

`latest` is the progress of a job, `used` the CPU seconds in its log, `machine` the speed factor of
this machine, and `STOP` says whether the run was stopped.
"""

from __future__ import annotations

from whyspiking.running import machine
from whyspiking.running.jobs import NO_MEMORY, used
from whyspiking.running.progress import latest, news_file
from whyspiking.running.stopping import STOP

__all__ = ["NO_MEMORY", "STOP", "latest", "machine", "news_file", "used"]
