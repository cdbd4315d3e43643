"""Ctrl-C and SIGTERM end a run within seconds; the same command goes on where it was.

Snakemake alone waits for its running jobs at SIGTERM, and at a SIGINT that reaches only itself; and
at Ctrl-C each job tells its own traceback. Here jobs ignore SIGINT, and this module ends them: they
get SIGTERM and clear up, and Snakemake removes what they had not finished, as after any failure.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import psutil

from whyspiking.running import snakemake_inside as inside

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MARK = "WHYSPIKING_RUN"
"""Environment variable by which the processes of a run are found, whoever started them."""
GRACE_S = 3.0
"""A job that has not ended by then is in the middle of a long computation and is killed."""
LATE_S = 2.0
PAUSE_S = 0.1
IGNORING_INTERRUPTS = "set -euo pipefail; trap '' INT; "
"""What a job's shell does first: Snakemake's own prefix, and SIGINT ignored from there on."""


class Stop:
    """Whether this run was told to stop, and what follows.

    Attributes:
        number: The signal; None while there was none.
        ended: Whether it has ended the run.
    """

    def __init__(self) -> None:
        """Nothing was received yet."""
        self.number: int | None = None
        self.ended = False
        self._workflow: Any = None
        self._received: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._mark = f"{os.getpid()}-{time.time_ns()}"

    def install(self) -> None:
        """Have the signals end this process quietly; one that is ignored (nohup, &) stays so."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._receive)

    def include_jobs(self, workflow: Any) -> None:
        """Have the signals end the jobs as well, from now on; called by `onstart`.

        Args:
            workflow: That of the Snakefile. Snakemake itself ends jobs on a cluster.
        """
        if inside.is_local(workflow):
            from snakemake.shell import shell

            shell.prefix(IGNORING_INTERRUPTS)
            os.environ[MARK] = self._mark
            threading.Thread(target=self._end_jobs, daemon=True).start()
            self._workflow = workflow
        self.install()  # the scheduler has taken SIGTERM for itself
        if inside.was_killed(workflow):
            self._receive(signal.SIGTERM, None)  # it came in between

    def signalled(self) -> bool:
        """Whether a signal comes that has ended a job already: one to all may reach jobs first."""
        for _ in range(round(LATE_S / PAUSE_S)):
            if self.number is not None:
                return True
            time.sleep(PAUSE_S)
        return False

    def leave(self) -> None:
        """End a stopped run once its last process is gone; called by `onerror`.

        Raises:
            SystemExit: With the customary status, 128 and the number of the signal.
        """
        if self.number is not None:
            while any(self._processes()):
                time.sleep(PAUSE_S)
            self._exit(self.number)

    def _receive(self, number: int, frame: object) -> None:
        """Take a signal, wherever the main thread is: so nothing here waits for a lock."""
        if self.number is not None:
            return  # the run is ending already
        self.number = number
        if self._workflow is None:
            self._exit(number)
        self._received.put(number)

    def _exit(self, number: int) -> NoReturn:
        self.ended = True
        raise SystemExit(128 + number)

    def _end_jobs(self) -> None:
        """End all processes of the run, those too that a thread of Snakemake is just starting."""
        self._received.get()
        inside.start_no_more(self._workflow)
        terminated_at: dict[psutil.Process, float] = {}
        while True:
            for process in self._processes():
                with contextlib.suppress(psutil.Error):
                    if process not in terminated_at:
                        terminated_at[process] = time.monotonic()
                        process.terminate()
                    elif time.monotonic() - terminated_at[process] > GRACE_S:
                        process.kill()
            time.sleep(PAUSE_S)

    def _processes(self) -> Iterator[psutil.Process]:
        """Jobs and all that they have started, though its parent be gone (compilers, kernels)."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self._mark:
                    yield process


STOP = Stop()
"""That of this process."""
