"""Bytes from outside: downloads, gzip files, archives. Each is bounded before it is believed.

What comes in is kept in memory or under another name until its hash is known; nothing is ever
unpacked to a path that an archive names, and no link in an archive is followed.
"""

from __future__ import annotations

import shutil
import tarfile
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from whyspiking.records.whole_files import replacing

CHUNK = 1 << 20


class Refused(Exception):
    """Why bytes from outside are not taken, in one line."""


class _SecureOnly(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to an address that is not https."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(address: str, limit: int, timeout_s: float) -> bytes:
    """Fetch a file over https.

    Args:
        address: Where it is.
        limit: The most bytes that are read.
        timeout_s: How long to wait for an answer, and for each part of it.

    Raises:
        Refused: If the address, or one that it redirects to, is not https, or the file is larger.
        OSError: If it cannot be fetched.
    """
    _check_address(address)
    opener = urllib.request.build_opener(_SecureOnly)
    with opener.open(address, timeout=timeout_s) as answer:
        return _bounded(answer, limit, address)


def gunzip(raw: bytes, limit: int, name: str) -> bytes:
    """Content of a gzip file.

    Args:
        raw: The file.
        limit: The most bytes that it may hold.
        name: What it is, for messages.

    Raises:
        Refused: If it is damaged, cut short, or holds more.
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        content = unpacker.decompress(raw, limit + 1)
    except zlib.error as error:
        raise Refused(f"{name} is not a readable gzip file ({error})") from None
    if len(content) > limit:
        raise Refused(f"{name} holds more than {limit} bytes; it is another file")
    if not unpacker.eof:
        raise Refused(f"{name} is cut short")
    return content


def read_tar(path: Path, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """Some members of a compressed tar archive; the others are passed over.

    Args:
        path: The archive.
        wanted: Full name of a member -> the most bytes that it may have.

    Raises:
        Refused: If a wanted member is missing, given twice, no ordinary file, or larger; or if the
            archive is damaged or unreasonably large.
    """
    found: dict[str, bytes] = {}
    # Headers and other members of an honest archive take less than what is wanted from it.
    left = 4 * sum(wanted.values()) + (64 << 20)
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                left -= 512 + member.size
                if left < 0:
                    raise Refused("the archive is larger than it should be")
                if member.name not in wanted:
                    continue
                if member.name in found:
                    raise Refused(f"{member.name} is twice in the archive")
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise Refused(f"{member.name} is no ordinary file in the archive")
                found[member.name] = _bounded(content, wanted[member.name], member.name)
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError, zlib.error) as error:
        raise Refused(f"the archive cannot be read ({type(error).__name__})") from None
    missing = [name for name in wanted if name not in found]
    if missing:
        raise Refused(f"{missing[0]} is not in the archive")
    return found


def unzip(path: Path, name: str, target: Path, limit: int) -> None:
    """Write one member of a zip archive to a path of ours, whole or not at all.

    Args:
        path: The archive.
        name: The member.
        target: Where its content goes.
        limit: The most bytes that it may have.

    Raises:
        Refused: If the member is missing, given twice, encrypted, no ordinary file or larger, or
            the archive is damaged.
        OSError: If the target cannot be written.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError) as error:
        raise Refused(f"it is not a readable zip archive ({error})") from None
    with archive:
        members = [item for item in archive.infolist() if item.filename == name]
        if len(members) != 1:
            raise Refused(f"'{name}' is {len(members)} times in it; expected once")
        # The upper half of these bits is the mode of a file on Unix; links are 0o12.
        mode = members[0].external_attr >> 28
        if members[0].is_dir() or mode not in (0, 0o10):
            raise Refused(f"'{name}' is no ordinary file in it")
        if members[0].file_size > limit:
            raise Refused(f"'{name}' has {members[0].file_size} bytes; expected at most {limit}")
        try:
            content = archive.open(members[0])
        except (RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            raise Refused(f"'{name}' cannot be unpacked ({error})") from None
        with content, replacing(target) as partial, partial.open("wb") as file:
            try:
                # Never more than the header says; the CRC is checked at the end.
                shutil.copyfileobj(content, file, CHUNK)
            except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                raise Refused(f"'{name}' cannot be unpacked ({error})") from None


def _check_address(address: str) -> None:
    if urllib.parse.urlsplit(address).scheme != "https":
        raise Refused(f"{address} is not an https address")


def _bounded(content: IO[bytes], limit: int, name: str) -> bytes:
    raw = content.read(limit + 1)
    if len(raw) > limit:
        raise Refused(f"{name} has more than {limit} bytes; it is another file")
    return raw
