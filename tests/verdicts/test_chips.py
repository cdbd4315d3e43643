"""Measured energies of chips: each with its source, and what it counts."""

import pytest
import yaml

from whyspiking.errors import UserError
from whyspiking.report.html import macros
from whyspiking.verdicts import chips


def test_every_energy_stands_with_source_and_what_it_counts():
    told = macros("energy").context(chips.measured(), {"add_int8": 0.03, "sram_8kb": 10})
    for entry in chips.measured().inferences:
        assert f'href="{entry.link}"' in told and entry.counts in told
    assert "Loihi 270 µJ" in told and "29,800" not in told


def test_an_energy_without_source_is_refused(tmp_path, monkeypatch):
    said = yaml.safe_load(chips.SOURCES.read_text(encoding="utf-8"))
    del said["inferences"][0]["cite"]
    monkeypatch.setattr(chips, "SOURCES", tmp_path / "chips.yaml")
    chips.SOURCES.write_text(yaml.safe_dump(said), encoding="utf-8")
    with pytest.raises(UserError, match="cite"):
        chips.measured()
