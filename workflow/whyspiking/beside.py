"""Commands of the packages that stand beside `workflow/`: the same words reach them as ever."""

from __future__ import annotations

import importlib.util
import runpy
import sys


def run(package: str, folder: str) -> None:
    """Run `python -m PACKAGE` in this process.

    Args:
        package: Its name; nothing here imports it.
        folder: Where it lies in a checkout.
    """
    if importlib.util.find_spec(package.partition(".")[0]) is None:
        sys.exit(
            f"error: the package {package} is not installed; expected it to be installed from "
            f"{folder}/ of a checkout of this project. Run `make environment` there, or add this "
            "folder to PYTHONPATH."
        )
    runpy.run_module(package, run_name="__main__", alter_sys=True)
