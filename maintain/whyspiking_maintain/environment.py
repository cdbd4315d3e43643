"""Make the project's environment, `.venv`, from requirements.txt, whatever the machine offers.

Uses the standard library only and runs on old Pythons too:
`PYTHONPATH=workflow:maintain python3 -m whyspiking_maintain.environment`. An environment counts as
finished only when its stamp, written last, equals the hash of what it was made from; anything else
is redone.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.running.preflight import machine_problems

SOURCES = ("requirements.txt", "pyproject.toml")
STAMP = "whyspiking-stamp"
# Snakemake looks for plugins in the folders of sys.path, which only one of its own puts there.
OWN = ("--editable", ".", "--editable", "./packages/snakemake-logger-plugin-whyspiking")
OLDEST_UV = (0, 5)
# Every direct dependency has wheels for the first two; newer Pythons may have to compile some.
PYTHONS = ("3.13", "3.12", ">=3.12")


class EnvironmentProblem(Exception):
    """The environment cannot be made; the message says why and what to do."""


def fingerprint(root: Path) -> str:
    """Hash of everything the environment depends on."""
    digest = hashlib.sha256(str(root.resolve()).encode())
    for name in SOURCES:
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def is_current(root: Path) -> bool:
    """Whether `.venv` was finished and made from the present requirements."""
    try:
        stamp = (root / ".venv" / STAMP).read_text(encoding="utf-8")
    except OSError:
        return False
    return stamp == fingerprint(root) and os.access(root / ".venv/bin/python", os.X_OK)


def pinned_uv(requirements: str) -> str:
    """The entry of uv, with its hashes, out of a requirements file."""
    match = re.search(r"^uv==\S+(?: \\\n +--hash=\S+)+$", requirements, re.MULTILINE)
    if match is None:
        raise EnvironmentProblem(
            "requirements.txt has no entry of uv with hashes; restore it (git checkout "
            "requirements.txt)"
        )
    return match.group(0)


def create(root: Path) -> None:
    """Make `.venv` anew.

    Raises:
        EnvironmentProblem: If the machine lacks something, or a step fails.
    """
    problems = machine_problems()
    if problems:
        raise EnvironmentProblem("\nerror: ".join(problems))
    started = time.monotonic()
    print("making the environment .venv ...", flush=True)
    venv = root / ".venv"
    install(root, venv, "requirements.txt", ["--no-build-isolation", *OWN])
    (venv / STAMP).write_text(fingerprint(root), encoding="utf-8")
    print(f"the environment is ready ({time.monotonic() - started:.0f} s)", flush=True)


def install(root: Path, venv: Path, lock: str, *more: list[str]) -> None:
    """Make a virtual environment anew, of what a lock pins by hash.

    Args:
        root: The project.
        venv: Where.
        lock: Its file, from `root` on.
        more: What to install then, without its dependencies, as words for `uv pip install`.

    Raises:
        EnvironmentProblem: If there is no uv or Python to be had, or a step fails.
    """
    environ = {**os.environ, **_index_of_pip(), "VIRTUAL_ENV": str(venv), "PATH": _path()}
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as scratch:
        uv = _usable_uv(venv) or _fetch_uv(root, Path(scratch))
        python = find_python(uv, environ)
        shutil.rmtree(venv, ignore_errors=True)
        for step in (
            ["venv", "--python", python, str(venv)],
            # Start-up is most of a short job, and two or three times longer without bytecode.
            ["pip", "sync", "--require-hashes", "--compile-bytecode", lock],
            *(["pip", "install", "--no-deps", *words] for words in more),
        ):
            _run([uv, "--quiet", *step], root, environ)


def _path() -> str:
    """PATH, with the base of the virtual environment this may run in, and pyenv's Pythons."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    found = sorted(Path.home().glob(".pyenv/versions/*/bin"))
    return os.pathsep.join(map(str, [os.environ.get("PATH", ""), Path(base).parent, *found]))


