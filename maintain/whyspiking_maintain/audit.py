"""Known vulnerabilities of the locked packages, as far as the package index tells.

`make audit`, which is `PYTHONPATH=workflow:maintain python3 -m whyspiking_maintain.audit`, installs
pip-audit by hash into an environment that is thrown away. Only a finding fails: where the tool
cannot be had, or nothing is learned, this says so and passes. Standard library only, like
`environment`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whyspiking_maintain import environment

TOOL = ".ci/audit.txt"
SECONDS = 600
"""Longer than this no answer is waited for."""


def known(tool: Path, lock: Path) -> list[dict[str, Any]]:
    """What pip-audit learns about every package of a lock.

    Args:
        tool: The program pip-audit.
        lock: Pinned packages with their hashes; nothing is resolved or installed.

    Returns:
        By package its `name` and `version` with a list `vulns`, or its `name` and `skip_reason`.

    Raises:
        EnvironmentProblem: If it gives no answer.
    """
    command = [str(tool), "--requirement", str(lock), "--disable-pip", "--require-hashes"]
    command += ["--progress-spinner", "off", "--format", "json"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise environment.EnvironmentProblem(f"no answer within {SECONDS} s") from None
    try:
        return list(json.loads(done.stdout)["dependencies"])
    except (ValueError, KeyError):
        said = (done.stderr.strip() or "no message").splitlines()[-1]
        raise environment.EnvironmentProblem(f"pip-audit gave no answer: {said}") from None


def told(packages: Sequence[dict[str, Any]]) -> list[str]:
    """What was learned, a line each; findings last.

    Args:
        packages: From `known`.
    """
    number, silent = len(packages), sum("skip_reason" in package for package in packages)
    if silent == number:
        return [f"nothing learned: the index tells nothing about any of {number} packages"]
    found = [package for package in packages if package.get("vulns")]
    clean = number - silent - len(found)
    lines = [f"no known vulnerability in {clean} of {number} packages"]
    if silent:
        lines.append(f"nothing could be learned about {silent} of them")
    for package in found:
        for hole in package["vulns"]:
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            named = f"{package['name']} {package['version']}"
            lines.append(f"FOUND {hole['id']} in {named}, mended in {mended}")
    return lines


def main() -> int:
    """Print what was learned; 1 if a package has a known vulnerability."""
    root = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as scratch:
        venv = Path(scratch) / "venv"
        try:
            environment.install(root, venv, TOOL)
            lines = told(known(venv / "bin" / "pip-audit", root / "requirements.txt"))
        except environment.EnvironmentProblem as problem:
            lines = [f"not made: {problem}"]
    print("\n".join(f"audit: {line}" for line in lines))
    return int(any(line.startswith("FOUND") for line in lines))


if __name__ == "__main__":
    sys.exit(main())
