"""Runs that are killed or stopped and go on by the same command end in equal tables.

After a kill, `snakemake --unlock` comes first.

A kill is SIGKILL to the whole process group; a stop is Ctrl-C or SIGTERM. Compared bit for bit are
all tables, arrays and facts; durations are left out by name (`scenes.TIMES`, the columns of
seconds).
"""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from made import scenes

from whyspiking.records.array_files import load_arrays
from whyspiking.training.checkpoint import STRUCTURE

VERDICTS = "results/smoke/tempotron/verdicts.csv"


@pytest.fixture
def fresh(small_run, tmp_path) -> Path:
    """A copy that has run nothing, but has the headers that all Brian2 programs share."""
    folder = scenes.checkout(tmp_path / "run", ("tempotron",))
    for headers in (small_run / "resources" / "build").glob("headers-*"):
        scenes.shutil.copytree(headers, folder / headers.relative_to(small_run))
    return folder


# Each of these takes a folder and the time at which its run began, in seconds since the epoch.
def preparing(folder, _began):
    return (folder / ".snakemake" / "locks").is_dir()


def in_training(folder, began):
    logs = (folder / "results" / "smoke" / "logs" / "train").rglob("*.log")
    return any(log.stat().st_mtime >= began for log in logs)


def compiling(folder, _began):
    """Whether the compiler works on the program of a network; it takes seconds."""
    return any("steps.cpp" in command for command in scenes.commands(folder))


def simulating(folder, _began):
    log = folder / "results" / "smoke" / "logs" / "simulate" / "tempotron" / "patterns.log"
    return log.is_file() and "%" in log.read_text()


def executing_a_notebook(folder, _began):
    return any("ipykernel" in command for command in scenes.commands(folder))


def started(folder, target, reached):
    """A new run of a target that has reached a stage."""
    (folder / "said.txt").unlink(missing_ok=True)
    began = time.time()
    process = scenes.start(folder, target)
    while not reached(folder, began):
        assert process.poll() is None, (folder / "said.txt").read_text()[-6000:]
        time.sleep(0.05)
    return process


def test_a_kill_in_training_and_ctrl_c_while_compiling_change_nothing(small_run, fresh):
    scenes.kill(started(fresh, VERDICTS, in_training), fresh)
    assert list((fresh / ".snakemake" / "locks").glob("*")), "a killed run cannot tidy up"
    scenes.unlock(fresh)
    process = started(fresh, VERDICTS, compiling)
    scenes.stop(process, fresh, signal.SIGINT, whole_group=True)
    scenes.finish(fresh, VERDICTS)
    scenes.assert_equal(small_run, fresh)


@pytest.mark.slow
def test_stops_of_all_kinds_in_all_stages_change_nothing(small_run, fresh):
    """Each stop hits what the run before it has resumed."""
    page = "results/smoke/tempotron/report.html"
    for reached, number, whole_group in (
        (preparing, signal.SIGTERM, False),
        (in_training, signal.SIGINT, True),
        (in_training, signal.SIGTERM, True),
        (compiling, signal.SIGTERM, False),
        (compiling, signal.SIGTERM, True),
        (compiling, signal.SIGKILL, True),
        (simulating, signal.SIGINT, False),
        (executing_a_notebook, signal.SIGKILL, True),
        (executing_a_notebook, signal.SIGINT, True),
        (executing_a_notebook, signal.SIGTERM, False),
    ):
        process = started(fresh, page, reached)
        if number == signal.SIGKILL:
            scenes.kill(process, fresh)
            scenes.unlock(fresh)
        else:
            scenes.stop(process, fresh, number, whole_group)
        for folder in (fresh / "results" / "smoke" / "tempotron").glob("patterns/*/seed-0"):
            made = {path.name for path in folder.glob("[no]*")}
            assert made in (set(), {"network.npz", "network.json", "outcome.npz"})
    scenes.finish(fresh, page)
    assert (fresh / page).is_file()
    scenes.assert_equal(small_run, fresh)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_training_goes_on_from_its_checkpoint(how, tmp_path):
    """The checkpoint outlives the stop and what Snakemake clears away; the end is the same."""
    folders = [tmp_path / name for name in ("stopped", "undisturbed")]
    for folder in folders:
        scenes.checkout(folder, ("tempotron",))
        own = folder / "workflow" / "whyspiking"
        for path, old, new in (
            (own / "training" / "checkpoint.py", "EVERY_S = 60.0", "EVERY_S = 0.0"),
            (own / "talks" / "tempotron" / "talk.yaml", "{value: 2, reason", "{value: 120, reason"),
        ):
            assert old in path.read_text()
            path.write_text(path.read_text().replace(old, new))
    folder, undisturbed = folders
    network = "results/smoke/tempotron/patterns/spiking/seed-0/network.npz"
    log = folder / "results/smoke/logs/train/tempotron/patterns/spiking/seed-0.log"
    kept = log.with_suffix(".checkpoints") / "training.npz"
    process = scenes.start(folder, network)
    while not kept.is_file() or json.loads(load_arrays(kept)[STRUCTURE].tobytes())["done"] < 5:
        assert process.poll() is None, (folder / "said.txt").read_text()
        time.sleep(0.02)
    os.killpg(process.pid, how)
    process.wait()
    while scenes.running(folder):
        time.sleep(0.1)
    assert kept.is_file() and not (folder / network).exists()
    if how == signal.SIGKILL:
        scenes.unlock(folder)
    scenes.finish(folder, network)
    assert "training continues after" in log.read_text() and not kept.parent.exists()
    scenes.finish(undisturbed, network)
    assert scenes.arrays(folder) == scenes.arrays(undisturbed)
    assert scenes.facts(folder) == scenes.facts(undisturbed)
