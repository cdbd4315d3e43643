"""N-MNIST on disk: shards, the original's files, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from made import nmnist_files

from whyspiking.contract import data_folders
from whyspiking.datasets import mnist, nmnist, recordings
from whyspiking.datasets.nmnist import Grid
from whyspiking.errors import UserError

SETTINGS = {
    "source": "auto", "train": 5, "validation": 3, "test": 4, "shard": 3, "dt_ms": 15, "pool": 2,
}  # fmt: skip
GRID = Grid(15.0, 21, 2)


def data(tmp_path, originals=None, **changes):
    return {
        "folder": str(tmp_path / "data"),
        "originals_dir": str(originals) if originals else None,
        "nmnist": {**SETTINGS, **changes},
    }


@pytest.fixture
def images(monkeypatch):
    """Digits of both files of MNIST, all different."""
    rng = np.random.default_rng(0)
    made = {}
    for part, n in (("train", recordings.HELD_OUT_FROM + 10), ("test", 10)):
        few = np.zeros((10, 28, 28), np.uint8)
        few[:, 8:20, 8:20] = rng.integers(0, 256, (10, 12, 12))
        made[part] = few[np.arange(n) % 10], (np.arange(n) % 10).astype(np.uint8)
    monkeypatch.setattr(mnist, "load", lambda _, part: made[part])
    return made


def make(config, place):
    files = []
    for shard in recordings.shards(config["nmnist"]):
        path = place / "shards" / f"{shard}.npz"
        recordings.record(config, shard, path)
        files.append(path)
    facts = recordings.describe(config, files)
    (place / "meta.json").write_text(json.dumps(facts))
    return facts


def test_shards_cover_every_split_once():
    names = recordings.shards(SETTINGS)
    assert names == ["train-0", "train-1", "validation-0", "test-0", "test-1"]
    train = [n for name in names[:2] for n in recordings.numbers_of(SETTINGS, name)]
    assert train == list(range(5))
    first = recordings.HELD_OUT_FROM
    assert list(recordings.numbers_of(SETTINGS, "validation-0")) == [first, first + 1, first + 2]


def test_shards_come_back_as_they_were_simulated(images, tmp_path):
    config = data(tmp_path)
    facts = make(config, tmp_path / "set")
    assert facts["provenance"] == "simulated"
    assert set(facts["sha256"]) == {f"{n}.npz" for n in recordings.shards(SETTINGS)}
    train = recordings.load(tmp_path / "set", "train", GRID)
    expected = nmnist.simulate(images["train"][0][:5], "train", range(5))
    np.testing.assert_array_equal(train.labels, np.arange(5))
    np.testing.assert_array_equal(
        train.unpacked().transpose(1, 0, 2), nmnist.frames(expected, GRID)
    )
    assert train.events is None
    test = recordings.load(tmp_path / "set", "test", GRID)
    expected = nmnist.simulate(images["test"][0][:4], "test", range(4))
    for name in recordings.EVENT_FIELDS:
        np.testing.assert_array_equal(getattr(test.events, name), getattr(expected, name))
    with pytest.raises(UserError, match="agree"):
        recordings.load(tmp_path / "set", "test", Grid(5.0, 63, 2))
    with pytest.raises(UserError, match="Run the workflow"):
        recordings.load(tmp_path / "nowhere", "test", GRID)


@pytest.mark.parametrize("damage", ["cut", "flip", "swap"])
def test_damaged_shards_are_refused(images, tmp_path, damage):
    make(data(tmp_path), tmp_path / "set")
    path = tmp_path / "set" / "shards" / "test-0.npz"
    raw = path.read_bytes()
    half = len(raw) // 2
    changed = {
        "cut": raw[:half],
        "flip": raw[:half] + bytes([raw[half] ^ 8]) + raw[half + 1 :],
        "swap": (path.with_name("train-0.npz")).read_bytes()[:-100],
    }
    path.write_bytes(changed[damage])
    with pytest.raises(
        UserError, match=r"test-0\.npz: the file cannot be read.*Delete it and rerun"
    ):
        recordings.load(tmp_path / "set", "test", GRID)


def test_original_files_are_read_where_they_are(images, tmp_path):
    home = tmp_path / "originals"
    for part, folder in nmnist.FOLDERS.items():
        events = nmnist.simulate(images["test"][0], "test", range(10))
        for number in range(10):
            place = home / folder / str(number % 10)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number + 1:05d}.bin").write_bytes(nmnist_files.encode(events, number))
        assert len(nmnist.original_files(home, part)) == 10
    config = data(tmp_path, home)
    assert data_folders.event_recordings(config) == "nmnist-original-5+3+4-15ms-pool2"
    path = tmp_path / "test-0.npz"
    recordings.record(config, "test-0", path)
    with np.load(path) as found:
        np.testing.assert_array_equal(found["labels"], [0, 1, 2])
        np.testing.assert_array_equal(found["t_us"], events.t_us[: events.start[3]])
    with pytest.raises(UserError, match="only 10"):
        recordings.record(config, "validation-0", path)
    refused = data(tmp_path, home, source="simulated")
    assert data_folders.event_recordings(refused).startswith("nmnist-simulated-")
    with pytest.raises(UserError, match="Unpack both archives"):
        data_folders.event_recordings(data(tmp_path, source="original"))


def test_simulated_digits_have_the_numbers_of_nmnist():
    """Real MNIST: events, polarity and position as stated for the original (about 4200 events)."""
    folder = Path(__file__).parents[2] / "resources" / "data" / "mnist"
    if not (folder / "meta.json").is_file():
        pytest.skip("MNIST is not in the data folder; any run of the workflow fetches it")
    images, _ = mnist.load(folder, "test")
    found = nmnist.statistics(nmnist.simulate(images[:200], "test", range(200)))
    bounds = {
        "events_mean": (3900, 4500),
        "events_sd": (700, 1200),
        "on_share": (0.48, 0.54),
        "x_mean": (16, 18),
        "y_mean": (15, 17),
        "last_ms": (300, nmnist.DURATION_MS),
    }
    outside = {k: found[k] for k, (low, high) in bounds.items() if not low < found[k] <= high}
    assert not outside
