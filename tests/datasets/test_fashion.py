"""Fashion-MNIST: read where it lies, checked, and left out where it is not."""

import gzip
import hashlib
import json
import struct

import numpy as np
import pytest

from whyspiking.contract import data_folders
from whyspiking.contract.types import Params
from whyspiking.datasets import fashion, mnist
from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.stages import data as making


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder of the user's with four small files, as if they were the published ones."""
    rng, folder = np.random.default_rng(0), tmp_path / "own"
    folder.mkdir()
    digests = {}
    for prefix, n in (("train", 6), ("t10k", 3)):
        for name, shape in (("images-idx3", (n, 28, 28)), ("labels-idx1", (n,))):
            head = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
            raw = head + rng.integers(0, 10, shape).astype(np.uint8).tobytes()
            digests[f"{prefix}-{name}-ubyte"] = (len(raw), hashlib.sha256(raw).hexdigest())
            (folder / f"{prefix}-{name}-ubyte.gz").write_bytes(gzip.compress(raw))
    monkeypatch.setattr(fashion, "FILES", digests)
    return folder


def test_it_is_read_from_a_folder_of_the_users(own, tmp_path):
    config = {"folder": str(tmp_path / "data"), "fashion_dir": str(own)}
    meta = tmp_path / "data" / "fashion" / "meta.json"
    making.fetch("fashion", config, meta, lambda share, news: None)
    assert json.loads(meta.read_text())["sha256"]["t10k-labels-idx1-ubyte"]
    values = {"n_input": 784, "n_train": 4, "n_validation": 2, "n_test": 3}
    params = Params("t", "e", "smoke", values, dataset_dir=meta.parent)
    found = {s: mnist.samples(params, s, n_held_out=2) for s in ("train", "validation", "test")}
    assert [len(labels) for _, labels in found.values()] == [4, 2, 3]
    images, labels = mnist.load(meta.parent, "train")
    np.testing.assert_array_equal(found["train"][0], images.reshape(6, -1)[:4])
    np.testing.assert_array_equal(found["validation"][1], labels[4:])


def test_other_files_are_refused(own, tmp_path):
    config = {"folder": str(tmp_path / "data"), "fashion_dir": str(own)}
    changed = own / "t10k-labels-idx1-ubyte.gz"
    raw = bytearray(gzip.decompress(changed.read_bytes()))
    raw[-1] ^= 1
    changed.write_bytes(gzip.compress(bytes(raw)))
    with pytest.raises(UserError, match=r"t10k-labels.*damaged.*dataset-fashion-mnist"):
        fashion.fetch(config)
    changed.unlink()
    with pytest.raises(UserError, match=r"neither t10k-labels-idx1-ubyte nor"):
        fashion.fetch(config)


def test_where_it_is_not_its_experiments_are_left_out(own, tmp_path, monkeypatch):
    monkeypatch.setattr(data_folders, "FASHION_DIR", tmp_path / "nowhere")
    experiment = registry.load_talk("masquelier").experiments["fashion"]
    config = {"scale": "full", "seeds": [0, 1], "seeds_of": []}
    for folder, seeds in ((None, []), (str(own), [0, 1])):
        data = {"folder": str(tmp_path / "data"), "fashion_dir": folder}
        assert registry.seeds(experiment, {**config, "data": data}) == seeds
        assert registry.seeds(experiment, {**config, "data": data}, "mlp") == seeds
    monkeypatch.setattr(data_folders, "FASHION_DIR", own)
    data = {"folder": str(tmp_path / "data"), "fashion_dir": None}
    assert registry.seeds(experiment, {**config, "data": data}) == [0, 1]