def find_python(uv: str, environ: Mapping[str, str]) -> str:
    """Path of the best Python that uv finds outside virtual environments; tested ones first.

    Raises:
        EnvironmentProblem: If there is none.
    """
    for wanted in PYTHONS:
        command = [uv, "python", "find", "--system", "--no-python-downloads", wanted]
        done = subprocess.run(command, env=dict(environ), capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.strip()
    raise EnvironmentProblem(
        f"Python: 3.12 or newer is needed, found {sys.executable} is {sys.version.split()[0]}. "
        "Install one beside it (Debian and Ubuntu: apt-get install python3.13; any system: "
        "pyenv install 3.13, or uv python install 3.13); it need not become the default."
    )


def _failure(command: list[str], **options: Any) -> str | None:
    """Run a step silently; what it said if it fails."""
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True, **both, **options)
    return done.stdout.strip() if done.returncode else None


def _run(command: list[str], root: Path, environ: dict[str, str]) -> None:
    said = _failure(command, cwd=root, env=environ)
    if said is not None:
        raise EnvironmentProblem(
            f"this step of making an environment failed: {' '.join(command)}\n{said}\n"
            "Is a package index reachable, and the disk not full? Then run make again; it starts "
            "over."
        )


def _usable_uv(venv: Path) -> str | None:
    """A uv on PATH that is new enough, but not the one in the environment that is made anew."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    kept = [folder for folder in folders if Path(folder).resolve() != (venv / "bin").resolve()]
    path = shutil.which("uv", path=os.pathsep.join(kept))
    if path is None:
        return None
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"uv (\d+)\.(\d+)", answer.stdout)
    return path if match and (int(match[1]), int(match[2])) >= OLDEST_UV else None


def _fetch_uv(root: Path, scratch: Path) -> str:
    """Install the pinned uv into `scratch` with the first pip that works.

    Debian's Python may be externally managed, or lack pip or ensurepip: so this Python is tried
    with its own pip into a folder and with that of a new virtual environment, then other pips.
    """
    wanted, target, boot = (scratch / name for name in ("uv.txt", "target", "boot"))
    wanted.write_text(pinned_uv((root / "requirements.txt").read_text("utf-8")), "utf-8")
    prepare = [sys.executable, "-m", "venv", str(boot)]
    pips = [[sys.executable, "-m", "pip"], [str(boot / "bin/python"), "-m", "pip"]]
    for name in ("python3.13", "python3.12", "python3", "pip3", "pip"):
        path = shutil.which(name, path=_path())
        pips += [[path, "-m", "pip"] if name.startswith("python") else [path]] if path else []
    attempts = []
    for pip in pips:
        install = [*pip, "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        install += ["--require-hashes", "--target", str(target), "-r", str(wanted)]
        for command in [prepare, install] if pip is pips[1] else [install]:
            said = _failure(command)
            if said is not None:
                last = (said.splitlines() or ["no message"])[-1]
                attempts.append(f"  {' '.join(command[:3])}: {last}")
                break
        if (target / "bin" / "uv").is_file():
            return str(target / "bin" / "uv")
    raise EnvironmentProblem(
        "uv, which installs the packages, could not be fetched:\n"
        + "\n".join(attempts)
        + "\nIs a package index reachable? If a Python has neither pip nor venv, install one of "
        "them (Debian and Ubuntu: apt-get install python3-venv), or install uv itself."
    )


def _index_of_pip() -> dict[str, str]:
    """The package index that pip is configured for, in uv's own variables, where uv has none."""
    if any(name in os.environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE")):
        return {}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True
    ).stdout
    # Later lines win in pip, too: global, then user, then environment variables.
    values = {
        key.replace("_", "-"): value
        for key, value in re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listed, re.M)
    }
    translated = {
        "UV_DEFAULT_INDEX": values.get("index-url"),
        "UV_INSECURE_HOST": values.get("trusted-host"),
        "SSL_CERT_FILE": os.environ.get("SSL_CERT_FILE") or values.get("cert"),
    }
    return {key: value for key, value in translated.items() if value}


def main() -> int:
    """Make the environment if it is missing, unfinished or out of date."""
    root = Path.cwd()
    if is_current(root):
        return 0
    try:
        create(root)
    except EnvironmentProblem as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped by you; run the same command, and the environment is made anew")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
