"""What every script of the workflow does around its one function call."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from whyspiking import arithmetic
from whyspiking.errors import UserError
from whyspiking.running.progress import Progress, reporter

NO_MEMORY = (
    "no memory is left. Free some memory, or run fewer jobs at a time (--cores 1), and run the "
    "same command again"
)
REMEDIES = {
    errno.ENOMEM: NO_MEMORY,
    errno.ENOSPC: "the disk is full. Free some space there and start snakemake again",
    errno.EDQUOT: "your disk quota is used up. Free some space and start snakemake again",
    errno.EROFS: "the disk is mounted read-only. Mount it for writing, or name another folder",
    errno.EACCES: "you have no permission. Give yourself permission, or name another folder",
    errno.ENOTDIR: "a file stands where a folder should; name another folder, or move the file",
    errno.EEXIST: "a file stands where a folder should; name another folder, or move the file",
    errno.EIO: "the disk reports an input/output error. Check the disk, then start snakemake again",
}
"""What the system may refuse -> what to do about it."""
UNEXPECTED = "unexpected failure. The lines above show where it happened"


_IN_TERMINAL = False


def stay_in_terminal() -> None:
    """Let jobs of this process write to the terminal and let their errors pass to a debugger."""
    global _IN_TERMINAL
    _IN_TERMINAL = True


class Stopped(BaseException):
    """The job was told to end."""


@contextlib.contextmanager
def job(log: str | Path, label: str, build_folder: str | None = None) -> Iterator[Progress]:
    """Run the body of a script with its output in `log` and its errors told in one line.

    Args:
        log: The job's log file; standard output and error go there.
        label: What the job is, for progress ("goeltz yinyang spiking seed 0").
        build_folder: Where JAX keeps what it compiles, so that the next job of the same shapes
            starts at once; None where nothing is kept.

    Yields:
        A progress function for long computations.
    """
    started = cpu_seconds()
    settings = {}
    if build_folder:
        settings["JAX_COMPILATION_CACHE_DIR"] = str(Path(build_folder, "jax").resolve())
        settings["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ.update({k: v for k, v in settings.items() if k not in os.environ})
    path = Path(log)
    path.parent.mkdir(parents=True, exist_ok=True)
    if _IN_TERMINAL:
        yield lambda share, news: print(f"{share:.0%} {news}", file=sys.stderr)
        return
    outer = os.dup(2)
    with path.open("a", encoding="utf-8", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            signal.signal(signal.SIGTERM, _stop)
            if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
                # For what the job starts and loads as well: Brian2 would heed it again.
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
            arithmetic.set_variables()
            yield reporter(path, label)
            print(USED.format(total=cpu_seconds(), start=started), flush=True)
        except Stopped:
            _fail(
                f"ERROR {label}: the job was stopped by another process (SIGTERM)",
                outer,
                128 + signal.SIGTERM,
            )
        except UserError as error:
            _fail(f"ERROR {label}: {error}", outer)
        except OSError as error:
            if error.errno not in REMEDIES:
                _fail(f"{traceback.format_exc()}ERROR {label}: {UNEXPECTED}", outer)
            _fail(f"ERROR {label}: {refused(error)}", outer)
        except Exception as error:
            # JAX says of either in its own words.
            if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
                _fail(f"ERROR {label}: {NO_MEMORY}", outer)
            _fail(f"{traceback.format_exc()}ERROR {label}: {UNEXPECTED}", outer)


def refused(error: OSError) -> str:
    """What the system has refused, and what to do about it."""
    location = error.filename or f"in {Path.cwd()} or {tempfile.gettempdir()}"
    remedy = REMEDIES.get(
        error.errno or 0, "expected a file or folder that can be read and written. Name another one"
    )
    return f"{location}: {error.strerror or error}; {remedy}"


def command(work: Callable[[], int]) -> int:
    """Do what a command line asks for; what the user can mend becomes one message.

    Args:
        work: Gives the exit status.
    """
    try:
        return work()
    except UserError as error:
        message = str(error)
    except OSError as error:
        message = refused(error)
    print(f"error: {message}", file=sys.stderr)
    return 1


USED = "CPU seconds: {total:.2f}, start-up {start:.2f}"
"""Last line of a job's log; `used` reads it."""


def cpu_seconds() -> float:
    """User and system time of this process and of the programs it has run (compilers, Brian2)."""
    resource_usages = [
        resource.getrusage(process_kind)
        for process_kind in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(
        resource_usage.ru_utime + resource_usage.ru_stime for resource_usage in resource_usages
    )


def used(log: Path) -> tuple[float, float]:
    """CPU seconds of a finished job and those of them before its work began, from its log.

    Snakemake's benchmark samples only every half minute and so misses what a short job, or a
    program that a job runs, uses; nan where the log does not say.
    """
    numbers = (float("nan"), float("nan"))
    if log.is_file():
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if match := re.fullmatch(r"CPU seconds: ([\d.]+), start-up ([\d.]+)", line):
                numbers = float(match[1]), float(match[2])
    return numbers


def _stop(number: int, frame: object) -> NoReturn:
    """End this job with what it has started, and clear up on the way."""
    signal.signal(number, signal.SIG_IGN)
    # Not at the top: a job that is not stopped does not need it.
    import psutil

    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.terminate()
    raise Stopped


def _fail(text: str, outer: int, status: int = 1) -> NoReturn:
    """Tell an error in the log, or to the terminal where the log cannot be written."""
    try:
        os.write(1, f"{text}\n".encode(errors="replace"))
    except OSError:
        os.write(outer, f"{text}\n".encode(errors="replace"))
    # Not through sys.exit: what is still buffered for a full disk would fail a second time.
    os._exit(status)


def here(plan: Mapping[str, Any], config: Mapping[str, Any]) -> Any:
    """A plan with the folders of this run's config, which Snakemake does not compare."""
    folders = {"work_dir": config["build_folder"], "data_dir": config["data"]["folder"]}
    return {**plan, "params": {**plan["params"], **folders}}


def wildcard_label(wildcards: Any) -> str:
    """A readable label of a job from its wildcards."""
    names = ("talk", "experiment", "variant", "seed", "dataset")
    values = [(name, getattr(wildcards, name, None)) for name in names]
    return " ".join(f"seed {v}" if n == "seed" else str(v) for n, v in values if v is not None)
