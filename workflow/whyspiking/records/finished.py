"""The tables of a finished run as one object, for readers: `whyspiking.results("reference")`.

Needs pandas alone: neither Brian2 nor JAX nor the workflow is imported.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from whyspiking.errors import UserError
from whyspiking.records import tables, whole_files
from whyspiking.records.columns import (
    BESIDE_THE_RECORD,
    OF_A_RUN,
    OF_A_TALK,
    OF_THE_REFERENCE,
)
from whyspiking.records.concordance_columns import CONCORDANCE
from whyspiking.records.glossary import GLOSSARY
from whyspiking.records.table_schema import TableSchema

CHECKOUT = Path(__file__).parents[3]
"""The project's folder; a run is named from there, too."""
SCHEMAS: dict[str, TableSchema] = {
    Path(file).stem: schema
    for file, schema in {
        **OF_A_TALK,
        **OF_A_RUN,
        **BESIDE_THE_RECORD,
        **OF_THE_REFERENCE,
        "concordance.csv": CONCORDANCE,
    }.items()
}
"""Name of a table -> its columns."""


class FinishedRun:
    """The tables of a run, each a data frame under its name: `run.verdicts`, `run.shared`.

    Columns have the types that `records/columns.py` declares: str, float64, int64, and `boolean`,
    which may be missing. A table is read when it is first asked for; a copy of it is handed out.
    Those that lie in the folders of the talks are put together, talk by talk.

    Attributes:
        folder: Where the run lies.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = cache(self._read_table)

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in SCHEMAS:
            raise AttributeError(_unknown(name))
        return self.table(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *SCHEMAS]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r}): {', '.join(self._held())}"

    def _repr_html_(self) -> str:
        return self.contents.to_html(index=False, escape=True)

    def table(self, name: str) -> pd.DataFrame:
        """One table, as `run.<name>` gives it.

        Args:
            name: One of `contents`.

        Raises:
            UserError: If there is no such table, this run does not hold it, or it is damaged.
        """
        if name not in SCHEMAS:
            raise UserError(_unknown(name))
        return self._read(name).copy()

    @property
    def contents(self) -> pd.DataFrame:
        """What the run holds: columns table, rows, says."""
        return pd.DataFrame(
            [(name, len(self._read(name)), SCHEMAS[name].says) for name in self._held()],
            columns=pd.Index(["table", "rows", "says"]),
        )

    def columns(self, name: str) -> pd.DataFrame:
        """What every column of a table means: columns column, type, unit, says.

        Raises:
            UserError: If there is no such table.
        """
        if name not in SCHEMAS:
            raise UserError(_unknown(name))
        return pd.DataFrame(
            {"column": c.name, "type": c.kind, "unit": c.unit, "says": c.says}
            for c in SCHEMAS[name].columns
        )

    @property
    def glossary(self) -> pd.DataFrame:
        """What every metric means: columns metric, unit, says."""
        return pd.DataFrame(
            {"metric": name, "unit": metric.unit, "says": metric.definition}
            for name, metric in GLOSSARY.items()
        )

    @property
    def manifest(self) -> dict[str, Any]:
        """How the run was made: commit, versions, configuration, machine.

        Raises:
            UserError: If it is damaged, or there is none.
        """
        path = self.folder / "manifest.json"
        if not path.is_file():
            raise UserError(
                f"{self.folder}: the folder contains no manifest.json; expected the manifest of a "
                "finished run. Name the folder of the whole run, or finish the run with snakemake"
            )
        return whole_files.read_json(path, "commit", "versions")

    @property
    def talks(self) -> list[str]:
        """Names of the talks, in the order of the report; none where the folder is of one talk.

        Raises:
            UserError: If the manifest is damaged.
        """
        path = self.folder / "manifest.json"
        made = whole_files.read_json(path, "config")["config"] if path.is_file() else {}
        return made.get("talks", [])

    def _held(self) -> list[str]:
        return [name for name in SCHEMAS if self.files(name)]

    def files(self, name: str) -> list[Path]:
        """Files of a table of `SCHEMAS`: one, or one a talk; empty if the run has no such table."""
        file = f"{name}.csv"
        parts = [self.folder / talk for talk in self.talks] if file in OF_A_TALK else []
        paths = [tables.lying(folder / file) for folder in parts or [self.folder]]
        return paths if any(path.is_file() for path in paths) else []

    def _read_table(self, name: str) -> pd.DataFrame:
        if not (files := self.files(name)):
            held = ", ".join(self._held())
            raise UserError(
                f"{self.folder}: the folder contains no table '{name}'; expected one of {held}. "
                "Correct the name"
            )
        schema = SCHEMAS[name]
        whole = tables.stacked([tables.read(path, schema) for path in files])
        return whole.astype(dict.fromkeys(schema.of_kind("boolean"), "boolean"))


def find(run: str | Path) -> FinishedRun:
    """Open a finished run.

    Args:
        run: Its folder, or the name of one in `results`: reference, smoke, default, full, paper.
            Seen from the working directory, and else from the project's folder.

    Raises:
        UserError: If there is no such folder, or it holds no finished tables.
    """
    named = [Path("results") / run, CHECKOUT / "results" / run] if len(Path(run).parts) == 1 else []
    folders = [folder for folder in (*named, Path(run), CHECKOUT / run) if folder.is_dir()]
    if not folders:
        raise UserError(
            f"run '{run}': this folder does not exist; expected 'reference', or the folder of a "
            "finished run, such as results/default. Run `snakemake` to make results/default"
        )
    if not any((folders[0] / file).is_file() for file in ("manifest.json", "verdicts.csv")):
        raise UserError(
            f"{folders[0]}: the folder contains neither manifest.json nor verdicts.csv; expected "
            "the folder of a finished run or of a talk in it. Name another folder, or finish the "
            "run with `snakemake`"
        )
    return FinishedRun(folders[0])


def _unknown(name: str) -> str:
    return (
        f"table '{name}': the table is not known; expected one of {', '.join(SCHEMAS)}. Correct "
        "the name"
    )
