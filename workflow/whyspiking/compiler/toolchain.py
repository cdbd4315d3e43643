"""The C++ compiler of the machine, and what its programs depend on."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
from pathlib import Path

from whyspiking.errors import UserError

FULL_DISK = "No space left on device"
"""What compilers and linkers say then."""

REMEDY = (
    "install g++ or clang++ with C++17 and make (Debian: apt install g++ make; conda: "
    "environment.yml brings them), or name a compiler in $CXX"
)


def compiler() -> list[str]:
    """The command of the C++ compiler: $CXX, or the first of the usual ones.

    Raises:
        UserError: If there is none.
    """
    own = shlex.split(os.environ.get("CXX", ""))
    for command in [own] if own else [["g++"], ["c++"], ["clang++"]]:
        if shutil.which(command[0]) is not None:
            return command
    looked = f"'{own[0]}', named by $CXX," if own else "g++, c++ or clang++"
    raise UserError(f"C++ compiler: {looked} was not found; {REMEDY}")


def processor() -> str:
    """What `-march=native` depends on: code may use every instruction of the machine it is for."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    wanted = ("model name", "flags", "Features", "CPU part")
    return "\n".join(sorted({line for line in lines if line.startswith(wanted)}))
