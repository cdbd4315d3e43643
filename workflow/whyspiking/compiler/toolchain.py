"""The C++ compiler of the machine.

Uses the standard library only and runs on old Pythons too: `running.preflight` asks it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from whyspiking.errors import UserError

FULL_DISK = "No space left on device"
"""What compilers and linkers say then."""

REMEDY = (
    "install g++ or clang++ with C++17 (Debian and Ubuntu: apt-get install g++; Fedora: dnf "
    "install gcc-c++; macOS: xcode-select --install; conda: environment.yml contains one), or "
    "name an installed compiler: export CXX=clang++"
)
PROBE = "#include <random>\n#include <vector>\nint main() { std::vector<int> v; return 0; }\n"


def compiler() -> list[str]:
    """The command of the C++ compiler: $CXX, or the first of the usual ones.

    Raises:
        UserError: If there is none.
    """
    named = os.environ.get("CXX", "")
    try:
        own = shlex.split(named)
    except ValueError as error:
        raise UserError(f"C++ compiler: CXX is {named!r} ({error}); correct it") from None
    for command in [own] if own else [["g++"], ["c++"], ["clang++"]]:
        if shutil.which(command[0]) is not None:
            return command
    looked = f"'{own[0]}', named by CXX," if own else "g++, c++ or clang++"
    raise UserError(f"C++ compiler: {looked} is not on PATH; {REMEDY}")


def require() -> None:
    """Have the compiler make a small program, before any work relies on it.

    Raises:
        UserError: If there is no compiler, or it makes no program.
    """
    command = compiler()
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as folder:
        made = Path(folder, "probe")
        words = [*command, "-std=c++17", "-x", "c++", "-", "-o", str(made)]
        try:
            options = {"stderr": subprocess.STDOUT, "text": True, "timeout": 60}
            done = subprocess.run(words, input=PROBE, stdout=subprocess.PIPE, **options)
        except (OSError, subprocess.SubprocessError) as error:
            said = str(error)
        else:
            if done.returncode == 0 and made.is_file():
                return
            lines = done.stdout.splitlines() or [f"exit status {done.returncode}, no message"]
            said = next((line for line in lines if "error" in line), lines[0]).strip()
    raise UserError(
        f"C++ compiler: '{shlex.join(command)}' cannot compile a small C++17 program ({said}); "
        f"{REMEDY}"
    )
