"""Data of the shared tasks: what tells their classes apart, and what does not."""

import numpy as np
import pytest
from made.project import config

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params
from whyspiking.declared import registry
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.talks.ground.protocol import protocol
from whyspiking.tasks import generators, task_data
from whyspiking.tasks.randman import generator as randman

STREAM_TASKS = [task for task in shared_tasks() if generators.is_stream(task)]


def seed(number=3):
    return np.random.SeedSequence(number)


def params(**values):
    plain = {"window_ms": 50.0, "n_train": 300, "n_validation": 50, "n_test": 60, **values}
    return Params("toy", "one", "smoke", plain, seed=plain.pop("seed", 0))


RANDMAN = {
    "shared_task": "randman",
    "n_input": 20,
    "n_output": 10,
    "dimension": 2,
    "smoothness": 2.0,
    "jitter_ms": 2.0,
}


def test_every_input_fires_once_within_the_span():
    settings = randman.Settings()
    times, classes = randman.generate(seed(), 40, settings)
    assert times.shape == (400, settings.n_inputs)
    assert times.min() >= 0 and times.max() <= settings.span_ms
    np.testing.assert_array_equal(np.bincount(classes), np.full(10, 40))


def test_without_jitter_every_input_of_every_class_spans_the_window():
    times, classes = randman.generate(seed(), 40, randman.Settings(jitter_ms=0.0))
    for label in range(10):
        own = times[classes == label]
        np.testing.assert_allclose(own.min(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(own.max(axis=0), 50, atol=1e-12)


def test_jitter_moves_times_by_its_standard_deviation():
    """Only where no border is near: there it reflects."""
    still, _ = randman.generate(seed(), 400, randman.Settings(jitter_ms=0.0))
    moved, _ = randman.generate(seed(), 400, randman.Settings(jitter_ms=2.0))
    inner = (still > 10) & (still < 40)
    assert (moved - still)[inner].std() == pytest.approx(2.0, rel=0.02)
    assert abs((moved - still)[inner].mean()) < 0.05


def test_a_manifold_has_its_dimension():
    """Of smooth curves neighbours along the parameter are near; two dimensions fill a sheet.

    Singular values of small neighbourhoods: one large of a curve, two of a sheet.
    """
    for dimension in (1, 2):
        settings = randman.Settings(n_classes=1, dimension=dimension, jitter_ms=0.0)
        times, _ = randman.generate(seed(), 20_000, settings)
        nearest = np.argsort(((times - times[0]) ** 2).sum(axis=1))[:30]
        around = times[nearest] - times[nearest].mean(axis=0)
        values = np.linalg.svd(around, compute_uv=False)
        assert values[dimension] < 0.2 * values[dimension - 1]


def test_harmonics_fade_as_published():
    """ceil(0.001 ** (-1 / alpha)), at most a thousand (Zenke & Vogels 2021)."""
    assert [randman._count_harmonics(alpha) for alpha in (1.0, 2.0, 3.0, 0.5)] == [
        1000,
        32,
        10,
        1000,
    ]


def test_one_harmonic_is_its_sine():
    drawn = np.array([[[[0.5]]], [[[1.0]]], [[[0.25]]]])  # amplitude, frequency, phase
    points = np.array([[0.0], [0.25], [0.5]])
    np.testing.assert_allclose(randman._embed(points, drawn, 2.0)[:, 0], [0.5, 0, -0.5], atol=1e-12)


def test_a_line_sees_half_and_counts_nothing():
    """The band of the linear floor in the tables, on data that no run uses."""
    p = params(**RANDMAN, n_train=8000, n_validation=1000, n_test=1000, seed=1234)
    train, test = task_data.latencies(p, "train"), task_data.latencies(p, "validation")
    told = [np.column_stack([s.features, np.ones(len(s.features))]) for s in (train, test)]
    fitted = np.linalg.lstsq(told[0], np.eye(10)[train.classes], rcond=None)[0]
    assert 0.40 < ((told[1] @ fitted).argmax(axis=1) == test.classes).mean() < 0.60
    assert (np.isfinite(test.times_ms)).all(), "every input fires: counts are equal"


def test_a_window_is_laid_where_a_network_wants_it():
    p = params(**RANDMAN)
    drawn = task_data.latencies(p, "test")
    task = task_data.latency_task(
        p, "test", trial_ms=8.0, early_ms=1.0, late_ms=5.0, bias_ms=(0.5,)
    )
    first = task.stimulus.spikes["input"].first_ms()
    np.testing.assert_allclose(first[:, :20], 1 + drawn.times_ms / 50 * 4)
    np.testing.assert_array_equal(first[:, 20], 0.5)
    np.testing.assert_array_equal(task.features, drawn.times_ms / 50)


def test_yinyang_is_the_published_set():
    from whyspiking.datasets import yinyang

    drawn = task_data.latencies(params(shared_task="yinyang"), "test")
    values, classes = yinyang.generate(40, 60)
    np.testing.assert_array_equal(drawn.features, values)
    np.testing.assert_array_equal(drawn.classes, classes)


@pytest.mark.parametrize("task", STREAM_TASKS)
def test_tasks_with_time_are_those_of_the_reference_networks(task):
    """Sizes, steps and presentations; a part of the training trials is another than the next."""
    told = {name: entry["value"] for name, entry in shared_tasks()[task].parameters.items()}
    ground = registry.load_talk("ground")
    own = registry.params(ground.experiments[task], {**config("full"), "scale": "full"}, 0)
    for name, other in (
        ("n_input",) * 2,
        ("n_output",) * 2,
        ("trial_ms",) * 2,
        ("step_ms", "dt_ms"),
    ):
        assert told[name] == own.values[other]
    training = protocol().training[task]
    assert told["answer_ms"] == training.answer_ms
    assert (told["n_distinct"], told["n_train"]) == (training.n_distinct, training.chunk_size)
    assert (
        told["epochs"] * told["n_train"] == training.n_distinct * training.presentations_per_trial
    )
    assert told["n_hidden"] in protocol().families["lif"][task].n_hidden
    few = params(**{**told, "n_train": 40, "n_distinct": 80, "shared_task": task})
    drawn = [task_data.stream(few, "train", epoch) for epoch in (0, 1, 2)]
    assert [task_data.part_of(few, epoch) for epoch in (0, 1, 2)] == [0, 1, 0]
    times = [spikes.times_ms for spikes, _ in drawn]
    assert np.array_equal(times[0], times[2]) and not np.array_equal(times[0], times[1])
    spikes, classes = drawn[0]
    assert (spikes.n_units, spikes.duration_ms) == (told["n_input"], told["trial_ms"])
    assert set(classes) <= set(range(told["n_output"]))


@pytest.mark.parametrize("task", STREAM_TASKS)
def test_trials_drawn_on_steps_are_those_drawn_as_spikes(task):
    described = shared_tasks()[task].parameters
    step_ms = described["step_ms"]["value"]
    generator = generators.load_streams(task)
    spikes, classes = generator.draw_spikes(np.random.default_rng(5), 40)
    fired, own = generator.draw_on_steps(np.random.default_rng(5), 40, step_ms)
    np.testing.assert_array_equal(own, classes)
    told = task_data.on_steps(spikes, step_ms)
    drawn = Spikes.from_raster(fired, step_ms)
    for name in ("times_ms", "units", "trials"):
        np.testing.assert_array_equal(getattr(drawn, name), getattr(told, name))
