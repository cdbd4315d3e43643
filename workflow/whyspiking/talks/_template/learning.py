"""The tempotron rule (README, section 3)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import Network, Params, Progress, Task
from whyspiking.talks._template import model
from whyspiking.talks._template.task import make_task, times_ms
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.history import History


def train(params: Params, streams: Streams, progress: Progress) -> Network:
    """Train one neuron and keep the epoch of best validation accuracy.

    Args:
        params: Parameters of the experiment.
        streams: Randomness: "init", "shuffle", and those of the task.
        progress: Called after every epoch.
    """
    training, held_out = _split(params, "train", streams), _split(params, "validation", streams)
    times, targets = times_ms(training), training.targets
    w = streams.rng("init").normal(0.0, 0.05, params.n_input)
    shuffle = streams.rng("shuffle")
    best, history = SimpleNamespace(w=w.copy(), accuracy=-1.0), History()
    for epoch in Checkpoint(w, best, shuffle, history).rounds(range(params.epochs), progress):
        errors = 0
        for sample in shuffle.permutation(len(targets)):
            v = model.potentials(params, w, times[sample])
            fired, wanted = v.max() >= 1.0, targets[sample] == 1
            if fired != wanted:
                errors += 1
                t_max = params.dt_ms * int(v.argmax())
                # Eq. 3
                step = model.kernel(params, t_max - times[sample])
                w += (params.learning_rate if wanted else -params.learning_rate) * step
        first = model.first_spikes(params, w, times_ms(held_out))
        accuracy = float((np.isfinite(first) == held_out.targets).mean())
        right = 1 - errors / len(targets)
        history.note(epoch + 1, train_accuracy=right, validation_accuracy=accuracy)
        if accuracy > best.accuracy:
            best.w, best.accuracy = w.copy(), accuracy
        progress((epoch + 1) / params.epochs, f"epoch {epoch + 1}: validation {accuracy:.3f}")
    return Network({"w": best.w}, {"engine": "numpy", "epochs": params.epochs}, history.rows)


def _split(params: Params, split, streams: Streams) -> Task:
    made = make_task(params, split, streams)
    if made is None:
        raise ValueError(f"no samples in split '{split}'")
    return made
