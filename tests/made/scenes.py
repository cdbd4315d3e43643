"""Small runs to be disturbed: copies of the project, started, killed, resumed and compared.

Two talks are made from the template: `tempotron`, and `listener`, whose data set of spoken words
is made by jobs as well. Their smoke runs have every kind of job but the fetching of MNIST, in well
under a minute.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from made import checkouts
from made.checkouts import copy_workflow, name_template
from made.hangs import limit, wait_until

finish = checkouts.finish
TIMES = ("train_seconds", "train_cpu_seconds", "epoch_seconds")
"""Metrics that are durations: the only rows of the tables that differ between equal runs."""


def checkout(folder: Path, talks: tuple[str, ...] = ("listener",), cores: int = 1) -> Path:
    """A copy of the project whose plain `snakemake` is the smoke run of some small talks.

    Args:
        folder: Where to; its parent must exist.
        talks: Names; `listener` hears spoken words, any other name is the template as it is.
        cores: What the copy's profile says.
    """
    copy_workflow(folder, "README.md")
    for talk in talks:
        _make_talk(folder, talk)
    values = yaml.safe_load((folder / "config" / "config.yaml").read_text())
    _merge(values, yaml.safe_load((folder / "config" / "smoke.yaml").read_text()))
    values["talks"] = list(talks)
    # The template's shared task would be learned again and again.
    values["seeds_of"] += [{"experiment": f"{t}.shared_yinyang", "seeds": []} for t in talks]
    values["data"]["words"] = {"speakers": 6, "words": 2, "repetitions": 4}
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(values))
    profile = folder / "profiles" / "default" / "config.yaml"
    profile.write_text(re.sub(r"^cores: .*$", f"cores: {cores}", profile.read_text(), flags=re.M))
    return folder


def _make_talk(folder: Path, talk: str) -> None:
    own = name_template(folder, talk)
    if talk == "listener":
        shutil.copy(Path(__file__).with_name("listener") / "task.py", own / "task.py")
        described = yaml.safe_load((own / "talk.yaml").read_text())
        experiment = described["experiments"]["patterns"]
        experiment["data"] = {"data_set": "words", "data_source": "synthetic"}
        small = {"n_input": 40, "trial_ms": 1010.0, "epochs": 2, "max_trials": 60}
        experiment["scale_overrides"]["smoke"] = {
            key: {"value": value, "reason": "spoken words, checks the plumbing"}
            for key, value in small.items()
        }
        (own / "talk.yaml").write_text(yaml.safe_dump(described))


def _merge(into: dict, changes: dict) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            _merge(into[key], value)
        else:
            into[key] = value


def start(folder: Path, *words: str) -> subprocess.Popen:
    """Start snakemake in `folder`, with its own package, as leader of a process group."""
    # As a terminal starts it; a parent in the background would have it ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (folder / "said.txt").open("a") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "snakemake", *words],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(folder / "workflow")},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    finally:
        signal.signal(signal.SIGINT, before)


def snakemake(folder: Path, *words: str) -> tuple[int, str]:
    """Run snakemake in `folder`: exit status, and what it said."""
    done = checkouts.snakemake(folder, *words)
    return done.returncode, done.stdout + done.stderr


def stop(process: subprocess.Popen, folder: Path, number: int, whole_group: bool) -> None:
    """Stop a run as Ctrl-C (the whole group) or a `kill` does; it must end in the way README says.

    Args:
        process: From `start`.
        folder: Where it runs.
        number: The signal.
        whole_group: Whether the jobs get it as well.
    """
    send = os.killpg if whole_group else os.kill
    send(process.pid, number)
    send(process.pid, number)  # whoever is impatient makes it no worse
    status = process.wait(limit())
    said = (folder / "said.txt").read_text(errors="replace")
    assert status == 128 + number, said
    assert not running(folder)
    assert said.count("\nthe run was stopped by you after ") == 1, said
    last = said.splitlines()[-1]
    assert last.endswith(
        "the results of finished jobs are kept; run the same command again to continue"
    ), said
    for word in ("Traceback", "FAILED", "Mend", "rror"):
        assert word not in said, said
    assert not list((folder / ".snakemake" / "locks").glob("*"))
    assert not list(folder.rglob("*.part*")), "nothing is half-written"


def halt(process: subprocess.Popen, folder: Path, logs: Path) -> None:
    """SIGSTOP the whole process group while a job is at work, once there is a log in `logs`."""

    def halted() -> bool:
        if not any(logs.rglob("*.log")):
            return False
        os.killpg(process.pid, signal.SIGSTOP)
        if len(running(folder)) > 1:
            return True
        os.killpg(process.pid, signal.SIGCONT)
        return False

    wait_until(halted, process)
    assert process.poll() is None, (folder / "said.txt").read_text()


def kill(process: subprocess.Popen, folder: Path) -> None:
    """SIGKILL the whole process group, and wait until nothing of the run is left."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # Kernels of notebooks are sessions of their own; they end when they find their parent gone.
    wait_until(lambda: not running(folder))


def unlock(folder: Path, *targets: str) -> None:
    """Remove the lock that a killed run has left, as the next run of the same targets says."""
    status, said = snakemake(folder, *targets)
    assert status != 0
    line = said.splitlines()[-1]
    assert line.startswith("error: this folder is locked"), said
    assert line.endswith("type: snakemake --unlock"), said
    assert "LockException" not in said and said.count("--unlock") == 1, said
    finish(folder, "--unlock")


def running(folder: Path) -> list[int]:
    """Processes that work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if path.resolve().is_relative_to(folder.resolve()):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def commands(folder: Path) -> list[str]:
    """Command lines of the processes that work in a folder."""
    found = []
    for pid in running(folder):
        with contextlib.suppress(OSError):
            found.append(Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "))
    return found


def tables(folder: Path) -> dict[str, str]:
    """All final tables as text, without the rows and columns that are durations."""
    results = folder / "results" / "smoke"
    found = {}
    for path in sorted(results.rglob("*.csv")):
        name = str(path.relative_to(results))
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        if "metric" in table:
            table = table[~table["metric"].isin(TIMES)]
        if path.name == "durations.csv":  # what is timed, not how long it took or what it cost
            table = table[table["talk"] != ""][["rule", "talk", "experiment", "variant"]]
        found[name] = table.to_csv(index=False)
    return found


def arrays(folder: Path) -> dict[str, bytes]:
    """Bytes of every array of every network and exhibit."""
    found = {}
    for path in sorted((folder / "results" / "smoke").rglob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:
                found[f"{path.relative_to(folder)}:{key}"] = file[key].tobytes()
    return found


def facts(folder: Path) -> dict[str, dict]:
    """What networks say of themselves, without durations."""
    found = {}
    for path in sorted((folder / "results" / "smoke").rglob("network.json")):
        content = json.loads(path.read_text())
        for key in TIMES:
            content["info"].pop(key, None)
        content["history"] = [row for row in content["history"] if row["metric"] not in TIMES]
        found[str(path.relative_to(folder))] = content
    return found


def assert_equal(one: Path, other: Path) -> None:
    """Two runs have the same tables, arrays and facts, bit for bit but for durations."""
    ours, theirs = tables(one), tables(other)
    assert ours, "there are tables"
    assert sorted(ours) == sorted(theirs)
    for name, text in ours.items():
        assert text == theirs[name], f"{name} differs"
    assert arrays(one) == arrays(other)
    assert facts(one) == facts(other)
