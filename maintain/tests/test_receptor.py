"""Recorded trains: read by hash from a folder or a wheel, and measured as ours are."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from whyspiking.errors import UserError
from whyspiking.verdicts.biology import stated
from whyspiking_maintain import receptor_trains as receptor
from whyspiking_maintain.receptor import main, measured

NAME = "spikes.txt"
TEXT = b"# a header\n# of two lines\n\n" + b"\n".join(b"%d" % (10_000 * k) for k in range(1, 100))
FILES = {NAME: hashlib.sha256(TEXT).hexdigest()}


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "nitime-0.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{receptor.FOLDER}/{NAME}", TEXT)
    return path


def test_a_train_is_read_from_a_folder_and_from_a_wheel(tmp_path, wheel):
    (tmp_path / NAME).write_bytes(TEXT)
    for place in (tmp_path, wheel):
        (spikes,) = receptor.trains(place, FILES, 1000.0)
        assert spikes.times_ms.tolist() == (10.0 * np.arange(1, 100)).tolist()
        assert (spikes.n_trials, spikes.n_units, spikes.duration_ms) == (1, 1, 1000.0)
    found = measured([spikes])
    assert found["rate"] == [99.0] and found["isi_cv"] == [0.0]
    assert "timescale" not in found and "active_share" not in found


def test_other_files_are_refused(tmp_path, wheel):
    for place, files, words in (
        (wheel, {NAME: "0" * 64}, "is not the file"),
        (wheel, {"other.txt": "0" * 64}, "0 times in it"),
        (tmp_path, FILES, "cannot be read"),
    ):
        with pytest.raises(UserError, match=words):
            receptor.trains(place, files, 1000.0)


def test_what_is_missing_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(receptor, "find", lambda: None)
    assert main([]) == 1 and "install nitime" in capsys.readouterr().err
    assert main([str(tmp_path)]) == 1


def test_the_stated_values_are_those_of_the_recorded_trains(capsys):
    """929 and 868 spikes in 10 s, CV 0.53 and 0.45."""
    wheels = sorted(Path("resources/data/nitime").glob("nitime-*.whl"))
    place = receptor.find() or (wheels[0] if wheels else None)
    if place is None:
        pytest.skip("no recorded trains: neither nitime nor its wheel in resources/data/nitime")
    (entry,) = stated().recorded
    trains = receptor.trains(place, entry.files, entry.duration_ms)
    assert [len(spikes) for spikes in trains] == list(entry.spikes) == [929, 868]
    found = measured(trains)
    assert found["isi_cv"] == pytest.approx([0.53, 0.45], abs=0.005)
    assert found.keys() == entry.values.keys()
    for name, values in entry.values.items():
        assert found[name] == pytest.approx(values, rel=1e-4), name
    assert main([str(place)]) == 0
    assert "isi_cv: [0.5334, 0.44985]" in capsys.readouterr().out
