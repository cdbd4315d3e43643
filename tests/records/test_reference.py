"""The recorded results as readers meet them: there, not there, or of another version."""

import json
from pathlib import Path

import pandas as pd
import pytest

from whyspiking.errors import UserError
from whyspiking.records import columns, reference

ROOT = Path(__file__).parents[2]


def test_verdicts_are_those_of_all_talks_or_none(folder, tmp_path):
    found = reference.verdicts(folder)
    assert list(found) == columns.VERDICTS.names
    assert set(found["scale"]) == {"full"}
    assert len(set(found["talk"])) == len(reference.recorded(ROOT / reference.FOLDER))
    nothing = reference.verdicts(tmp_path / "nowhere")
    assert nothing.empty and list(nothing) == columns.VERDICTS.names


def test_a_reference_of_this_version_is_taken(folder):
    reference.check(folder)


@pytest.mark.parametrize("file", ["verdicts.csv", "naud/metrics.csv", "naud/energy.csv"])
def test_columns_of_another_version_are_refused(folder, file):
    table = pd.read_csv(folder / file, keep_default_na=False)
    table.rename(columns={table.columns[2]: "colour"}).to_csv(folder / file, index=False)
    with pytest.raises(UserError) as refused:
        reference.check(folder)
    for word in (file, "another version", table.columns[2], "colour", "make reference"):
        assert word in str(refused.value)
    if file == "verdicts.csv":
        with pytest.raises(UserError, match="another version"):
            reference.verdicts(folder)


def test_a_missing_table_is_refused(folder):
    (folder / "naud" / "measures.csv").unlink()
    with pytest.raises(UserError, match=r"measures\.csv: cannot be read.*make reference"):
        reference.check(folder)


@pytest.mark.parametrize(
    "text", [json.dumps({"format": 0}), json.dumps({"commit": "a62e45f"}), "{", "[]"]
)
def test_a_manifest_of_another_version_is_refused(folder, text):
    (folder / "naud" / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"naud/manifest\.json: .*format 1.*make reference"):
        reference.check(folder)
