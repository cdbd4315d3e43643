"""Hostile downloads, archives and data files: refused in one line, and nothing is written."""

import gzip
import io
import struct
import tarfile
import urllib.request
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from whyspiking.datasets import archives, ecg, spoken
from whyspiking.datasets.archives import Refused
from whyspiking.errors import UserError
from whyspiking.records import array_files

NAME = "package/data/images"
LIMIT = 1000


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return path


def member(name: str = NAME, content: bytes = b"x" * 10, kind: bytes = tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    return info, content


def test_a_member_is_read_and_others_are_passed_over(tmp_path):
    path = tar(tmp_path / "a.tgz", member("other"), member(), member("../../evil"))
    before = sorted(tmp_path.rglob("*"))
    assert archives.read_tar(path, {NAME: LIMIT}) == {NAME: b"x" * 10}
    assert sorted(tmp_path.rglob("*")) == before, "nothing is unpacked"


HOSTILE = {
    "symbolic link": ([member(kind=tarfile.SYMTYPE, link="/etc/passwd")], "no ordinary file"),
    "hard link": (
        [member("secret"), member(kind=tarfile.LNKTYPE, link="secret")], "no ordinary file",
    ),
    "folder": ([member(kind=tarfile.DIRTYPE)], "no ordinary file"),
    "device": ([member(kind=tarfile.CHRTYPE)], "no ordinary file"),
    "pipe": ([member(kind=tarfile.FIFOTYPE)], "no ordinary file"),
    "a path that leads out": ([member(f"../{NAME}")], "not in the archive"),
    "an absolute path": ([member(f"/{NAME}")], "not in the archive"),
    "too large": ([member(content=b"x" * (LIMIT + 1))], "more than 1000 bytes"),
    "twice": ([member(), member()], "twice"),
    "missing": ([member("other")], "not in the archive"),
    "empty": ([], "not in the archive"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_tar(case, tmp_path):
    members, words = HOSTILE[case]
    with pytest.raises(Refused, match=words):
        archives.read_tar(tar(tmp_path / "a.tgz", *members), {NAME: LIMIT})


def test_tar_bomb_in_another_member_and_no_tar_at_all(tmp_path):
    """100 MB of zeros are 100 kB packed: the reader gives up before it has unpacked them all."""
    bomb = member("zeros", bytes(100 << 20))
    with pytest.raises(Refused, match="larger than it should be"):
        archives.read_tar(tar(tmp_path / "a.tgz", bomb, member()), {NAME: LIMIT})
    (tmp_path / "a.tgz").write_bytes(b"<html>not found</html>")
    with pytest.raises(Refused, match="cannot be read"):
        archives.read_tar(tmp_path / "a.tgz", {NAME: LIMIT})


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_tar_cut_short(tmp_path, cut):
    path = tar(tmp_path / "a.tgz", member(content=np.random.default_rng(0).bytes(900)))
    path.write_bytes(path.read_bytes()[:-cut])
    try:
        found = archives.read_tar(path, {NAME: LIMIT})
    except Refused:
        return
    assert len(found[NAME]) == 900, "what was cut is padding"


def test_gunzip():
    assert archives.gunzip(gzip.compress(b"abc"), 3, "f") == b"abc"
    flipped = bytearray(gzip.compress(b"abc" * 50))
    flipped[-6] ^= 1
    for packed_, limit, words in (
        (gzip.compress(b"abc"), 2, "more than 2 bytes"),
        (gzip.compress(b"abc")[:-3], 9, "cut short"),
        (b"PK\3\4 no gzip", 9, "not a readable gzip"),
        (bytes(flipped), 999, "not a readable gzip"),
    ):
        with pytest.raises(Refused, match=words):
            archives.gunzip(packed_, limit, "f")


def test_gzip_bomb_costs_no_memory():
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    with pytest.raises(Refused, match="more than 1000 bytes"):
        archives.gunzip(bomb, LIMIT, "f")


def packed(path: Path, *items: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in items:
            archive.writestr(info, content)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([(link("data.h5"), b"/etc/passwd")], "no ordinary file"),
        ([("../data.h5", b"x")], "0 times"),
        ([("/data.h5", b"x")], "0 times"),
        ([("data.h5", b"x"), ("data.h5", b"y")], "2 times"),
        ([("data.h5", bytes(LIMIT + 1))], "1001 bytes"),
        ([("data.h5/", b"")], "0 times"),
    ],
)
def test_hostile_zip(tmp_path, items, words):
    target = tmp_path / "out" / "data.h5"
    with pytest.raises(Refused, match=words):
        archives.unzip(packed(tmp_path / "a.zip", *items), "data.h5", target, LIMIT)
    assert not target.exists()
    assert not list(tmp_path.glob("out/*"))


def test_zip_bomb_that_lies_about_its_size(tmp_path):
    path = packed(tmp_path / "a.zip", ("data.h5", bytes(5_000_000)))
    raw = path.read_bytes().replace(struct.pack("<I", 5_000_000), struct.pack("<I", 10))
    path.write_bytes(raw)
    with pytest.raises(Refused, match="cannot be unpacked"):
        archives.unzip(path, "data.h5", tmp_path / "out" / "data.h5", LIMIT)
    assert not list(tmp_path.glob("out/*"))


def test_encrypted_or_damaged_zip(tmp_path):
    path = packed(tmp_path / "a.zip", ("data.h5", np.random.default_rng(0).bytes(500)))
    whole = path.read_bytes()
    encrypted = bytearray(whole)
    encrypted[6] |= 1
    encrypted[whole.index(b"PK\1\2") + 8] |= 1
    damaged = bytearray(whole)
    damaged[200] ^= 255
    for raw in (bytes(encrypted), bytes(damaged), whole[:-10], b"no zip"):
        path.write_bytes(raw)
        with pytest.raises(Refused):
            archives.unzip(path, "data.h5", tmp_path / "out" / "data.h5", LIMIT)
    assert not list(tmp_path.glob("out/*"))


def test_only_https_is_fetched_and_no_more_than_expected(monkeypatch):
    for address in ("http://example.org/a", "file:///etc/passwd", "ftp://example.org/a", "a"):
        with pytest.raises(Refused, match="not an https address"):
            archives.download(address, 10, 1)
    secure = archives._SecureOnly()
    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(Refused, match="not an https address"):
        secure.redirect_request(request, None, 302, "Found", {}, "http://example.org/a")
    assert secure.redirect_request(request, None, 302, "Found", {}, "https://example.org/b")
    answer = SimpleNamespace(open=lambda *a, **k: io.BytesIO(b"x" * 11))
    monkeypatch.setattr(archives.urllib.request, "build_opener", lambda *handlers: answer)
    with pytest.raises(Refused, match="more than 10 bytes"):
        archives.download("https://example.org/a", 10, 1)
    assert len(archives.download("https://example.org/a", 11, 1)) == 11


# ---- files of data and results that hold more than numbers ----


class Trap:
    """Unpickling this would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_arrays_with_objects_are_refused(tmp_path):
    trap = np.array([Trap(tmp_path / "sprung")], object)
    np.savez(tmp_path / "network.npz", w=trap)
    np.save(tmp_path / "alone.npy", trap)
    for name in ("network.npz", "alone.npy"):
        with pytest.raises(UserError, match="cannot be read"):
            array_files.load_arrays(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def heidelberg(path: Path, n: int = 20, **changes) -> Path:
    """A small file of the SHD layout, parts of which are replaced or left out (None)."""
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        for name, kind, values in (
            ("spikes/times", np.float16, rng.random((n, 5))),
            ("spikes/units", np.uint16, rng.integers(0, 700, (n, 5))),
        ):
            if name not in changes:
                rows = file.create_dataset(name, (n,), h5py.vlen_dtype(kind))
                for k, row in enumerate(values):
                    rows[k] = row.astype(kind)
        parts = {
            "labels": np.arange(n, dtype=np.uint16) % 20,
            "extra/speaker": np.zeros(n, np.uint16),
            "extra/keys": np.array([b"word"] * 20),
        }
        for name, value in {**parts, **changes}.items():
            if value is not None:
                file[name] = value
    return path


def test_a_good_file_of_the_layout_is_read(tmp_path):
    times, units, ptr, labels, _, words = spoken.read(heidelberg(tmp_path / "a.h5"))
    assert len(times) == len(units) == 100
    assert ptr[-1] == 100 and len(labels) == 20 and words[0] == "word"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": h5py.ExternalLink("other.h5", "labels")}, "'labels' is a link"),
        ({"labels": h5py.SoftLink("/extra/speaker")}, "'labels' is a link"),
        ({"labels": np.arange(20.0)}, "'labels' is of another kind"),
        ({"labels": np.array([b"0"] * 20)}, "'labels' is of another kind"),
        ({"labels": np.zeros((20, 2), np.uint16)}, "'labels' is no list"),
        ({"spikes/times": np.zeros(20, np.float16)}, "'spikes/times' is of another kind"),
        ({"extra/keys": np.arange(20)}, "'extra/keys' is of another kind"),
        ({"extra/speaker": None}, "it lacks extra/speaker"),
    ],
)
def test_hostile_hdf5(tmp_path, changes, words):
    heidelberg(tmp_path / "other.h5")
    with pytest.raises(UserError, match=words) as caught:
        spoken.read(heidelberg(tmp_path / "a.h5", **changes))
    assert "replace it" in str(caught.value)


def test_hdf5_that_takes_numbers_from_elsewhere(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(40))
    path = heidelberg(tmp_path / "a.h5", labels=None)
    with h5py.File(path, "r+") as file:
        place = [(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset("labels", (20,), np.uint16, external=place)
    with pytest.raises(UserError, match="from another file"):
        spoken.read(path)
    layout = h5py.VirtualLayout((20,), np.uint16)
    layout[:] = h5py.VirtualSource(str(heidelberg(tmp_path / "other.h5")), "labels", (20,))
    path = heidelberg(tmp_path / "b.h5", labels=None)
    with h5py.File(path, "r+") as file:
        file.create_virtual_dataset("labels", layout)
    with pytest.raises(UserError, match="from another file"):
        spoken.read(path)


def test_hdf5_bombs(tmp_path, monkeypatch):
    """Sizes that a small file can declare: nothing of that size is ever allocated."""
    path = heidelberg(tmp_path / "a.h5", labels=None)
    with h5py.File(path, "r+") as file:
        file.create_dataset("labels", (2**40,), np.uint16, chunks=(2**16,))
    with pytest.raises(UserError, match="entries"):
        spoken.read(path)
    monkeypatch.setattr(spoken, "MOST_SPIKES", 99)
    with pytest.raises(UserError, match="more than 99 spikes"):
        spoken.read(heidelberg(tmp_path / "b.h5"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_hdf5_cut_short_or_overwritten(tmp_path, share):
    path = heidelberg(tmp_path / "a.h5")
    whole = path.read_bytes()
    place = int(share * len(whole))
    for raw in (whole[:place], whole[:place] + bytes(64) + whole[place + 64 :]):
        path.write_bytes(raw)
        try:
            found = spoken.read(path)
        except UserError:
            continue
        # HDF5 has no checksums: what was hit here was not described by any structure. The workflow
        # compares the SHA-256 of the file before it reads it (`prepared.verified`).
        assert len(found[0]) == 100


def test_matlab_objects_are_refused(tmp_path):
    shape = (2, ecg.ORIGINAL_STEPS, ecg.N_CHANNELS)
    for x, words in (
        (np.full(shape, "x", object), "'x' is object"),
        (np.zeros(shape[:2], object), r"of shape \(2, 1301\)"),
    ):
        raw = io.BytesIO()
        savemat(raw, {"x": x, "y": np.zeros((2, ecg.ORIGINAL_STEPS, 6), np.uint8)})
        with pytest.raises(UserError, match=words):
            ecg.parse_original(raw.getvalue(), "QTDB.mat", 2)
