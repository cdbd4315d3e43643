"""A Frictionless Data Package around the tables of a run: columns, types, units, hashes.

`datapackage.json` follows the Data Package and Table Schema standards (Walsh & Pollock, version 1),
so that other tools load the tables with their types: `frictionless validate datapackage.json`.
The unit of a column stands in its property `unit`, an addition that the standard allows.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from whyspiking.errors import UserError
from whyspiking.records import tables
from whyspiking.records.finished import SCHEMAS, FinishedRun
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.table_schema import Column, TableSchema
from whyspiking.records.whole_files import replacing

NAME = "datapackage.json"


def describe(folder: Path) -> dict[str, Any]:
    """The package of a folder of finished tables.

    Args:
        folder: `results/<scale>` or `results/reference`; the tables that are there are described,
            with their hashes.

    Raises:
        UserError: If there is no table.
    """
    run = FinishedRun(folder)
    resources = [
        _resource(folder, path, schema)
        for name, schema in SCHEMAS.items()
        for path in run.files(name)
    ]
    if not resources:
        raise UserError(
            f"{folder}: the folder contains no table. Name the folder of a finished run"
        )
    return {
        "profile": "data-package",
        "name": f"whyspiking-{folder.resolve().name}",
        "title": "Replications of the SNUFA 2020 talks: measurements and verdicts",
        "description": "How the run was made (commit, versions, configuration, data) is told by "
        "manifest.json beside this file, or in the folder of each talk.",
        "licenses": [{"name": "MIT", "title": "MIT License"}],
        "metrics": {
            name: {"unit": m.unit, "definition": m.definition} for name, m in GLOSSARY.items()
        },
        "resources": resources,
    }


def write(folder: Path) -> None:
    """Write `datapackage.json` into a folder of finished tables, whole or not at all."""
    with replacing(folder / NAME) as partial, partial.open("w", encoding="utf-8") as file:
        print(json.dumps(describe(folder), indent=1, ensure_ascii=False), file=file)


def _resource(folder: Path, path: Path, schema: TableSchema) -> dict[str, Any]:
    known = {column.name: column for column in schema.columns}
    # A column that nobody has described is passed on as it is; the tests demand a description.
    columns = [known.get(name, Column(name, "", "any")) for name in tables.header(path)]
    relative = path.relative_to(folder)
    content = path.read_bytes()
    of_talk = f": {relative.parent}" if relative.parent.name else ""
    return {
        "name": "-".join((path.name.partition(".")[0], *relative.parent.parts[::-1])),
        "path": relative.as_posix(),
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        **({"compression": "gz"} if path.suffix == tables.PACKED else {}),
        "encoding": "utf-8",
        "description": f"{schema.says.removesuffix('.')}{of_talk}.",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": {
            "fields": [
                {"name": name, "type": kind}
                | ({"description": what} if what else {})
                | ({"unit": unit} if unit else {})
                | ({"trueValues": ["True"], "falseValues": ["False"]} if kind == "boolean" else {})
                for name, what, kind, unit in columns
            ],
            "missingValues": ["", "nan"],
        },
    }
