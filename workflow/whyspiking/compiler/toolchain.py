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
    cxx = os.environ.get("CXX", "")
    try:
        named_command = shlex.split(cxx)
    except ValueError as error:
        raise UserError(f"C++ compiler: CXX is {cxx!r} ({error}); correct it") from None
    for command in [named_command] if named_command else [["g++"], ["c++"], ["clang++"]]:
        if shutil.which(command[0]) is not None:
            return command
    searched = f"'{named_command[0]}', named by CXX," if named_command else "g++, c++ or clang++"
    raise UserError(f"C++ compiler: {searched} is not on PATH; {REMEDY}")


def require() -> None:
    """Have the compiler make a small program, before any work relies on it.

    Raises:
        UserError: If there is no compiler, or it makes no program.
    """
    command = compiler()
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as folder:
        program = Path(folder, "probe")
        arguments = [*command, "-std=c++17", "-x", "c++", "-", "-o", str(program)]
        try:
            options = {"stderr": subprocess.STDOUT, "text": True, "timeout": 60}
            process = subprocess.run(arguments, input=PROBE, stdout=subprocess.PIPE, **options)
        except (OSError, subprocess.SubprocessError) as error:
            message = str(error)
        else:
            if process.returncode == 0 and program.is_file():
                return
            lines = process.stdout.splitlines() or [f"exit status {process.returncode}, no message"]
            message = next((line for line in lines if "error" in line), lines[0]).strip()
    raise UserError(
        f"C++ compiler: '{shlex.join(command)}' cannot compile a small C++17 program ({message}); "
        f"{REMEDY}"
    )
