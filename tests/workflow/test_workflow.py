"""The workflow as a user meets it: dry runs, refusals, and one smoke run end to end."""

import collections
import ctypes.util
import itertools
import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

import pytest
import yaml
from made.checkouts import ROOT, finish, snakemake

import whyspiking
from snakemake_logger_plugin_whyspiking import handler
from whyspiking.declared import registry
from whyspiking.declared.config import read
from whyspiking.stages.order import networks
from whyspiking.verdicts import judge


@pytest.mark.parametrize("overlay", [[], ["config/paper.yaml"]])
def test_dry_run_trains_all_networks_and_simulates_the_experiments_with_any(checkout, overlay):
    words = ["--configfile", *overlay] if overlay else []
    said = finish(checkout, "-n", "--quiet", "rules", *words)
    asked = read(*(ROOT / path for path in overlay), folder=ROOT / "config")
    talks = (registry.load_talk(name) for name in asked["talks"])
    trained = [(talk.name, *place) for talk in talks for place in networks(talk, asked)]
    assert f"train {len(trained)}, " in said
    assert f"simulate {len({place[:2] for place in trained})}, " in said
    assert not list((checkout / "results").rglob("metrics.csv")), "a dry run makes nothing"


@pytest.mark.slow
def test_without_voices_everything_else_goes_on(checkout, tmp_path_factory, monkeypatch):
    """No eSpeak NG: its data set fails with one message, a training without speech is done."""
    if ctypes.util.find_library("espeak-ng") is not None:
        pytest.skip("the system has eSpeak NG of its own")
    shadow = tmp_path_factory.mktemp("shadow")
    (shadow / "espeakng_loader.py").write_text("raise ImportError\n")
    monkeypatch.setenv("PYTHONPATH", str(shadow))
    network = "results/smoke/goeltz/yinyang/linear/seed-0/network.npz"
    words = "resources/data/words-6x10x3/meta.json"
    done = snakemake(checkout, words, network, "--configfile", "config/smoke.yaml", "--cores", "1")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert (checkout / network).is_file(), said
    assert not (checkout / words).exists()
    assert "its library is not installed; install the Python package espeakng-loader" in said


def test_smoke_run_gives_all_tables_and_pages(smoke_run):
    results = smoke_run / "results" / "smoke"
    run = whyspiking.results(results)
    verdicts, metrics = run.verdicts, run.metrics
    assert all(len(run.table(name).columns) for name in run.contents["table"]), "as declared"
    assert set(verdicts["qualification"]) == {"smoke run, which gives no verdicts"}
    talks = [registry.load_talk(name) for name in registry.available()]
    counted = [talk for talk in talks if talk.counted]
    promised = [c.id for talk in counted for c in judge.load(talk.folder / "claims.yaml", talk)]
    assert sorted(verdicts["claim"]) == sorted(promised)
    notes = verdicts.set_index("claim")["comment"]
    assert notes["comsa.released_slow.accuracy"].startswith("file not available: comsa_")
    assert {"brian2", "compiled"} <= set(metrics["engine"])
    parity = metrics.query("metric == 'equal_decisions' and talk == 'goeltz'")["value"]
    assert parity.min() >= 0.95
    for page in (*(f"{talk.name}/report.html" for talk in talks), "why_spiking.html"):
        text = (results / page).read_text()
        assert "<svg" in text
        assert not re.search(r'(src|href)="https?://[^"]+\.(js|css|png|svg)"', text)
    assert not list(results.rglob("*.part*"))


def test_smoke_run_again_has_nothing_to_do(smoke_run):
    said = finish(smoke_run, "--configfile", "config/smoke.yaml", "-n")
    assert re.search(r"nothing to (be )?do", said, re.IGNORECASE), said


def test_files_of_the_authors_make_only_what_reads_them_run_again(smoke_run, tmp_path):
    overlay = tmp_path / "originals.yaml"
    overlay.write_text(f"data: {{originals_dir: {tmp_path}}}\n")
    said = finish(smoke_run, "-n", "--configfile", "config/smoke.yaml", str(overlay))
    trained = set(re.findall(r"^(\w+ \w+) \w+ seed \d+: training", said, re.MULTILINE))
    read_by = {f"bohte {name}" for name in ("ecg", "folds", "published", "sparse", "released")}
    read_by |= {f"goeltz released_{name}" for name in ("yinyang", "mnist")}
    read_by |= {"bohte released_smnist", "comsa released"}
    read_by |= {"goeltz released_chip"} & trained
    assert trained == {*read_by, "masquelier released"}, said


STAGES = ("train", "simulate", "collect", "page")


