"""Python with packages of others, which we compare with where they are installed."""

import os
import subprocess
import sys

import pytest

PYTHON = os.environ.get("WHYSPIKING_PEERS", sys.executable)


def require(*packages: str) -> None:
    """Skip the test where the interpreter lacks one of the packages."""
    asked = [PYTHON, "-c", f"import {', '.join(packages)}"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip(f"{PYTHON} lacks one of: uv pip install {' '.join(packages)}")


def ask(*words: str) -> str:
    """What the interpreter prints; it must end well."""
    done = subprocess.run([PYTHON, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
