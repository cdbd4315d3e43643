"""The C++ compiler of the machine."""

from __future__ import annotations

import os
import shlex
import shutil

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
