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
            f"error: {package}: not installed; expected it beside whyspiking, from {folder}/ of a "
            "checkout. Run `make environment` there, or put that folder into PYTHONPATH."
        )
    runpy.run_module(package, run_name="__main__", alter_sys=True)
