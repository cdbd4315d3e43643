"""The recorded results as readers meet them: there, not there, or of another version."""

import json

import pandas as pd
import pytest

from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files


def test_a_reference_of_this_version_is_taken(folder):
    reference.check(folder)


@pytest.mark.parametrize("file", ["costs.csv", "naud/metrics.csv.gz", "naud/measures.csv"])
def test_columns_of_another_version_are_refused(folder, file):
    table = pd.read_csv(folder / file, keep_default_na=False)
    table.rename(columns={table.columns[2]: "colour"}).to_csv(folder / file, index=False)
    with pytest.raises(UserError) as refused:
        reference.check(folder)
    for word in (file, "another version", table.columns[2], "colour", "make record"):
        assert word in str(refused.value)


def test_a_missing_table_is_refused(folder):
    (folder / "naud" / "measures.csv").unlink()
    with pytest.raises(UserError, match=r"measures\.csv: the file cannot be read.*make record"):
        reference.check(folder)


@pytest.mark.parametrize(
    "text", [json.dumps({"format": 0}), json.dumps({"commit": "a62e45f"}), "{", "[]"]
)
def test_a_manifest_of_another_version_is_refused(folder, text):
    (folder / "naud" / "manifest.json").write_text(text)
    with pytest.raises(UserError, match=r"naud/manifest\.json: .*format 1.*make record"):
        reference.check(folder)


def test_a_table_is_found_compressed_and_written_to_the_same_bytes(tmp_path):
    known = tables.read(reference.FOLDER / "naud" / "metrics.csv", columns.METRICS)
    written = [tmp_path / name / "metrics.csv.gz" for name in ("one", "other")]
    for path in written:
        tables.write_metrics(known, path)
    assert written[0].read_bytes() == written[1].read_bytes()
    plain = tmp_path / "one" / "metrics.csv"
    pd.testing.assert_frame_equal(tables.read(plain, columns.METRICS), known)
    pd.testing.assert_frame_equal(reference.table(plain, columns.METRICS), known)
    assert tables.header(plain) == columns.METRICS.names
    whole_files.seal_of(written[0]).unlink()
    written[0].write_bytes(written[0].read_bytes()[:-100])
    with pytest.raises(UserError, match=r"metrics\.csv\.gz: this file is not a readable table"):
        tables.read(plain, columns.METRICS)
    tables.write_metrics(known[:5], plain)
    assert len(tables.read(plain, columns.METRICS)) == 5, "what is not compressed comes first"
