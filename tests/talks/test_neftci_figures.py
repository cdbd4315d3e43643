"""DECOLLE: what the figures say about made-up tables."""

import numpy as np
import pandas as pd
import pytest

from whyspiking.plots.figures import NotMeasuredError
from whyspiking.records import columns
from whyspiking.talks.neftci import figures, figures_lessons


def made_results():
    """Invented rows of all that the figures read, for two seeds."""
    history, metrics = [], []
    for (experiment, variant), _ in figures.RULES.items():
        for seed in (0, 1):
            for epoch in (1, 2, 3):
                for metric, value in (
                    ("validation_accuracy", 0.9 + 0.02 * epoch + 0.001 * seed),
                    ("samples", 1000 * epoch),
                    ("updates", 10 * epoch),
                ):
                    history.append((experiment, variant, seed, epoch, metric, value))
            for layer in (1, 2, 3):
                for metric, value in (("accuracy", 0.9 + 0.01 * layer), ("activity", 0.1 / layer)):
                    place = (experiment, variant, seed, "brian2", "none", 0.0)
                    metrics.append((*place, f"{metric}_layer{layer}", value + 0.002 * seed))
    for rule, slope in (("local", 0), ("end_to_end", 1000)):
        for n in (30, 60):
            history.append(("memory", "spiking", 0, n, f"memory_{rule}", 1e5 + slope * n))
    for seed in (0, 1):
        for level in (0.1, 0.4):
            for metric, value in zip(figures.STAGES, (0.95, 0.95 - level, 0.94), strict=True):
                place = ("mismatch", "spiking", seed, "brian2", "device", level)
                metrics.append((*place, metric, value))
    for epoch in (1, 6):
        for k in (1, 2, 3):
            history.append(("regression", "spiking", 0, epoch, f"nmse_layer{k}", k / epoch))
    named = ("experiment", "variant", "seed", "engine", "perturbation", "strength")
    return (
        pd.DataFrame(history, columns=pd.Index(columns.HISTORY.names)),
        pd.DataFrame(metrics, columns=pd.Index([*named, "metric", "value"])),
    )


def test_figures_say_what_the_tables_say():
    history, metrics = made_results()
    learned = figures.learning(history)
    assert "back-propagation ends at 0.96" in learned.alt
    told = figures.layers(metrics).alt
    assert "local, every step: accuracy 0.911 / 0.921 / 0.931, activity 0.101 / 0.051" in told
    assert "back-propagation from 0.13 to 0.16 MB" in figures.memory(history).alt
    assert "40 %: as designed 0.950, as built 0.550, relearned 0.940" in figures.device(metrics).alt
    with pytest.raises(NotMeasuredError):
        figures.learning(history[history["experiment"] == "memory"])
    with pytest.raises(NotMeasuredError):
        figures.device(metrics[metrics["experiment"] == "nmnist"])
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
    told = figures.series(
        {
            "series.target": np.zeros((20, 3)),
            "series.output": np.ones((20, 3)),
            "series.dt_ms": np.array(1.0),
        },
        history,
    ).alt
    assert "layer 3 from 3.00 to 0.500" in told
    assert "Digit 2: 3 events, 2, 2, 2 spikes" in figures.one_digit(arrays).alt
    assert "42 of 42 votes" in figures.one_digit(arrays).alt


def made_lessons():
    """Invented rows of two lessons, of finer steps and of convolutional layers, for two seeds."""
    history, metrics = [], []
    for seed in (0, 1):
        for variant, left in (("spiking", 0.4), ("bptt", 0.6)):
            for epoch in range(1, 6):
                for k in range(1, 6):
                    value = 0.98 if epoch == k else left
                    place = ("continual", variant, seed, epoch, f"told_lesson{k}", value)
                    history.append(place)
            for metric, value in (("accuracy", 0.2), ("accuracy_told", left)):
                metrics.append(("continual", variant, seed, metric, value))
            for experiment, more in (("coarse", 0), ("fine", 1)):
                metrics.append((experiment, variant, seed, "accuracy", 0.93 + 0.01 * more))
                history.append((experiment, variant, seed, 1, "updates", 400 * (1 + 2 * more)))
        for experiment, base in (("convolution", 0.8), ("coarse", 0.9)):
            for k in (1, 2, 3):
                metrics.append((experiment, "spiking", seed, f"accuracy_layer{k}", base + k / 100))
    table = pd.DataFrame(
        metrics, columns=pd.Index(["experiment", "variant", "seed", "metric", "value"])
    ).assign(engine="brian2", perturbation="none")
    return pd.DataFrame(history, columns=pd.Index(columns.HISTORY.names)), table


def test_figures_of_lessons_say_what_the_tables_say():
    history, metrics = made_lessons()
    told = figures_lessons.lessons(history, metrics).alt
    assert "local told the pair 0.400" in told
    assert "back-propagation among all ten 0.200" in told
    told = figures_lessons.steps(history, metrics).alt
    assert "local, every step: accuracy 0.93 and 0.94" in told
    assert "back-propagation: updates 400 and 1200" in told
    told = figures_lessons.convolution(metrics).alt
    assert "convolutional 0.810 / 0.820 / 0.830" in told
    for draw in (figures_lessons.lessons, figures_lessons.steps):
        with pytest.raises(NotMeasuredError):
            draw(history[:0], metrics[:0])
    with pytest.raises(NotMeasuredError):
        figures_lessons.convolution(metrics[:0])
