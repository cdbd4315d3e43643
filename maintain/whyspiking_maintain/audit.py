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
from pathlib import Path

from whyspiking_maintain import environment

TOOL = ".ci/audit.txt"
SECONDS = 600
"""Longer than this no answer is waited for."""
AUDIT = (
    *("bin/pip-audit", "--requirement", "requirements.txt", "--disable-pip", "--require-hashes"),
    *("--progress-spinner", "off", "--format", "json"),
)
"""Below the environment of the tool: nothing is resolved or installed."""


def main() -> int:
    """Print what was learned, findings last; 1 if a package has a known vulnerability."""
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as scratch:
        command, said = [f"{scratch}/venv/{AUDIT[0]}", *AUDIT[1:]], ""
        try:
            environment.install(Path.cwd(), Path(scratch) / "venv", TOOL)
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
            said = done.stderr.strip()
            packages = json.loads(done.stdout)["dependencies"]
        except environment.EnvironmentProblem as problem:
            return _say(f"not made: {problem}")
        except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
            return _say(
                f"not made: no answer of pip-audit ({(said or str(error)).splitlines()[-1]})"
            )
    silent = sum("skip_reason" in package for package in packages)
    found = [package for package in packages if package.get("vulns")]
    clean = len(packages) - silent - len(found)
    _say(f"no known vulnerability in {clean} of {len(packages)} packages")
    if silent:
        _say(f"nothing could be learned about {silent} of them: the index tells nothing")
    for package in found:
        for hole in package["vulns"]:
            mended = ", ".join(hole["fix_versions"]) or "no version yet"
            named = f"{package['name']} {package['version']}"
            _say(f"FOUND {hole['id']} in {named}, mended in {mended}")
    return int(bool(found))


def _say(line: str) -> int:
    print(f"audit: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
