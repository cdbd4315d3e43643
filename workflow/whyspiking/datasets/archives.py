"""Bytes from outside: downloads, gzip files, archives. Each is bounded before it is believed.

What comes in is kept in memory or under another name until its hash is known; nothing is ever
unpacked to a path that an archive names, and no link in an archive is followed.
"""

from __future__ import annotations

import tarfile
import urllib.parse
import urllib.request
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any


class Refused(Exception):
    """Reason, in one line, for which bytes from outside are refused."""


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
    with opener.open(address, timeout=timeout_s) as response:
        return _read_bounded(response, limit, address)


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
        raise Refused(f"{name} contains more than {limit} bytes, so it is not the expected file")
    if not unpacker.eof:
        raise Refused(f"{name} is incomplete")
    return content


def read_tar(path: Path, size_limits: Mapping[str, int]) -> dict[str, bytes]:
    """Some members of a compressed tar archive; the others are passed over.

    Args:
        path: The archive.
        size_limits: Full name of a member -> the most bytes that it may have.

    Raises:
        Refused: If a wanted member is missing, given twice, no ordinary file, or larger; or if the
            archive is damaged or unreasonably large.
    """
    contents: dict[str, bytes] = {}
    # Headers and other members of an honest archive take less than the members that are read.
    bytes_left = 4 * sum(size_limits.values()) + (64 << 20)
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                bytes_left -= 512 + member.size
                if bytes_left < 0:
                    raise Refused("the archive is larger than it should be")
                if member.name not in size_limits:
                    continue
                if member.name in contents:
                    raise Refused(f"the archive contains {member.name} twice")
                content = archive.extractfile(member) if member.isreg() else None
                if content is None:
                    raise Refused(f"{member.name} is not an ordinary file in the archive")
                contents[member.name] = _read_bounded(
                    content, size_limits[member.name], member.name
                )
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError, zlib.error) as error:
        raise Refused(f"the archive cannot be read ({type(error).__name__})") from None
    missing_names = [name for name in size_limits if name not in contents]
    if missing_names:
        raise Refused(f"{missing_names[0]} is not in the archive")
    return contents


def _check_address(address: str) -> None:
    if urllib.parse.urlsplit(address).scheme != "https":
        raise Refused(f"{address} is not an https address")


def _read_bounded(content: IO[bytes], limit: int, name: str) -> bytes:
    raw = content.read(limit + 1)
    if len(raw) > limit:
        raise Refused(f"{name} has more than {limit} bytes, so it is not the expected file")
    return raw
