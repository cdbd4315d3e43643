"""Pictures of the shared tasks: they come from the generators that networks are trained on."""

import numpy as np
import pytest

from whyspiking.contract.types import Params
from whyspiking.datasets import shared
from whyspiking.declared.shared_tasks import shared_tasks
from whyspiking.plots.figures import style
from whyspiking.report import task_pictures


@pytest.fixture(scope="module")
def plates():
    with style():
        yield {name: task_pictures.picture(name) for name in task_pictures.DRAWN}


def params(name):
    values = {key: entry["value"] for key, entry in shared_tasks()[name].parameters.items()}
    return Params("", name, "", {**values, **task_pictures.SAMPLES, "shared_task": name})


def times(ax):
    """Times of all spikes of a panel, sorted."""
    rasters = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) % 3 == 0]
    return np.sort(np.concatenate([x[::3] for x in rasters]))


def test_every_task_has_a_picture_with_words_for_those_who_see_none(plates):
    assert list(plates) == list(shared_tasks())
    for name, plate in plates.items():
        assert shared_tasks()[name].says in plate.caption and len(plate.alt) > 40
        assert len(plate.axes) == 2


@pytest.mark.parametrize("name", ["yinyang", "randman"])
def test_what_is_drawn_are_samples_of_the_generator(plates, name):
    drawn = shared.latencies(params(name), "test")
    assert drawn is not None
    shown = times(plates[name].axes[0])
    n = drawn.times_ms.shape[1]
    pairs = [(i, j) for i in range(40) for j in range(40)] if name == "randman" else []
    single = [np.sort(sample) for sample in drawn.times_ms]
    both = [np.sort(np.concatenate([single[i], single[j]])) for i, j in pairs if i < j]
    assert any(np.array_equal(shown, sample) for sample in (both if len(shown) > n else single))
