"""DECOLLE: what the figures say about made-up tables."""

import numpy as np
import pandas as pd
import pytest

from whyspiking.plots.figures import NotMeasuredError
from whyspiking.records import columns
from whyspiking.talks.neftci import figures


def metrics_of(rows):
    """A table of (experiment, variant, metric, value) in Brian2, the same for two seeds."""
    named = pd.Index(["experiment", "variant", "metric", "value"])
    one = pd.DataFrame(rows, columns=named).assign(engine="brian2", perturbation="none")
    return pd.concat([one.assign(seed=seed) for seed in (0, 1)], ignore_index=True)


def test_layers():
    rows = [
        (*place, f"{metric}_layer{k}", value)
        for place in figures.RULES
        for k in (1, 2, 3)
        for metric, value in (("accuracy", 0.9 + 0.01 * k), ("activity", 0.1 / k))
    ]
    said = figures.layers(metrics_of(rows)).alt
    assert "local, every step: accuracy 0.910 / 0.920 / 0.930, activity 0.100 / 0.050" in said
    with pytest.raises(NotMeasuredError):
        figures.layers(metrics_of(rows)[:0])


def test_device():
    rows = [
        ("mismatch", "spiking", m, v) for m, v in zip(figures.STAGES, (0.9, 0.5, 0.8), strict=True)
    ]
    metrics = metrics_of(rows).assign(perturbation="device", strength=0.4)
    said = figures.device(metrics).alt
    assert "40 %: as designed 0.900, as built 0.500, relearned 0.800" in said
    with pytest.raises(NotMeasuredError):
        figures.device(metrics[:0])


def test_lessons():
    history = [
        ("continual", variant, seed, epoch, f"told_lesson{k}", 0.98 if epoch == k else 0.4)
        for variant in figures.FOLLOWED
        for seed in (0, 1)
        for epoch in range(1, 6)
        for k in range(1, 6)
    ]
    table = pd.DataFrame(history, columns=pd.Index(columns.HISTORY.names))
    rows = [
        ("continual", variant, metric, value)
        for variant in figures.FOLLOWED
        for metric, value in (("accuracy", 0.2), ("accuracy_told", 0.4))
    ]
    said = figures.lessons(table, metrics_of(rows)).alt
    assert "local told the pair 0.400" in said
    assert "back-propagation among all ten 0.200" in said
    with pytest.raises(NotMeasuredError):
        figures.lessons(table[:0], metrics_of(rows))


def test_one_digit():
    arrays = {
        "digit.input_t_ms": np.array([0.0, 110.0, 300.0]),
        "digit.input_x": np.array([1, 2, 3]),
        "digit.input_y": np.array([1, 2, 3]),
        "digit.input_on": np.array([1, 0, 1]),
        "digit.target": np.array(2),
        "digit.dt_ms": np.array(7.5),
    }
    for k in (1, 2, 3):
        arrays[f"digit.layer{k}_t_ms"] = np.array([10.0, 20.0])
        arrays[f"digit.layer{k}_unit"] = np.array([0, 1])
        arrays[f"digit.readout{k}"] = np.eye(10)[np.full(42, 2)]
    said = figures.one_digit(arrays).alt
    assert "Digit 2: 3 events, 2, 2, 2 spikes" in said
    assert "42 of 42 votes" in said
