"""The tempotron rule (README, section 3)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Progress
from whyspiking.measures import scoring
from whyspiking.talks._template import model
from whyspiking.talks._template.task import make_task, times_ms
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History


def train(params: Params, streams: Streams, progress: Progress) -> Network:
    """Train the output neurons and keep the epoch of best validation accuracy.

    Args:
        params: Parameters of the experiment.
        streams: Randomness: "hidden", "init", "shuffle", and those of the task.
        progress: Called after every epoch.
    """
    training, held_out = (make_task(params, s, streams) for s in ("train", "validation"))
    assert training is not None and held_out is not None
    drawn, sizes = {}, model.layers(params)
    times, held_ms = times_ms(training), times_ms(held_out)
    if "hidden" in sizes:
        drawn["hidden"] = streams.rng("hidden").normal(
            params.hidden_mean, params.hidden_sd, (params.n_input, params.n_hidden)
        )
        times, held_ms = (model.first_spikes(params, drawn["hidden"], t) for t in (times, held_ms))
    # Which neurons are to fire: that of the class; a single neuron for class 1.
    wanted = training.targets[:, None] == (np.arange(sizes["output"]) if drawn else 1)
    w = streams.rng("init").normal(0.0, 0.05, (times.shape[1], sizes["output"]))
    shuffle = streams.rng("shuffle")
    best, history = SimpleNamespace(w=w.copy(), accuracy=-1.0), History()
    for epoch in Checkpoint(w, best, shuffle, history).rounds(range(params.epochs), progress):
        errors = 0
        for sample in shuffle.permutation(len(wanted)):
            v = model.potentials(params, w, times[sample])
            wrong = wanted[sample] * 1 - (v.max(axis=0) >= 1.0)
            if wrong.any():
                errors += 1
                t_max = params.dt_ms * v.argmax(axis=0)
                # Eq. 3
                w += (
                    params.learning_rate
                    * wrong
                    * model.kernel(params, t_max - times[sample][:, None])
                )
        first = model.first_spikes(params, w, held_ms)
        accuracy = scoring.accuracy(model.decide(params, first, held_out))
        history.note(
            epoch + 1, train_accuracy=1 - errors / len(wanted), validation_accuracy=accuracy
        )
        if accuracy > best.accuracy:
            best.w, best.accuracy = w.copy(), accuracy
        progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {accuracy:.3f}")
    return Network(
        {**drawn, "output": best.w}, {"engine": "numpy", "epochs": params.epochs}, history.rows
    )
