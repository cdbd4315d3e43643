"""How this project is cited: what CITATION.cff says, with the commit of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whyspiking.declared.strict_yaml import read_yaml

FILE = Path(__file__).parents[3] / "CITATION.cff"
ADDRESS = "repository-code"
"""Key of CITATION.cff under which the repository's public address stands, once it has one."""


def citation(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Title, version, date, licence and address of the project, and the commit of a run.

    Args:
        manifest: Of the run.
    """
    cff = read_yaml(FILE) if FILE.is_file() else {}
    keys = ("title", "version", "date-released", "license", "doi", ADDRESS)
    fields = {key.replace("-", "_"): str(cff.get(key, "")) for key in keys}
    names = [author.get("name", "") for author in cff.get("authors", ())]
    commit = str(manifest.get("commit") or "")[:7]
    return {**fields, "authors": " and ".join(names), "commit": commit}
