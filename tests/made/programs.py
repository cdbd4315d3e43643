"""Programs of one line, for machines on which tests decide what there is."""

from pathlib import Path


def program(path: Path, script: str) -> Path:
    """Write a shell script that can be run; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
