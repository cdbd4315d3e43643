"""Reader of the spoken words: round trip, parts, and files that are something else."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest
from made.utterances import shard

from whyspiking.contract import data_folders
from whyspiking.datasets import words
from whyspiking.datasets.speech import voices
from whyspiking.errors import UserError
from whyspiking.records import array_files
from whyspiking.stages import data as making

SETTINGS = {
    "words": {"speakers": 6, "words": 10, "repetitions": 2},
    "nmnist": {"source": "auto", "train": 5, "validation": 3, "test": 4, "dt_ms": 15, "pool": 2},
    "originals_dir": None,
}
PARTS = ("train", "validation", "test_seen", "test_heldout")


@pytest.fixture
def spoken(tmp_path):
    """A small data set of spoken words without any voice: its folder and its shards."""
    paths = [tmp_path / "shards" / f"{speaker}.npz" for speaker in range(6)]
    for speaker, path in enumerate(paths):
        array_files.save_arrays(shard(speaker, 10), path)
    making.gather("words", SETTINGS, paths, tmp_path / "meta.json")
    return tmp_path, [array_files.load_arrays(path) for path in paths]


def test_words_come_back(spoken):
    folder, shards = spoken
    parts = {part: words.load(folder, part) for part in PARTS}
    assert [parts[part].labels.size for part in PARTS] == [65, 7, 8, 40]
    assert set(parts["test_heldout"].speakers) == {4, 5}
    for part in ("train", "validation", "test_seen"):
        assert set(parts[part].speakers) <= {0, 1, 2, 3}
    one = parts["test_heldout"]
    own = shards[int(one.speakers[5])]
    place = [k for k in range(20) if np.array_equal(own["log_mel"][k], one.log_mel[5])]
    assert len(place) == 1 and own["labels"][place[0]] == one.labels[5]
    assert one.words == voices.WORDS[:10] and one.log_mel.dtype == np.float32


def test_validation_by_speakers(spoken):
    folder, _ = spoken
    held = words.load(folder, "validation", validation_speakers=[2])
    train = words.load(folder, "train", validation_speakers=[2])
    assert set(held.speakers) == {2} and set(train.speakers) == {0, 1, 3}
    with pytest.raises(UserError, match=r"validation speakers \[4\] are not in the training file"):
        words.load(folder, "train", validation_speakers=[4])
    with pytest.raises(UserError, match="no part 'trial'"):
        words.load(folder, "trial")  # pyright: ignore


def test_the_table_describes_every_utterance(spoken):
    folder, _ = spoken
    table = pd.read_csv(folder / "samples.csv")
    assert len(table) == 120
    assert (table["file"] == "test").sum() == 48
    assert set(table.query("held_out == 1")["speaker"]) == {4, 5}
    assert (table["text"] == "one,").all()


def test_the_description_tells_where_the_data_come_from(spoken):
    folder, _ = spoken
    facts = json.loads((folder / "meta.json").read_text())
    assert facts["provenance"] == "synthetic"
    assert facts["utterances"] == {"train": 72, "test": 48}
    assert facts["parameters"]["bands"] == 40
    for name, digest in facts["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert {"citation", "licence", "settings"} <= facts.keys()


def test_changed_and_missing_files_are_refused(spoken):
    folder, _ = spoken
    tested, meta = folder / "words_test.npz", folder / "meta.json"
    for path, content, message in (
        (
            tested,
            tested.read_bytes()[:-1],
            r"words_test\.npz: this is not the file that meta\.json",
        ),
        (tested, None, r"words_test\.npz: the file cannot be read"),
        (meta, b'{"provenance": "synthetic"}', "not the file that the run wrote"),
        (meta, None, "Rerun snakemake"),
    ):
        whole = path.read_bytes()
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match=message):
            words.load(folder, "train")
        path.write_bytes(whole)


def test_folders_tell_source_and_size():
    recordings = "nmnist-simulated-5+3+4-15ms-pool2"
    folders = {"mnist": "mnist", "words": "words-6x10x2", "nmnist": recordings, "yinyang": None}
    assert {key: data_folders.folder_of(key, SETTINGS) for key in folders} == folders
    assert data_folders.used_folders(SETTINGS) == {"mnist", "words-6x10x2", recordings}
