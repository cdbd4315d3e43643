"""What surrounds the one function call of a script: errors end in one line that helps."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

FAILURES = {
    "full disk": ("OSError(28, 'No space left on device')", "Free some space"),
    "full disk, named": ("OSError(28, 'No space left on device', '/a/b')", "/a/b: No space left"),
    "read-only disk": ("OSError(30, 'Read-only file system', '/a')", "Mount it for writing"),
    "no permission": ("PermissionError(13, 'Permission denied', '/a')", "Give yourself permission"),
    "a file for a folder": ("NotADirectoryError(20, 'No folder', '/dev/null/a')", "move the file"),
    "mistake of a user": ("UserError('lr is -1; mend it')", "ERROR a job: lr is -1; mend it"),
    "flaw": ("KeyError('w')", "unexpected failure"),
    "no memory": ("MemoryError('std::bad_alloc')", "--cores 1"),
    "no memory, as JAX says it": ("RuntimeError('RESOURCE_EXHAUSTED: Out of memory')", "Free some"),
    "no memory, as the system says it": ("OSError(12, 'Cannot allocate memory')", "--cores 1"),
    "other trouble": ("OSError(2, 'No such file', '/a')", "unexpected failure"),
}


def run(tmp_path, log, statement):
    code = (
        "from whyspiking.errors import UserError\nfrom whyspiking.running.jobs import job\n"
        f"with job({str(log)!r}, 'a job'):\n    print('begins')\n    {statement}\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_told_in_the_log(case, tmp_path):
    error, words = FAILURES[case]
    done = run(tmp_path, tmp_path / "logs" / "a.log", f"raise {error}")
    told = (tmp_path / "logs" / "a.log").read_text()
    assert done.returncode == 1
    assert words in told.splitlines()[-1]
    assert ("Traceback" in told) == ("unexpected" in words)


def test_what_a_full_log_cannot_take_is_told_on_the_terminal(tmp_path):
    """/dev/full takes nothing, as a log on a full disk."""
    done = run(tmp_path, "/dev/full", "pass")
    assert done.returncode == 1
    assert re.fullmatch("ERROR a job: .*No space left on device.*Free some space.*\n", done.stderr)


IGNORING = """
import os, signal, subprocess, sys
from whyspiking.running.jobs import job
with job("a.log", "a job"):
    import brian2
    interrupt = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    subprocess.run([sys.executable, "-c", interrupt], check=True)
    exec(interrupt)
    print("goes on")
"""


def test_an_interrupt_that_is_ignored_is_so_by_all_that_a_job_loads_and_starts(tmp_path):
    command = ["bash", "-c", "trap '' INT; exec \"$@\"", "bash", sys.executable, "-c", IGNORING]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = (tmp_path / "a.log").read_text()
    assert done.returncode == 0, told
    assert "goes on\n" in told


def test_a_job_that_is_told_to_stop_clears_up_and_takes_its_children_along(tmp_path):
    log, file = tmp_path / "a.log", tmp_path / "table.csv"
    code = (
        "import subprocess\nfrom whyspiking.records.whole_files import replacing\n"
        f"from pathlib import Path\nfrom whyspiking.running.jobs import job\n"
        f"with job({str(log)!r}, 'a job'), replacing(Path({str(file)!r})) as partial:\n"
        "    partial.write_text('half')\n"
        "    subprocess.run(['bash', '-c', 'sleep 1000 & echo $!; wait'])\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    while not log.exists() or not log.read_text().strip():
        assert process.poll() is None
        time.sleep(0.01)
    grandchild = int(log.read_text())
    process.send_signal(signal.SIGTERM)
    said = process.communicate()[1]
    assert (process.returncode, said) == (128 + signal.SIGTERM, "")
    assert log.read_text().splitlines()[1:] == [
        "ERROR a job: the job was stopped by another process (SIGTERM)"
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["a.log"]
    while True:  # until it is gone
        try:
            os.kill(grandchild, 0)
        except ProcessLookupError:
            break
        time.sleep(0.01)