def documented() -> list[tuple[str, list[str], str, str]]:
    """The table of docs/maintaining.md: what is changed, for instance, whose run, first stage."""
    text = (ROOT / "docs/maintaining.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| runs again from |")
    rows = [line.strip("| ").split(" | ") for line in table.split("\n\n")[0].splitlines()[2:]]
    assert len(rows) > 20
    return [(what, re.findall("`(.+?)`", where), talk, stage) for what, where, talk, stage in rows]


def place_of(folder: Path, name: str, talk: str) -> Path:
    """The file that the table means: of the config, of the talk or of the package."""
    package = folder / "workflow" / "whyspiking"
    candidates = (folder / "config", package / "talks" / talk, package)
    return next(place / name for place in candidates if (place / name).is_file())


ADDED = {".py": "CHANGED = True\n", ".cpp": "// changed\n", ".hpp": "// changed\n"}
"""Suffix -> what is added at the end of a file."""


def change(path: Path, key: str) -> None:
    """Add a statement, or change the value of one key: `a.0.b`."""
    if not key:
        path.write_text(path.read_text() + ADDED.get(path.suffix, "/* changed */\n"))
        return
    data = yaml.safe_load(path.read_text())
    *steps, last = [int(step) if step.isdigit() else step for step in key.split(".")]
    entry = data
    for step in steps:
        entry = entry[step]
    old = entry[last]
    entry[last] = old[:-1] if isinstance(old, list | str) else 2 * old
    assert entry[last] != old
    path.write_text(yaml.safe_dump(data, sort_keys=False))  # nothing else changes


def first_due(folder: Path, talks: Collection[str]) -> dict[str, str]:
    """Talk -> the first stage that a dry run of these talks finds due."""
    said = finish(folder, *talks, "-n", "--configfile", "config/smoke.yaml")
    assert re.search(r"(jobs?|nothing) to (be )?do", said, re.IGNORECASE), said
    found = dict.fromkeys(talks, "nothing")
    for stage, talk in itertools.product(reversed(STAGES), talks):
        if re.search(rf"^{talk}\b[^:\n]*: {handler.STAGES[stage][0]}", said, re.MULTILINE):
            found[talk] = stage
    return found


@pytest.fixture
def finished(smoke_run, tmp_path) -> Path:
    """A copy of the smoke run in which files may be changed; what it was made from is only read."""
    folder = tmp_path / "run"
    shutil.copytree(smoke_run, folder, symlinks=True, ignore=shutil.ignore_patterns("data"))
    (folder / "resources" / "data").symlink_to(smoke_run / "resources" / "data")
    return folder


def due_after(folder: Path, changes: Collection[tuple[str, str]]) -> dict[str, str]:
    """What a dry run finds due after changes (talk, place), which are then taken back."""
    saved = {}
    for talk, place in changes:
        name, _, key = place.partition(": ")
        path = place_of(folder, name, talk)
        saved.setdefault(path, (path.read_bytes(), path.stat()))
        change(path, key)
    found = first_due(folder, {talk for talk, _ in changes})
    for path, (raw, times) in saved.items():
        path.write_bytes(raw)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return found


def test_changes_run_again_what_the_table_says(finished):
    """All places of one stage together: none of them makes an earlier one run."""
    together = collections.defaultdict(list)
    for _, places, talk, stage in documented():
        together[stage] += [(talk, place) for place in places]
    for stage, changes in together.items():
        talks = {talk for talk, _ in changes}
        assert due_after(finished, changes) == dict.fromkeys(talks, stage), changes
    assert first_due(finished, ["naud"]) == {"naud": "nothing"}, "each change was taken back"


def test_comments_and_docstrings_run_nothing_again(finished):
    package = finished / "workflow" / "whyspiking"
    for place in ("talks/goeltz/learning.py", "talks/goeltz/talk.yaml", "training/controls.py"):
        path = package / place
        path.write_text(f"# A comment.\n{path.read_text()}")
    measures = package / "measures" / "scoring.py"
    measures.write_text(f'{measures.read_text()}\n\ndef _unused():\n    """A docstring."""\n')
    assert first_due(finished, ["goeltz"]) == {"goeltz": "simulate"}
    measures.write_text(measures.read_text().rpartition("\n\ndef _unused")[0] + "# A comment.\n")
    assert first_due(finished, ["goeltz"]) == {"goeltz": "nothing"}


@pytest.mark.slow
def test_a_change_runs_again_what_the_table_says(finished):
    """Every place that a row names, alone."""
    rows = [((talk, place), stage) for _, places, talk, stage in documented() for place in places]
    assert [(own, due_after(finished, [own])[own[0]]) for own, _ in rows] == rows
