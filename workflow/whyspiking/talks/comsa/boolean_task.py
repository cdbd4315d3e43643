"""Noisy AND, OR and XOR of two inputs (README, 5). A trial holds one example per gate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.training.first_spike import encoding

GATES = ("xor", "and", "or")
N_INPUT = 2


def examples(gate: str, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw noisy inputs of one gate, (example, 2): false in [0, 0.45), true in [0.55, 1).

    Half of the examples belong to the class whose inputs are all true (AND), all false (OR) or even
    in number (XOR); in the other half AND and OR flip one or two inputs, equally often, and XOR has
    one true input.
    """
    is_first_class = rng.random(n) < 0.5
    i_true = rng.integers(0, 2, n)  # which input, where only one is true or flipped
    one_true = np.stack([i_true == 0, i_true == 1], axis=1)
    both_equal = np.repeat(rng.random(n) < 0.5, N_INPUT).reshape(n, N_INPUT)
    if gate == "xor":
        is_true = np.where(is_first_class[:, None], both_equal, one_true)
    else:
        is_flipped = ~is_first_class[:, None] & (both_equal | one_true)
        is_true = is_flipped ^ (gate == "and")
    return 0.55 * is_true + 0.45 * rng.random((n, N_INPUT))


def truth(gate: str, values: NDArray) -> NDArray[np.int64]:
    """Compute the class 0 or 1 of noisy inputs (example, 2)."""
    is_true = np.asarray(values) > 0.5
    classes = {
        "xor": is_true.sum(axis=1) == 1,
        "and": is_true.all(axis=1),
        "or": is_true.any(axis=1),
    }
    return classes[gate].astype(np.int64)


def samples(params: ct.Params, split: ct.Split, streams: Streams) -> NDArray[np.float64]:
    """One example per gate and trial, (trial, 2 x gate)."""
    n = {"train": params.n_train, "validation": params.n_validation, "test": params.n_test}[split]
    return np.hstack([examples(gate, n, streams.rng(f"{gate}-{split}")) for gate in GATES])


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The task of a split; its targets are those of XOR, the other gates' follow from the input."""
    if split == "fresh":
        return None
    values = samples(params, split, streams)
    return encoding.as_task(
        values * params.unit_ms,
        values,
        truth("xor", values[:, :N_INPUT]),
        trial_ms=params.trial_ms,
        n_classes=params.n_output,
    )
