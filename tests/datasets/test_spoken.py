"""Readers of the spoken data sets: round trips, parts, and files that are something else."""

import hashlib
import json
import zipfile

import h5py
import numpy as np
import pytest
from made.utterances import shard

from whyspiking.contract import data_folders
from whyspiking.datasets import recorded, spoken, words
from whyspiking.datasets.speech import voices
from whyspiking.errors import UserError
from whyspiking.records import array_files
from whyspiking.stages import data as making

SETTINGS = {
    "spoken": {
        "source": "auto", "speakers": 6, "repetitions": 2, "channels": 140, "rate_khz": 24,
    },
    "words": {"speakers": 6, "words": 10, "repetitions": 2},
    "nmnist": {
        "source": "auto", "train": 5, "validation": 3, "test": 4, "dt_ms": 15, "pool": 2,
    },
}  # fmt: skip


def data(folder, originals=None, **spoken_changes):
    return {
        "folder": str(folder),
        "originals_dir": originals and str(originals),
        "spoken": {**SETTINGS["spoken"], **spoken_changes},
        "words": SETTINGS["words"],
        "nmnist": SETTINGS["nmnist"],
    }


def prepared(tmp_path, key):
    shards = []
    for speaker in range(6):
        shards.append(tmp_path / "shards" / f"{speaker}.npz")
        array_files.save_arrays(shard(speaker, 20 if key == "spoken" else 10), shards[-1])
    making.gather(key, SETTINGS, shards, tmp_path / "meta.json")
    return shards


@pytest.fixture
def digits(tmp_path):
    """A small data set of spoken digits without any voice."""
    return tmp_path, [array_files.load_arrays(path) for path in prepared(tmp_path, "spoken")]


PARTS = ("train", "validation", "test_seen", "test_heldout")


