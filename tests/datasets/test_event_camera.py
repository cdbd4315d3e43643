"""The event camera: against its Python reference, a case solved by hand, and N-MNIST's numbers."""

import numpy as np
import pytest
from made import nmnist_files
from oracles.event_camera import reference

from whyspiking.contract.randomness import Streams
from whyspiking.datasets import event_camera, nmnist
from whyspiking.datasets.event_camera import Camera, Chance, Path2D
from whyspiking.errors import UserError


def digits(n, seed=0):
    """Bright bars and blobs of the size of MNIST."""
    rng = np.random.default_rng(seed)
    images = np.zeros((n, 28, 28), np.uint8)
    for image in images:
        for _ in range(3):
            row, column = rng.integers(5, 18, 2)
            image[row : row + rng.integers(2, 7), column : column + rng.integers(2, 7)] = (
                rng.integers(100, 256)
            )
    return images


def test_kernel_and_reference_send_the_same_events(vectors):
    image = digits(1)[0].astype(np.float32) / 255
    camera, path = nmnist.camera(), nmnist.saccades()
    chance = event_camera.draw(camera, path, [Streams(3).rng("chance")])
    fast = event_camera.watch(camera, path, image[None], chance)
    slow = reference(camera, path, image, chance)
    assert len(fast.t_us) > 500
    # Rounding of logarithms may move a time by one microsecond, and swap two events.
    assert len(fast.t_us) == len(slow.t_us)
    np.testing.assert_allclose(fast.t_us, slow.t_us, atol=1)
    keys = [np.sort((e.y.astype(int) * 34 + e.x) * 2 + e.on) for e in (fast, slow)]
    np.testing.assert_array_equal(*keys)


def test_a_passing_edge_gives_the_events_that_logarithms_say():
    """One pixel from dark to bright: floor(log(1.1 / 0.1) / 0.5) ON events, at solved times."""
    side = 6
    camera = Camera(*np.full((2, side, side), 0.5, np.float32), 0.1, 0.0, 0.0)
    path = Path2D(np.array([0.0, 1.0], np.float32), np.zeros(2, np.float32), 1000.0)
    image = np.zeros((2, 2), np.float32)
    image[1, 1] = 1.0
    chance = Chance(
        np.zeros((1, side**2), np.float32), np.zeros(2, np.int64), *np.zeros((2, 0), np.int32)
    )
    events = event_camera.watch(camera, path, image[None], chance)
    span = np.log(1.1 / 0.1)
    crossings = 1000 * 0.5 * np.arange(1, int(span / 0.5) + 1) / span
    rising = events.on == 1
    for chosen, place in ((rising, (2, 1)), (~rising, (1, 1))):
        np.testing.assert_allclose(events.t_us[chosen], np.floor(crossings), atol=1)
        assert set(zip(events.x[chosen], events.y[chosen], strict=True)) == {place}


def test_a_digit_depends_on_its_number_only():
    images = digits(3)
    together = nmnist.simulate(images, "test", [7, 8, 9])
    alone = nmnist.simulate(images[1:2], "test", [8])
    part = slice(together.start[1], together.start[2])
    for name in ("t_us", "x", "y", "on"):
        np.testing.assert_array_equal(getattr(together, name)[part], getattr(alone, name))
    other = nmnist.simulate(images[1:2], "train", [8])
    assert len(other.t_us) != len(alone.t_us) or (other.t_us != alone.t_us).any()


def test_saccades_follow_the_triangle():
    path = nmnist.saccades()
    assert path.x.size == nmnist.DURATION_MS + 1
    corners = np.stack([path.x, path.y], axis=1)[:: nmnist.LEG_MS]
    np.testing.assert_allclose(corners, nmnist.CORNERS, atol=1e-6)


def test_files_have_the_layout_of_nmnist():
    events = nmnist.simulate(digits(2), "test", [0, 1])
    raw = [nmnist_files.encode(events, k) for k in range(2)]
    assert [len(r) for r in raw] == list(5 * events.counts())
    first = raw[0][:5]
    told = (first[0], first[1], first[2] >> 7, int.from_bytes(first[2:5], "big") & 0x7FFFFF)
    assert told == (events.x[0], events.y[0], events.on[0], events.t_us[0])
    np.testing.assert_equal(vars(nmnist.decode(raw, "here")), vars(events))
    with pytest.raises(UserError, match="incomplete"):
        nmnist.decode([raw[0][:-1]], "here")
    with pytest.raises(UserError, match="outside"):
        nmnist.decode([bytes([40, 0, 0, 0, 0])], "here")


def test_frames_bin_as_brian2_does_and_agree_with_first_events():
    events = nmnist.simulate(digits(2), "test", [0, 1])
    grid = nmnist.Grid(5.0, 63, 2)
    found = nmnist.frames(events, grid)
    assert found.shape == (2, 63, 578)
    recording, channel, time_ms = nmnist.first_events(events, grid)
    frame = np.floor(time_ms / 5 + 0.5).astype(int)
    again = np.zeros_like(found)
    again[recording, frame, channel] = True
    np.testing.assert_array_equal(again, found)
    assert len(recording) == found.sum()


@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_first_events_are_those_of_all_events_in_the_order_of_spikes(monkeypatch, block):
    """Whatever is sorted at once; against the first of each kind among all events."""
    monkeypatch.setattr(nmnist, "BLOCK_RECORDINGS", block)
    events = nmnist.simulate(digits(5), "test", range(5))
    grid = nmnist.Grid(15.0, 20, 2)
    frame, recording = grid.frame(events), np.repeat(np.arange(5), events.counts())
    kept = frame < grid.n_frames
    assert kept.any() and not kept.all()
    kinds = np.stack([recording, frame, grid.channel(events)])[:, kept]
    kinds, first = np.unique(kinds, axis=1, return_index=True)
    expected = (kinds[0], kinds[2], events.t_us[kept][first] / 1000)
    order = np.lexsort((expected[1], expected[2], expected[0]))
    for found, column in zip(nmnist.first_events(events, grid), expected, strict=True):
        np.testing.assert_array_equal(found, column[order])
