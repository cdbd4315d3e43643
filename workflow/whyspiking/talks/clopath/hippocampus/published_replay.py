"""Compressed replay at the published size: `theta_replay`, and inhibition that is not removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.talks.clopath.force.task import SAMPLE_MS
from whyspiking.talks.clopath.hippocampus import theta_replay
from whyspiking.talks.clopath.hippocampus.brian_network import bind, to_brian

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "to_brian", "train", "vary",
]  # fmt: skip

make_task, train = theta_replay.make_task, theta_replay.train
evaluate, decode = theta_replay.evaluate, theta_replay.decode


def conditions(params: ct.Params) -> Sequence[ct.Condition]:
    """Conditions of `theta_replay`, and septal inhibition that continues.

    - `septum_kept` (input): septal inhibition is not removed when the replay should begin, and the
      excitatory neurons receive the fraction `strength` of the current that comes with removal.
    """
    return [
        *theta_replay.conditions(params),
        *(
            ct.Condition("septum_kept", "input", float(release_fraction))
            for release_fraction in params.kept_releases
        ),
    ]


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Task and binding under one of `conditions`."""
    if condition.perturbation != "septum_kept":
        return theta_replay.vary(params, condition, task, binding, rng)
    septal = continue_septum(params, task.stimulus.arrays["septum"])
    septal[:, :, 1] *= condition.strength
    return replace(task, stimulus=ct.Stimulus(arrays={"septum": septal})), binding


def continue_septum(params: ct.Params, septal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Continue the septal rhythm of every trial to the end, without a jump of its phase.

    Args:
        params: Needs theta_septum.
        septal: Septal inhibition, and 1 where it is removed, (trial, time, 2).

    Returns:
        A changed copy; the second column is that of `septal`.
    """
    septum = septal.copy()
    angle = 2 * np.pi * params.theta_septum * SAMPLE_MS * np.arange(septal.shape[1]) / 1000.0
    basis = np.column_stack([np.cos(angle), np.sin(angle)])
    for trial in septum:
        is_removed = trial[:, 1] == 1
        # The phase is random and not kept with the trial. Because M + 1 is one sine of known
        # frequency (Eq. 16), two weights describe the part with inhibition exactly.
        weights = np.linalg.lstsq(basis[~is_removed], trial[~is_removed, 0] + 1.0)[0]
        trial[is_removed, 0] = basis[is_removed] @ weights - 1.0
    return septum
