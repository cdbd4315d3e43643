"""Goeltz: the networks that the authors released, read or refused."""

import hashlib
import io
from dataclasses import replace

import numpy as np
import pytest
from made.fulfilled import fulfilled
from made.project import params_of, silent

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network
from whyspiking.errors import UserError
from whyspiking.talks.goeltz import learning, model, released, task


def small():
    """A network of the released Yin-Yang size, and what it answers on the test points."""
    own = params_of("goeltz", "released_yinyang", n_test=200)
    weights = [w.astype(float) for w in learning.initial_weights(own, Streams(0))]
    network = Network(dict(zip(model.names_of(2), weights, strict=True)))
    test = task.make_task(own, "test", Streams(0))
    first = model.forward_pass(own, model.weights_of(network), test).output.times
    return own, network, test, first


def written(network, first, labels, **changes):
    """A released file; `changes` replace arrays, None leaves one out."""
    arrays = {
        **network.arrays, "bias_times": np.array([0.9, 0.9]), "test_spike_times": first,
        "test_labels": labels, **changes,
    }  # fmt: skip
    file = io.BytesIO()
    np.savez(file, **{k: v for k, v in arrays.items() if v is not None})
    return file.getvalue()


def test_saved_times_are_compared_trial_by_trial(tmp_path, monkeypatch):
    own, network, test, first = small()
    saved = first.copy()
    fired = np.argwhere(np.isfinite(first) & (first < own.trial_ms - 0.5))
    (a, i), (b, j) = fired[0], fired[-1]
    saved[a, i] += 0.25  # later
    saved[b, j] = np.inf  # never: as if at the end of the trial
    raw = written(network, saved, test.targets)
    digest = hashlib.sha256(raw).hexdigest()
    monkeypatch.setitem(released.FILES, "yinyang", ("net.npz", digest))
    (tmp_path / "net.npz").write_bytes(raw)
    there = replace(own, originals_dir=tmp_path)
    found = fulfilled(there).train(there, "authors", Streams(0), {}, silent)
    np.testing.assert_equal(found.arrays, network.arrays)
    assert found.info["measures"] == pytest.approx(
        {
            "released_time_error_max": max(0.25, own.trial_ms - first[b, j]),
            "released_time_error_p99": 0.0,
            "released_decisions": (saved.argmin(axis=1) == first.argmin(axis=1)).mean(),
        }
    )


def test_files_that_do_not_fit_are_refused():
    own, network, test, first = small()
    labels = test.targets
    for changes, said in (
        ({"w_hidden": network.arrays["w_hidden"].T}, r"'w_hidden' has the shape \(120, 5\)"),
        ({"w_output": None}, "no array 'w_output'"),
        ({"test_spike_times": first[:-1]}, r"expected \(200, 3\)"),
        ({"bias_times": np.array([0.5, 0.5])}, r"bias spikes at \[0.5 0.5\]; expected \[0.9\]"),
        ({"w_output": np.array([{}], object)}, "no file of arrays"),
    ):
        with pytest.raises(UserError, match=said):
            released.parse(written(network, first, labels, **changes), own, "file")
    with pytest.raises(UserError, match="no file of arrays"):
        released.parse(b"PK of another kind", own, "file")
    with pytest.raises(UserError, match="not those of the test set"):
        released.compare(own, network, first, np.roll(labels, 1), Streams(0))
