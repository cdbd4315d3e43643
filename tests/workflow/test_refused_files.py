"""Broken config files, wrong commands and lacking compilers: one message and no job."""

import re
from pathlib import Path

import pytest
from made.checkouts import snakemake

QUICK = ("a key twice", "no block", "no compiler", "a flag of XLA", "an unknown network")
"""One for each place that refuses; each takes seconds, and `tests/declared` has the messages."""
BROKEN = {
    "no such file": (None, ["overlay.yaml", "no such file", "correct the path"]),
    "a key twice": (b"scale: smoke\nscale: paper\n", ["overlay.yaml", "'scale'", "Remove one"]),
    "no block": (b"data: 5\n", ["'data' is 5", "mapping", "Correct"]),
}


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=() if c in QUICK else pytest.mark.slow) for c in BROKEN]
)
def test_broken_file_is_refused_in_one_message(checkout: Path, monkeypatch, case):
    content, words = BROKEN[case]
    if content is not None:
        (checkout / "overlay.yaml").write_bytes(content)
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    refused(checkout, ["--configfile", "overlay.yaml"], words)


NETWORK = "results/default/goeltz/yinyang/{}/seed-80/network.npz"
COMMANDS = {
    "a key without a value": ("", ["--config", "scale"], ["--config", "name=value", "Correct it"]),
    "a key told twice": ("", ["--config", "seeds=[0]", "seeds=[1]"], ["'seeds' is given twice"]),
    "no compiler": ("CXX=no-such-compiler", [], ["no-such-compiler", "not on PATH", "install"]),
    "a flag of XLA": (
        "XLA_FLAGS=--xla_cpu_enable_fast_math=true", [],
        ["XLA_FLAGS: '--xla_cpu_enable_fast_math'", "unset XLA_FLAGS"],
    ),
    "unknown instructions": ("WHYSPIKING_VECTORS=avx9", [], ["'avx9'", "one of baseline"]),
    "an unknown rule": ("", ["goltz"], ["'goltz' is no rule", "the name of a talk", "Correct it"]),
    "an unknown file": ("", ["results/x.csv"], ["'results/x.csv' is no rule", "Correct it"]),
    "an unknown network": (
        "", [NETWORK.format("spikin")],
        ["'yinyang/spikin'", "talk 'goeltz'", "spiking", "Correct the path"],
    ),
    "an unknown seed": (
        "", [NETWORK.format("spiking").replace("seed-80", "seed-99")],
        ["seed 99 of 'goeltz/yinyang/spiking' is not in the config", "expected one of 80", "add"],
    ),
    "an empty target": ("", [""], ["a target is empty", "Remove the empty quotation marks"]),
    "a seed in words": ("", ["--config", "seeds=[one]"], ["'seeds.0' is 'one'", "Correct it"]),
}  # fmt: skip


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=() if c in QUICK else pytest.mark.slow) for c in COMMANDS]
)
def test_wrong_command_is_refused_in_one_message(checkout: Path, monkeypatch, case):
    setting, command, words = COMMANDS[case]
    if setting:
        monkeypatch.setenv(*setting.split("=", 1))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    refused(checkout, command or [NETWORK.format("linear")], words)
    assert not list(checkout.glob(".snakemake/locks/*"))


SEEDS_OF_ONE = "[{experiment: goeltz.yinyang, seeds: [8]}]"
LINE = "the seeds [7] of the command line replace the configured seeds of"


@pytest.mark.parametrize(
    ("command", "seeds", "line"),
    [
        (["--config", "seeds=[7]"], {7}, f"{LINE} 19 experiments and of all shared tasks"),
        (
            ["--config", "seeds=[7]", "--configfile", "config/smoke.yaml"],
            {7},
            f"{LINE} all shared tasks",
        ),
        (["--config", "seeds=[7]", f"seeds_of={SEEDS_OF_ONE}"], {7, 8}, f"{LINE} all shared tasks"),
        (["--config", "scale=default"], {0, 80, 81, 82, 83, 84}, None),
    ],
)
def test_seeds_of_the_command_line_replace_those_of_files(checkout: Path, command, seeds, line):
    done = snakemake(checkout, "-n", "goeltz", *command)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    trained = re.findall(r"^goeltz (\S+) \S+ seed (\d+): training", said, flags=re.M)
    assert {int(seed) for _, seed in trained} == seeds, said
    if "seeds_of" in str(command):
        assert {name for name, seed in trained if seed == "8"} == {"yinyang"}
    assert "clopath" not in said
    if line is None:
        assert "of the command line" not in said
    else:
        lines = [text for text in done.stderr.splitlines() if not text.startswith("Using workflow")]
        assert lines[0] == line, "the first line of the run says it"


def refused(checkout: Path, command: list[str], words: list[str]) -> None:
    done = snakemake(checkout, *command)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    for word in words:
        assert word in said, said
    assert said.count("error:") == 1, said
    assert "Traceback" not in said and "Error in file" not in said, said
    assert not list((checkout / "results").iterdir()), "no job has started"


def test_a_source_that_is_gone_is_refused_before_anything_runs(checkout: Path):
    (checkout / "workflow/whyspiking/talks/scherr/kernel.cpp").unlink()
    words = ["talks/scherr/kernel.py", "'kernel.cpp'", "Restore it (git checkout)"]
    refused(checkout, ["-n", "scherr"], words)
