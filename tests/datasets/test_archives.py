"""Hostile downloads, archives and data files: refused in one line, and nothing is written."""

import gzip
import io
import tarfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from whyspiking.datasets import archives, ecg
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
    "symbolic link": ([member(kind=tarfile.SYMTYPE, link="/etc/passwd")], "not an ordinary file"),
    "hard link": (
        [member("secret"), member(kind=tarfile.LNKTYPE, link="secret")], "not an ordinary file",
    ),
    "folder": ([member(kind=tarfile.DIRTYPE)], "not an ordinary file"),
    "device": ([member(kind=tarfile.CHRTYPE)], "not an ordinary file"),
    "pipe": ([member(kind=tarfile.FIFOTYPE)], "not an ordinary file"),
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
        (gzip.compress(b"abc")[:-3], 9, "incomplete"),
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
