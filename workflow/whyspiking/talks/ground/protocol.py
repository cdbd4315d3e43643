"""The protocol of the ground, read once."""

from __future__ import annotations

from pathlib import Path

from whyspiking.declared import protocol_file

FILE = Path(__file__).with_name("protocol.yaml")


def protocol(path: Path = FILE) -> protocol_file.Protocol:
    """The protocol: what was fixed before a number was computed; see `protocol_file.load`."""
    return protocol_file.load(path)
