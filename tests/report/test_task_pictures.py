"""Pictures of the shared tasks: they come from the generators that networks are trained on."""

import numpy as np
import pytest

from whyspiking.contract.types import Params
from whyspiking.declared import protocol_file, registry
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.plots.figures import RED, style
from whyspiking.report import task_pictures
from whyspiking.tasks import task_data
from whyspiking.tasks.span_recall.generator import SETTINGS, draw_spikes
from whyspiking.tasks.span_recall.picture import N_DRAWN


@pytest.fixture(scope="module")
def plates():
    with style():
        yield {name: task_pictures.picture(name) for name in task_pictures.list_pictures()}


def params(name):
    values = {key: entry["value"] for key, entry in shared_tasks()[name].parameters.items()}
    return Params("", name, "", {**values, **task_pictures.SAMPLES, "shared_task": name})


def times(ax):
    """Times of all spikes of a panel, sorted."""
    rasters = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) % 3 == 0]
    return np.sort(np.concatenate([x[::3] for x in rasters]))


def test_every_task_has_a_picture_with_words_for_those_who_see_none(plates):
    (ground,) = registry.with_protocol(registry.available())
    said = protocol_file.load(registry.FOLDER / ground / registry.PROTOCOL)
    assert list(plates) == list(said.tasks)
    for name, plate in plates.items():
        title = shared_tasks()[name].title
        assert plate.caption.startswith(f"{title}. ") and "must name" in plate.caption
        assert len(plate.alt) > 40
        assert len(plate.axes) == 2


def test_streams_are_trials_of_the_generator_with_what_tells_the_class_in_colour(plates):
    spikes, classes = draw_spikes(np.random.default_rng(0), N_DRAWN)
    per_group = SETTINGS.per_group
    for ax, which in zip(plates["span_recall"].axes, (classes.min(), classes.max()), strict=True):
        own = spikes.select_trials(np.flatnonzero(classes == which)[:1])
        np.testing.assert_allclose(times(ax), np.sort(own.times_ms))
        (red,) = (line for line in ax.lines if line.get_color() == RED)
        assert len(red.get_xdata()) == 3 * (own.units // per_group == which).sum()


@pytest.mark.parametrize("name", ["yinyang", "randman"])
def test_what_is_drawn_are_samples_of_the_generator(plates, name):
    drawn = task_data.latencies(params(name), "test")
    assert drawn is not None
    shown = times(plates[name].axes[0])
    n = drawn.times_ms.shape[1]
    pairs = [(i, j) for i in range(40) for j in range(40)] if name == "randman" else []
    single = [np.sort(sample) for sample in drawn.times_ms]
    both = [np.sort(np.concatenate([single[i], single[j]])) for i, j in pairs if i < j]
    assert any(np.array_equal(shown, sample) for sample in (both if len(shown) > n else single))
