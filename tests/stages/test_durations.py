"""Durations of a run, from the logs of its jobs and what Snakemake timed."""

import pandas as pd
import pytest

from whyspiking.records import columns
from whyspiking.running.jobs import USED
from whyspiking.stages import durations

TIMED = "s\tcpu_time\tmax_rss\n2.5\t1.0\t100\n"
LOGS = {
    "train/goeltz/yinyang/spiking/seed-0": 1.0,
    "train/goeltz/yinyang/spiking/seed-1": 3.0,
    "simulate/goeltz/yinyang": 4.0,
    "collect/goeltz": 5.0,
    "page/goeltz": 6.0,
    "compare": 7.0,
    "fetch/mnist": 8.0,
    "shard/words-6x2x1/0": 9.0,
    "shard/words-6x2x1/11": 11.0,
    "shard/nmnist-simulated-1000+200+200-15ms-pool2/train-0": 12.0,
    "gather/nmnist-simulated-1000+200+200-15ms-pool2": 13.0,
}


def run(folder):
    """A folder with the logs of a finished run."""
    for name, seconds in LOGS.items():
        log = folder / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(f"begins\n{USED.format(total=seconds, start=0.5)}\n")
    for name in ("yinyang/spiking/seed-0", "yinyang/spiking/seed-1", "yinyang"):
        place = folder / "goeltz" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "benchmark.tsv").write_text(TIMED)
    return folder


def test_every_rule_has_its_kinds_of_jobs(tmp_path):
    table = durations.of_kinds(durations.of_jobs(run(tmp_path)), "smoke", 1.5)
    assert list(table) == columns.DURATIONS.names
    found = table.set_index(durations.KIND)["cpu_seconds"].to_dict()
    nmnist = "nmnist-simulated-1000+200+200-15ms-pool2"
    assert found == {
        ("train", "goeltz", "yinyang", "spiking", ""): 2,
        ("simulate", "goeltz", "yinyang", "", ""): 4,
        ("collect", "goeltz", "", "", ""): 5,
        ("page", "goeltz", "", "", ""): 6,
        ("compare", "", "", "", ""): 7,
        ("fetch", "", "", "", "mnist"): 8,
        ("shard", "", "", "", "words-6x2x1"): 10,
        ("shard", "", "", "", nmnist): 12,
        ("gather", "", "", "", nmnist): 13,
    }
    assert table.loc[table["rule"] == "train", "n_jobs"].item() == 2
    assert set(table["speed_factor"]) == {1.5}


@pytest.mark.parametrize("text", ["", TIMED[:18], "s\n", "\0\1"])
def test_a_damaged_measurement_of_snakemake_is_left_out(tmp_path, text):
    (run(tmp_path) / "goeltz" / "yinyang" / "benchmark.tsv").write_text(text)
    timed = durations.of_jobs(tmp_path).set_index("rule")
    assert pd.isna(timed.loc["simulate", "seconds"])
    assert timed.loc["simulate", "cpu_seconds"] == 4
    assert (timed.loc["train", "seconds"] == 2.5).all()


def test_a_job_that_has_not_ended_is_left_out(tmp_path):
    (run(tmp_path) / "logs" / "compare.log").write_text("begins\n")
    assert "compare" not in set(durations.of_jobs(tmp_path)["rule"])


def test_a_folder_without_a_run_has_no_durations(tmp_path):
    assert durations.of_kinds(durations.of_jobs(tmp_path), "smoke", 1.0).empty
