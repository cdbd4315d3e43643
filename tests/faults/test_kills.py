"""Runs that are killed at random moments and resumed by README's two lines end in equal tables.

A kill is SIGKILL to the whole process group. Compared bit for bit are all tables, arrays and facts;
durations are left out by name (`scenes.TIMES`, the columns of seconds).
"""

import json
import os
import random
import re
import time

import pytest
from made import scenes

SEED = 2020
N_RUNS, KILLS_PER_RUN = 10, 2


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run of the talk whose data are made by jobs, up to the report, and its duration in s."""
    folder = scenes.checkout(tmp_path_factory.mktemp("undisturbed") / "run")
    began = time.monotonic()
    scenes.finish(folder)
    return folder, time.monotonic() - began


def interrupted(folder, words, moment_s):
    """Start a run and kill it after so many seconds; how far it was, or None if it had ended."""
    log = folder / "said.txt"
    log.write_text("")
    process = scenes.start(folder, *words, log=log)
    try:
        process.wait(moment_s)
        return None
    except scenes.subprocess.TimeoutExpired:
        scenes.kill(process, folder)
    told = re.findall(r"^\[.*?(\d+/\d+)\] (.*)", log.read_text(), re.M)
    return " ".join(told[-1]) if told else "before the first job ended"


@pytest.mark.slow
def test_twenty_kills_change_nothing(undisturbed, tmp_path):
    """Two kills per run, the second while it resumes; the moments cover the run evenly."""
    reference, length_s = undisturbed
    rng = random.Random(SEED)
    # Every tenth of the run is hit by one first and one second kill.
    firsts = [(k + rng.random()) / N_RUNS for k in range(N_RUNS)]
    seconds = [(k + rng.random()) / N_RUNS for k in range(N_RUNS)]
    rng.shuffle(seconds)
    unlock, again = scenes.resume_lines()
    record = []
    for number, shares in enumerate(zip(firsts, seconds, strict=True)):
        folder = scenes.checkout(tmp_path / f"run-{number}")
        for kill, share in enumerate(shares):
            # What the first kill left to do is at least the rest of the run.
            moment_s = share * (length_s if kill == 0 else (1 - shares[0]) * length_s + 5)
            reached = interrupted(folder, again, moment_s)
            while reached is None:  # a quicker run than the undisturbed one: kill the next earlier
                results = folder / "results" / "smoke"
                scenes.shutil.rmtree(results)
                moment_s *= 0.7
                reached = interrupted(folder, again, moment_s)
            record.append({"run": number, "after_s": round(moment_s, 1), "last": reached})
            scenes.finish(folder, *unlock)
        scenes.finish(folder, *again)
        scenes.assert_equal(reference, folder)
        print(json.dumps(record[-KILLS_PER_RUN:]), flush=True)
        scenes.shutil.rmtree(folder)
    assert len(record) == N_RUNS * KILLS_PER_RUN
    keep = os.environ.get("WHYSPIKING_KILLS")
    if keep:
        with open(keep, "w") as file:
            json.dump({"undisturbed_s": round(length_s, 1), "kills": record}, file, indent=1)


def test_a_kill_in_training_and_one_in_simulation_change_nothing(small_run, tmp_path):
    """The short form: the template alone, up to its verdicts."""
    folder = scenes.checkout(tmp_path / "run", ("tempotron",))
    # The headers that all programs share are compiled already: a quarter of the time.
    for headers in (small_run / "resources" / "build").glob("headers-*"):
        scenes.shutil.copytree(headers, folder / headers.relative_to(small_run))
    unlock, again = scenes.resume_lines()
    target = ["results/smoke/tempotron/verdicts.csv"]
    for stage in ("train", "simulate"):
        process = scenes.start(folder, *target, *again)
        scenes.halt(process, folder, folder / "results" / "smoke" / "logs" / stage)
        scenes.kill(process, folder)
        if stage == "train":
            status, said = scenes.snakemake(folder, *target, *again)
            assert status != 0
            assert "--unlock" in said, "the lock of the killed run is told, with its remedy"
        scenes.finish(folder, *unlock)
    scenes.finish(folder, *target, *again)
    scenes.assert_equal(small_run, folder)
