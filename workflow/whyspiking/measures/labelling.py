"""How soon a network that labels every time step notices that the true label has changed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.types import Labels


def delays(labels: Labels) -> dict[str, float]:
    """Median delay of label changes in ms, and the share of changes that go unnoticed.

    A change of the true label at step b, to a class that lasts until step e, is noticed at the step
    that best divides the choices around it into "not that class" before and "that class" from then
    on. It is looked for from halfway through the segment before it, so that a delay may be
    negative, to e. A change whose class is not chosen at all between b and e is unnoticed and has
    no delay.

    Args:
        labels: The outcome; changes from or to a step that does not count are left out.

    Returns:
        `label_delay`, and `missed_changes`; nothing where no label changes.
    """
    delays: list[float] = []
    missed = total = 0
    for truth, chosen in zip(labels.targets, labels.choices, strict=True):
        starts = np.flatnonzero(np.diff(truth)) + 1
        bounds = np.concatenate([[0], starts, [truth.size]])
        for before, start, stop in zip(bounds, starts, bounds[2:], strict=False):
            if truth[start] < 0 or truth[start - 1] < 0:
                continue
            total += 1
            if not (chosen[start:stop] == truth[start]).any():
                missed += 1
                continue
            first = start - (start - before) // 2
            step = first + _best_division(chosen[first:stop] == truth[start])
            delays.append((step - start) * labels.dt_ms)
    if not total:
        return {}
    delay = float(np.median(delays)) if delays else np.nan
    return {"label_delay": delay, "missed_changes": missed / total}


def _best_division(is_new: NDArray[np.bool_]) -> int:
    """Index that best divides a sequence into False before and True from there on."""
    gain = np.cumsum(np.where(is_new, -1, 1))
    return int(np.argmax(np.concatenate([[0], gain])))
