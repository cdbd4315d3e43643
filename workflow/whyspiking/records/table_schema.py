"""What a table is described by: its columns, in order, each with name, type, meaning and unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        name: As in the head of the file.
        says: What it is.
        kind: Type of the Table Schema: string, number, integer or boolean.
        unit: Unit of its numbers; empty where there is none.
    """

    name: str
    says: str
    kind: str = "string"
    unit: str = ""


TALK = Column("talk", "Talk, by its speaker.")
EXPERIMENT = Column("experiment", "Experiment of the talk.")
VARIANT = Column("variant", "What was trained: the spiking network, a control, an ablation.")


class TableSchema:
    """The columns of one kind of table.

    Attributes:
        says: What the table holds.
        columns: In the order of the file.
    """

    def __init__(self, says: str, *columns: Column) -> None:
        self.says = says
        self.columns = columns

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def of_kind(self, *kinds: str) -> list[str]:
        """Names of the columns of some types."""
        return [column.name for column in self.columns if column.kind in kinds]

    def table(self, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
        """Rows as a table with all columns in order; what a row does not name is missing."""
        import pandas as pd  # the workflow itself needs the names only

        return pd.DataFrame(list(rows), columns=pd.Index(self.names))
