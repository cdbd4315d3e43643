"""What cost models count, and which of their assumptions decides who is cheaper."""

import re

import pandas as pd
from made.project import config

from whyspiking.report import energy_figures


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
