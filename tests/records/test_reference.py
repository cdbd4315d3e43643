"""The recorded results as readers meet them: there, not there, or of another version."""

import json

import pandas as pd
import pytest

from whyspiking.errors import UserError
from whyspiking.records import reference


def test_a_reference_of_this_version_is_taken(folder):
    reference.check(folder)


@pytest.mark.parametrize("file", ["axes.csv", "naud/metrics.csv", "naud/energy.csv"])
def test_columns_of_another_version_are_refused(folder, file):
    table = pd.read_csv(folder / file, keep_default_na=False)
    table.rename(columns={table.columns[2]: "colour"}).to_csv(folder / file, index=False)
    with pytest.raises(UserError) as refused:
        reference.check(folder)
    for word in (file, "another version", table.columns[2], "colour", "make record"):
        assert word in str(refused.value)


def test_a_missing_table_is_refused(folder):
    (folder / "naud" / "measures.csv").unlink()
    with pytest.raises(UserError, match=r"measures\.csv: cannot be read.*make record"):
        reference.check(folder)


@pytest.mark.parametrize(
    "text", [json.dumps({"format": 0}), json.dumps({"commit": "a62e45f"}), "{", "[]"]
)
def test_a_manifest_of_another_version_is_refused(folder, text):
    (folder / "naud" / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"naud/manifest\.json: .*format 1.*make record"):
        reference.check(folder)
