"""How the readout of a layer names a class, and when (README, section 2)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.neftci import model


def decide(params: ct.Params, targets: NDArray, readout: NDArray) -> ct.Trials:
    """The class that leads at the end; see `tally`.

    The decision falls at the first step from which on the leading class stays the one that wins.

    Args:
        params: `dt_ms` and `burn_in_ms`; `decision`.
        targets: Classes, (trial,).
        readout: Y of one layer, (trial, time, class), from the start of the trial.
    """
    leader = tally(params, readout).argmax(axis=2)
    final = leader[:, -1]
    is_other = leader != final[:, None]
    last_other = np.where(
        is_other.any(axis=1), is_other.shape[1] - 1 - is_other[:, ::-1].argmax(axis=1), -1
    )
    return ct.Trials(
        targets=np.asarray(targets, np.int64),
        choices=final.astype(np.int64),
        decision_ms=(model.burn_in(params) + last_other + 1) * float(params.dt_ms),
        n_classes=readout.shape[2],
    )


def decide_within(params: ct.Params, targets: NDArray, readout: NDArray, size: int) -> ct.Trials:
    """`decide` among the classes that were taught together with the right one.

    Args:
        params: As for `decide`.
        targets: Classes, (trial,).
        readout: As for `decide`.
        size: Classes per lesson, one lesson after the other in the order of the classes.
    """
    targets = np.asarray(targets, np.int64)
    first_class = targets // size * size
    lesson_classes = (first_class[:, None] + np.arange(size))[:, None]
    outcome = decide(
        params, targets - first_class, np.take_along_axis(readout, lesson_classes, axis=2)
    )
    return replace(outcome, targets=targets, choices=outcome.choices + first_class)


def tally(params: ct.Params, readout: NDArray) -> NDArray:
    """Votes or summed readout of each class up to each step that counts, (trial, step, class).

    Args:
        params: `decision`: `vote`, in which every step names the class with the largest readout, or
            `sum`, in which readouts are added up.
        readout: As for `decide`.
    """
    counted_readout = readout[:, model.burn_in(params) :]
    if params.decision == "sum":
        return np.cumsum(counted_readout, axis=1)
    votes = counted_readout.argmax(axis=2)[:, :, None] == np.arange(readout.shape[2])
    return np.cumsum(votes, axis=1)