def test_every_spike_comes_back_once(digits):
    folder, shards = digits
    # Rounded to half precision, a spike may fall on the end of the first second.
    parts = {p: spoken.load(folder, p, n_channels=140, duration_ms=1010.0) for p in PARTS}
    assert sum(len(u.spikes) for u in parts.values()) == sum(len(s["times"]) for s in shards)
    assert [parts[p].labels.size for p in PARTS] == [130, 14, 16, 80]
    assert set(parts["test_heldout"].speakers) == {4, 5}
    for part in ("train", "validation", "test_seen"):
        assert set(parts[part].speakers) <= {0, 1, 2, 3}
    assert parts["train"].words == voices.DIGITS
    # Every utterance is one of its speaker's, spike for spike.
    for utterances in parts.values():
        for trial in (0, 7):
            own = utterances.select([trial])
            found = shards[int(own.speakers[0])]
            same = [
                k
                for k in np.flatnonzero(found["labels"] == own.labels[0])
                if np.array_equal(
                    1000.0 * found["times"][found["ptr"][k] : found["ptr"][k + 1]].astype(float),
                    own.spikes.times_ms,
                )
            ]
            assert len(same) == 1
            k = same[0]
            units = found["units"][found["ptr"][k] : found["ptr"][k + 1]]
            np.testing.assert_array_equal(np.sort(units // 5), np.sort(own.spikes.units))


def test_frames_count_spikes_and_late_ones_are_told(digits):
    folder, _ = digits
    whole = spoken.load(folder, "train", n_channels=140, duration_ms=1000.0)
    frames = whole.frames(10.0)
    assert frames.shape == (130, 100, 140) and frames.dtype == np.uint8
    np.testing.assert_array_equal(frames.sum(axis=1), whole.spikes.counts())
    first = np.flatnonzero(frames[3].any(axis=1))[0]
    assert first == int(whole.select([3]).spikes.times_ms[0] // 10)
    short = spoken.load(folder, "train", n_channels=140, duration_ms=400.0)
    assert short.lost > 0 and len(short.spikes) + short.lost == len(whole.spikes) + whole.lost
    with pytest.raises(UserError, match="must divide the trial"):
        whole.frames(7.0)


def test_neighbouring_channels_are_put_together(digits):
    folder, _ = digits
    fine, coarse = (
        spoken.load(folder, "test_seen", n_channels=n, duration_ms=1000.0) for n in (700, 70)
    )
    together = fine.spikes.counts().reshape(16, 70, 10).sum(axis=2)
    np.testing.assert_array_equal(together, coarse.spikes.counts())
    assert set(fine.spikes.units % 5) == {2}
    with pytest.raises(UserError, match="must divide 700"):
        spoken.load(folder, "train", n_channels=150, duration_ms=1000.0)


def test_validation_by_speakers(digits):
    folder, _ = digits
    load = spoken.load
    held = load(folder, "validation", n_channels=140, duration_ms=999.0, validation_speakers=[2])
    train = load(folder, "train", n_channels=140, duration_ms=999.0, validation_speakers=[2])
    assert set(held.speakers) == {2} and set(train.speakers) == {0, 1, 3}
    with pytest.raises(UserError, match=r"validation speakers \[4\] are not in the training file"):
        load(folder, "train", n_channels=140, duration_ms=999.0, validation_speakers=[4])
    with pytest.raises(UserError, match="no part 'trial'"):
        load(folder, "trial", n_channels=140, duration_ms=999.0)  # pyright: ignore


def test_the_table_describes_every_utterance(digits):
    import pandas as pd

    folder, shards = digits
    table = pd.read_csv(folder / "samples.csv")
    assert len(table) == 240
    assert (table["file"] == "test").sum() == 96
    assert table["n_spikes"].sum() == sum(len(s["times"]) for s in shards)
    assert set(table.query("held_out == 1")["speaker"]) == {4, 5}
    assert (table["text"] == "one,").all()


def test_the_description_tells_where_the_data_come_from(digits):
    folder, _ = digits
    facts = json.loads((folder / "meta.json").read_text())
    assert facts["provenance"] == "synthetic"
    assert facts["utterances"] == {"train": 144, "test": 96}
    assert facts["parameters"]["bushy_cell_weight_per_s"] == 12.2e3
    for name, digest in facts["sha256"].items():
        path = next(folder.rglob(name))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    assert {"citation", "licence", "settings"} <= facts.keys()


def test_changed_and_missing_files_are_refused(digits):
    folder, _ = digits
    tested, meta = folder / "SHD" / "shd_test.h5", folder / "meta.json"
    for path, content, message in (
        (tested, tested.read_bytes()[:-1], r"shd_test\.h5: it is not the file that meta\.json"),
        (tested, None, r"shd_test\.h5: cannot be read"),
        (meta, b'{"provenance": "synthetic"}', "not what the run wrote"),
        (meta, None, "rerun snakemake"),
    ):
        whole = path.read_bytes()
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            spoken.load(folder, "train", n_channels=140, duration_ms=1000.0)
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("spikes/units", lambda row: np.full(len(row), 700, np.uint16), "units go from . to 700"),
        ("spikes/units", lambda row: row[:-1], "differ in number"),
        ("spikes/times", lambda row: -np.ones(len(row), np.float16), "negative"),
        ("labels", lambda label: 20, "labels go from 0 to 20"),
    ],
)
def test_a_file_of_another_shape_is_refused(digits, name, change, message):
    path = digits[0] / "SHD" / "shd_train.h5"
    with h5py.File(path, "r+") as file:
        file[name][1] = change(file[name][1])
    with pytest.raises(UserError, match=message) as caught:
        spoken.read(path)
    assert "shd_train.h5" in str(caught.value) and "source: synthetic" in str(caught.value)


def test_words_come_back(tmp_path):
    shards = [array_files.load_arrays(path) for path in prepared(tmp_path, "words")]
    parts = {p: words.load(tmp_path, p) for p in PARTS}
    assert [parts[p].labels.size for p in PARTS] == [65, 7, 8, 40]
    one = parts["test_heldout"]
    own = shards[int(one.speakers[5])]
    place = [k for k in range(20) if np.array_equal(own["log_mel"][k], one.log_mel[5])]
    assert len(place) == 1 and own["labels"][place[0]] == one.labels[5]
    assert one.words == voices.WORDS[:10] and one.log_mel.dtype == np.float32
    with pytest.raises(UserError, match=r"meta\.json"):
        words.load(tmp_path / "elsewhere", "train")


# ---- The recorded digits -------------------------------------------------------------------


@pytest.fixture
def originals(digits, tmp_path, monkeypatch):
    """A user's folder with both archives, as if they were the published ones."""
    own = tmp_path / "own"
    own.mkdir()
    sums = {}
    for name in ("shd_train.h5", "shd_test.h5"):
        with zipfile.ZipFile(own / f"{name}.zip", "w") as archive:
            archive.write(tmp_path / "SHD" / name, name)
        content = (own / f"{name}.zip").read_bytes()
        sums[f"{name}.zip"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    for module in (data_folders, recorded):
        monkeypatch.setattr(module, "ARCHIVES", sums)
    return own


def test_recorded_digits_are_used_where_they_are(originals, tmp_path):
    there = data(tmp_path / "data", originals)
    assert data_folders.folder_of("spoken", there) == "spoken-original"
    meta = tmp_path / "data" / "spoken-original" / "meta.json"
    making.fetch("spoken-original", there, meta, lambda share, news: None)
    facts = json.loads(meta.read_text())
    assert facts["provenance"] == "original" and "CC BY" in facts["licence"]
    assert set(facts["checked"].values()) == {"archive of the published MD5"}
    train = spoken.load(meta.parent, "train", n_channels=140, duration_ms=1000.0)
    assert train.labels.size == 130
    # Once there, they are found without the user's folder.
    assert data_folders.folder_of("spoken", data(tmp_path / "data")) == "spoken-original"


def test_automatic_choice_is_synthetic_without_files_and_can_be_forced(originals, tmp_path):
    place = tmp_path / "data"
    synthetic = "spoken-6x20x2-140ch-24k"
    folders = {"spoken": synthetic, "words": "words-6x10x2", "yinyang": None}
    assert {key: data_folders.folder_of(key, data(place)) for key in folders} == folders
    assert data_folders.folder_of("spoken", data(place, originals, source="synthetic")) == synthetic
    recordings = data_folders.event_recordings(data(place))
    assert data_folders.used_folders(data(place)) == {
        "mnist",
        recordings,
        synthetic,
        "vowels",
        "words-6x10x2",
    }
    assert data_folders.folder_of("spoken", data(place, source="original")) == "spoken-original"
    (originals / "shd_test.h5.zip").unlink()
    assert data_folders.folder_of("spoken", data(place, originals)) == synthetic


def test_other_archives_are_refused(originals, tmp_path):
    there = data(tmp_path / "data", originals)
    path = originals / "shd_test.h5.zip"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(UserError, match=r"shd_test\.h5\.zip: its MD5 is"):
        recorded.fetch(there)
    path.unlink()
    with pytest.raises(UserError, match=r"neither shd_test\.h5\.zip nor shd_test\.h5 is in any of"):
        recorded.fetch(there)


def test_unpacked_files_are_checked_by_their_layout(originals, tmp_path):
    for name in ("shd_train.h5", "shd_test.h5"):
        (originals / f"{name}.zip").unlink()
        (originals / name).write_bytes((tmp_path / "SHD" / name).read_bytes())
    _, how = recorded.fetch(data(tmp_path / "data", originals))
    assert all(text.startswith("layout only") for text in how.values())
    with h5py.File(originals / "shd_train.h5", "r+") as file:
        del file["extra/speaker"]
        file["extra/speaker"] = np.zeros(3, np.uint16)
    with pytest.raises(UserError, match="numbers of utterances differ"):
        recorded.fetch(data(tmp_path / "data2", originals))


def test_unknown_data_sets_are_refused(tmp_path):
    with pytest.raises(UserError, match="known: spoken, words"):
        making.shard("sung", {"sung": {}}, "0", tmp_path / "x.npz", lambda share, news: None)
