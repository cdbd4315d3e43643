"""When spikes save energy: made-up densities below, between and above the break-even."""

import re

import pandas as pd
import pytest
from made.project import config

from whyspiking.plots.figures import NotMeasuredError, style
from whyspiking.report import energy_figures

NAMES = {"talk": "Made"}


def tables_of(**ratios):
    """Experiments with a tenth of a spike per synapse, and the ratios of two cost models."""
    dense = [{"talk": "talk", "experiment": e, "measure": "s", "value": 0.1} for e in ratios]
    rows = [
        {"talk": "talk", "experiment": e, "locus": "mlp", "factor": "", "mean": x}
        for e, own in ratios.items()
        for x in own
    ]
    return pd.DataFrame(dense), pd.DataFrame(rows)


def test_every_experiment_lies_where_its_energy_ratios_say():
    measures, ratios = tables_of(
        saves=(2, 50), depends=(0.1, 9), saves_none=(0.01, 0.5), huge=(1e-7, 1e-5)
    )
    with style():
        plate = energy_figures.when_spikes_save(
            measures,
            ratios,
            NAMES,
            {("talk", "huge", "mlp"): "far larger", ("talk", "saves", "linear"): "no"},
        )
    for part in (
        "Made · saves: 0.1, breaks even at 0.2 to 5: saves energy, whatever",
        "Made · depends: 0.1, breaks even at 0.01 to 0.9: depends on what",
        "Made · saves none: 0.1, breaks even at 0.001 to 0.05: saves none",
    ):
        assert part in plate.alt
    assert "Made · huge" not in plate.alt and "Made · huge: far larger" in plate.caption
    assert "Made · saves:" not in plate.caption


def test_every_cost_model_stands_in_a_table_with_its_prices():
    told = energy_figures.cost_models(config("full")["energy"])
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in told.split("<tr>")[2:]]
    assert len(rows) == len(config("full")["energy"]["models"])
    by_name = {re.search("<code>(.*)</code>", row[0])[1]: row[1:] for row in rows}
    # 8 of 64 bits of 10 pJ; the membrane, 16 bits, is read and written.
    assert by_name["mem_near"][1:] == ["0.03", "0.23", "1.25", "5", "5.23", "10"]
    assert by_name["mem_near_registers"][1:] == ["0.03", "0.23", "1.25", "0", "0.23", "10"]
    assert by_name["ops_fp32"][1:] == ["0.9", "4.6", "0", "0", "0", "0"]
    assert "no memory, no neuron updates" in by_name["ops_fp32"][0]


def test_without_spikes_per_synapse_there_is_no_figure():
    measures, ratios = tables_of(saves=(2, 50))
    with style(), pytest.raises(NotMeasuredError):
        energy_figures.when_spikes_save(measures[:0], ratios, NAMES, {})


def test_an_assumption_decides_where_its_settings_lie_on_both_sides():
    rows = [
        {"talk": "talk", "experiment": e, "locus": "mlp", "factor": f, "setting": s, "mean": x}
        for e, f, s, x in [
            ("a", "memory", "8 kB", 2.0), ("a", "memory", "1 MB", 0.5),
            ("b", "memory", "8 kB", 8.0), ("b", "memory", "1 MB", 4.0),
            ("a", "reuse", "1", 2.0), ("a", "reuse", "16", 3.0),
        ]
    ]  # fmt: skip
    told = energy_figures.assumptions(pd.DataFrame(rows))
    memory, reuse = told.split("<tr>")[2:]
    assert "8 kB; 1 MB" in memory and "1 of 2" in memory and ">3<" in memory  # 4 and 2
    assert "0 of 1" in reuse and ">1.5<" in reuse
