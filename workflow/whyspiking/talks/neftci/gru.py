"""The recurrent control: a GRU of as many weights on the same frames (README, section 5)."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.talks.neftci import decisions, model, task
from whyspiking.training import gru
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History, batches, refuse_broken, stacked


def train(params: ct.Params, streams: Streams, progress: ct.Progress) -> ct.Network:
    """Cross-entropy in every step that counts, BPTT, Adam with a cosine decay; last epoch kept.

    Randomness: "control-init", "shuffle".
    """
    data, held_out = task.recordings_of(params, "train"), task.recordings_of(params, "validation")
    n, batch, first = len(data.labels), params.batch_gru, model.burn_in(params)
    n_batches = n // batch
    learner = gru.Learner(params.rate_gru, params.epochs * n_batches, first)
    update = jax.jit(learner.update)
    begun = gru.initial(model.sizes(params)[0], params.n_gru, params.n_classes, streams)
    arrays: Any = {name: jnp.asarray(x) for name, x in begun.items()}
    now = SimpleNamespace(arrays=arrays, state=learner.start(arrays))
    shuffle = streams.rng("shuffle")
    history, seconds = History(), []
    value = float("nan")
    kept = Checkpoint(now, seconds, shuffle, history)
    for epoch in kept.rounds(range(params.epochs), progress):
        began, broken = time.process_time(), []
        for chosen in batches(n, batch, shuffle):
            given = data.unpacked(chosen), data.labels[chosen]
            now.arrays, now.state, found = update(now.arrays, now.state, *given)
            broken.append(found)
        refuse_broken(stacked(broken), epoch + 1, params.rate_gru)
        seconds.append(time.process_time() - began)
        choices = _decide(params, now.arrays, held_out.labels, held_out.unpacked()).choices
        value = float((choices == held_out.labels).mean())
        updates = (epoch + 1) * n_batches
        seen = {"samples": updates * batch, "updates": updates}
        history.note(epoch + 1, validation_accuracy=value, **seen)
        progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {value:.4f}")
    found = {name: np.asarray(x) for name, x in now.arrays.items()}
    return ct.Network(
        found,
        {
            "engine": gru.ENGINE,
            "rule": "bptt",
            "epochs": params.epochs,
            "epoch_seconds": float(np.mean(seconds)),
            "validation_accuracy": value,
            "parameters": int(sum(x.size for x in found.values())),
            "counts": gru.count_operations(found, held_out.unpacked()),
        },
        history.rows,
    )


def evaluate(params: ct.Params, network: ct.Network, given: ct.Task) -> ct.Trials:
    """Vote over time of the largest logit, as the spiking network decides."""
    frames = task.frames_of(params, given.stimulus.spikes[task.INPUT])
    return _decide(params, network.arrays, given.targets, frames)


def _decide(params: ct.Params, arrays: Any, targets: NDArray, frames: NDArray) -> ct.Trials:
    return decisions.decide(params, targets, gru.read(arrays, frames))
