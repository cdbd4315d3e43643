"""Contrasts of "why spiking?" from tables made for the purpose."""

import functools

import numpy as np
import pytest
from made import measured

from whyspiking.measures import statistics
from whyspiking.records import columns
from whyspiking.verdicts import axes


def entry(**changes):
    base = {
        "axis": "timing",
        "measure": "T1",
        "level": "mechanism",
        "metric": "timing_index",
        "where": {"variant": "spiking"},
        "versus": None,
        "neutral": 0,
        "better": "larger",
        "transform": "none",
        "says": "What redrawn times cost.",
    }
    return {**base, **changes}


rows = functools.partial(
    measured.rows, metric="timing_index", trials=500, perturbation="shuffle", locus="input"
)


def contrasts(parts, *entries):
    return axes.contrasts(measured.table(*parts), {"axes": list(entries)})


def test_one_row_per_experiment_and_locus_with_its_interval():
    found = contrasts(
        [
            rows([0.9, 1.0, 0.95]),
            rows([0.1, -0.1, 0.05], locus="hidden"),
            rows([-0.5, -0.6, -0.55], talk="clopath", experiment="sine"),
            rows([0.4], talk="clopath", experiment="ode"),
        ],
        entry(),
    )
    assert list(found.columns) == columns.AXES.names
    assert set(found["level"]) == {"mechanism"}
    by_place = {(r["experiment"], r["locus"]): r for r in found.to_dict("records")}
    expected = statistics.t_interval([0.9, 1.0, 0.95])
    assert by_place["yinyang", "input"]["low"] == pytest.approx(expected.low)
    assert {place: row["favours_spikes"] for place, row in by_place.items()} == {
        ("yinyang", "input"): "yes",
        ("yinyang", "hidden"): "unclear",
        ("sine", "input"): "no",
        ("ode", "input"): "unclear",  # one seed has no interval
    }


def test_a_difference_is_paired_and_a_ratio_is_logarithmic():
    spiking = rows([2.0, 4.0, 8.0], metric="t95", perturbation="none", locus="")
    control = rows([1.0, 2.0, 4.0], metric="t95", perturbation="none", locus="", variant="rnn")
    difference = entry(metric="t95", versus={"variant": "rnn"}, better="smaller")
    ratio = {**difference, "transform": "log", "neutral": 1}
    one, two = contrasts([spiking, control], difference, ratio).to_dict("records")
    assert (one["effect"], one["unit"]) == (pytest.approx(7 / 3), "ms")
    found = [two[key] for key in ("effect", "unit", "favours_spikes")]
    assert found == [pytest.approx(2.0), "1", "no"]
    assert contrasts([spiking], difference).empty


def test_a_measure_without_a_null_decides_nothing():
    (row,) = contrasts([rows([1.0, 1.1, 1.2])], entry(neutral=None)).to_dict("records")
    assert np.isnan(row["neutral"])
    assert row["favours_spikes"] == "unclear"


def test_infinite_and_undefined_values():
    (row,) = contrasts(
        [rows([1.0, np.inf, 3.0], metric="sigma50")], entry(metric="sigma50", transform="log")
    ).to_dict("records")
    assert row["effect"] == 3.0
    assert np.isnan(row["low"])
    assert contrasts([rows([np.nan])], entry()).empty
