"""What a reference network is: kinds of units, initial numbers, and how it is run in JAX.

A trial is a raster (step, line) of 0 and 1. Units send messages in every step to each other, where
they are recurrent, and to a leaky readout without spikes. The readout is reset when the answer
begins, and what it holds is averaged over the steps of the answer.

    spiking     v[t] = a v[t-1] - s[t-1] + (1 - a) b + W x[t] + R s[t-1],  s = 1 where v > 1
    rectified   the same, with s = max(0, v - 1): used where nothing must be remembered
    sigmoid     the same without the reset, with s = 1 / (1 + exp(-6 (v - 1))): used elsewhere
    gated       gated recurrent units whose reset acts behind the product (as in cuDNN): so all that
                a unit must tell others is its state
    static      a rectified layer that is told one number a line, when it fires first

Biases b stay below the threshold: a leaky unit sends only when something reaches it, or in the step
after it sent. A spike is differentiated by a fast sigmoid, its reset not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import stop_gradient
from numpy.typing import NDArray

from whyspiking.training.products import over_rows, product
from whyspiking.training.surrogates import fast_sigmoid, spike

type Kind = Literal["spiking", "rectified", "sigmoid", "gru", "static"]
type Arrays = Mapping[str, Any]

READOUT_TAU_MS = 20.0
SLOPE = 5.0
"""Of the surrogate derivative, per threshold."""
STEEPNESS = 6.0
"""Of the sigmoid, per threshold."""
HIGHEST_BIAS = 0.95
TAU_STEPS = (0.2, 1000.0)
"""Time constants are learned within these bounds, in steps."""
CONSTANT = ("centre", "scale")
"""Arrays that no recipe learns."""


@dataclass(frozen=True)
class Shape:
    """What a task fixes.

    Attributes:
        n_lines: Inputs.
        n_steps: Steps of a trial.
        answer_steps: The last ones, in which the readout is scored.
        n_classes: Channels of the readout.
        step_ms: Length of a step.
    """

    n_lines: int
    n_steps: int
    answer_steps: int
    n_classes: int
    step_ms: float


@dataclass(frozen=True)
class Recipe:
    """One setting of a family.

    Attributes:
        kind: Of units.
        n: How many.
        rate: Of Adam at the start; it falls to zero along a half cosine.
        tau_ms: Time constants at the start are log-uniform between these; where both are equal they
            stay. Of gated units, how long update gates hold the state at the start.
        recurrent: Whether leaky units hear each other; gated ones do.
        gain: Input weights of leaky units are N(0, gain / sqrt(lines)).
        batch: Trials per update.
    """

    kind: Kind
    n: int
    rate: float
    tau_ms: tuple[float, float] = (20.0, 20.0)
    recurrent: bool = False
    gain: float = 3.0
    batch: int = 100

    @property
    def leaky(self) -> bool:
        """Whether units forget at a time constant."""
        return self.kind in MESSAGES

    @property
    def fixed(self) -> tuple[str, ...]:
        """Arrays that are not learned."""
        return (*CONSTANT, "log_tau") if self.tau_ms[0] == self.tau_ms[1] else CONSTANT


def initial(recipe: Recipe, shape: Shape, rng: np.random.Generator) -> dict[str, NDArray]:
    """Arrays before training; one time constant for all where it is not learned.

    Centre and scale of what static units are told come with their data.

    Raises:
        ValueError: If gates should hold their state for a step or less.
    """
    if recipe.kind == "gru" and min(recipe.tau_ms) <= shape.step_ms:
        raise ValueError(
            f"the time constant of the gates is {recipe.tau_ms} ms; expected more than one time "
            "step"
        )
    n, n_in, (low, high) = recipe.n, shape.n_lines, np.log(recipe.tau_ms)
    out = rng.normal(0, 1 / np.sqrt(n), (n, shape.n_classes))
    arrays = {"out": out, "out_bias": np.zeros(shape.n_classes)}
    if recipe.leaky:
        arrays["input"] = rng.normal(0, recipe.gain / np.sqrt(n_in), (n_in, n))
        arrays["bias"] = np.zeros(n)
        size = () if "log_tau" in recipe.fixed else n
        arrays["log_tau"] = np.asarray(rng.uniform(low, high, size))
        if recipe.recurrent:
            arrays["state"] = rng.normal(0, 1 / np.sqrt(n), (n, n))
    elif recipe.kind == "gru":
        limit = np.sqrt(6 / (n_in + n))  # Glorot & Bengio 2010
        arrays["input"] = rng.uniform(-limit, limit, (n_in, 3 * n))
        arrays["state"] = np.hstack([np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(3)])
        held = np.exp(rng.uniform(low, high, n)) / shape.step_ms
        # A gate keeps 1 - 1 / held of the state in a step.
        arrays["bias"] = np.concatenate([np.zeros(n), np.log(held - 1), np.zeros(n)])
        arrays["state_bias"] = np.zeros(n)
    else:
        arrays["input"] = rng.normal(0, np.sqrt(2 / n_in), (n_in, n))  # He et al. 2015
        arrays |= {"bias": np.zeros(n), "centre": np.zeros(()), "scale": np.ones(())}
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def log_bounds(shape: Shape) -> NDArray[np.float64]:
    """Logarithms of the bounds of time constants in ms."""
    return np.log(np.asarray(TAU_STEPS) * shape.step_ms)


def first_steps(raster: NDArray) -> NDArray[np.float32]:
    """When each line fires first, in steps, (trial, line); the number of steps where it is silent.

    Args:
        raster: (trial, step, line).
    """
    found = np.where(raster.any(axis=1), raster.argmax(axis=1), raster.shape[1])
    return found.astype(np.float32)


def kernel(shape: Shape) -> NDArray[np.float64]:
    """Share that a message of each step has in the mean of the readout over the answer, (step,).

    Those before the answer have it in a readout that is not reset.
    """
    kept, step = np.exp(-shape.step_ms / READOUT_TAU_MS), np.arange(shape.n_steps)
    heard = np.maximum(step, shape.n_steps - shape.answer_steps)
    left = kept ** (heard - step) - kept ** (shape.n_steps - step)
    return left / (1 - kept) / shape.answer_steps


def run(
    recipe: Recipe,
    shape: Shape,
    arrays: Arrays,
    told: Any,
    least_change: float | None = None,
    before: Any = 0.0,
) -> tuple[Any, Any]:
    """Logits and messages of a network.

    Args:
        recipe: What it is.
        shape: What the task fixes.
        arrays: As from `initial`.
        told: Raster (step, trial, line); for static units `first_steps`.
        least_change: Of sigmoid and gated units: a state is told anew when it has changed by more,
            and held by who hears it until then. None: it is told in every step.
        before: Share of what the readout has when the answer begins that its reset leaves.

    Returns:
        Logits (trial, class), and what others hold of each unit, (step, trial, unit).
    """
    if recipe.kind == "static":
        centred = (told - arrays["centre"]) / arrays["scale"]
        sent = jax.nn.relu(product(centred, arrays["input"]) + arrays["bias"])[None]
        heard = sent[0]
    else:
        sent = (_leaky if recipe.leaky else _gated)(recipe, shape, arrays, told, least_change)
        shares, late = kernel(shape).astype(np.float32), shape.n_steps - shape.answer_steps
        if recipe.kind == "gru":
            shares = shares / shares[late:].sum()
        # Sums, not products: XLA would leave those to Eigen.
        heard = (shares[late:, None, None] * sent[late:]).sum(axis=0)
        if late:
            heard += before * (shares[:late, None, None] * sent[:late]).sum(axis=0)
    return product(heard, arrays["out"]) + arrays["out_bias"], sent


def to_pay(recipe: Recipe, sent: Any) -> Any:
    """What is paid for in training: messages of a trial, or how far a state moves, mean of trials.

    Args:
        recipe: What the network is.
        sent: From `run`.
    """
    if recipe.kind in UNCEASING:
        sent = jnp.abs(jnp.diff(sent, axis=0))
    return sent.sum() / sent.shape[1]


UNCEASING = ("sigmoid", "gru")
"""Kinds of units whose messages never are zero."""
MESSAGES: Mapping[str, Callable[[Any], Any]] = {
    "spiking": spike(fast_sigmoid(SLOPE)),
    "rectified": jax.nn.relu,
    "sigmoid": lambda u: jax.nn.sigmoid(STEEPNESS * u),
}
"""Potential above the threshold -> what is sent."""


def _told(now: Any, held: Any, least_change: float | None) -> Any:
    return now if least_change is None else jnp.where(abs(now - held) > least_change, now, held)


def _leaky_step(
    kind: str, least_change: float | None, decay: Any, before: Any, rest: Any, heard: Any
) -> Any:
    v, sent = before
    v = decay * v + heard
    if kind != "sigmoid":
        v = v - (stop_gradient(sent) if kind == "spiking" else sent)
    now = MESSAGES[kind](v - 1)
    return v, _told(now, sent, least_change) if kind == "sigmoid" else now


def _leaky(recipe: Recipe, shape: Shape, arrays: Arrays, frames: Any, least_change: Any) -> Any:
    decay = jnp.exp(-shape.step_ms / jnp.exp(arrays["log_tau"]))
    drive = product(frames, arrays["input"]) + (1 - decay) * arrays["bias"]
    # One for each trial: its derivative is then summed over trials once, not in every step.
    decay = jnp.broadcast_to(decay, drive.shape[1:])
    step = Step(partial(_leaky_step, recipe.kind, least_change), recipe.n)
    return through_time(step, decay, arrays.get("state"), drive)


def _gated_step(
    n: int, least_change: float | None, own: Any, before: Any, rest: Any, heard: Any
) -> Any:
    h, held = before
    gates = jax.nn.sigmoid(heard[:, : 2 * n])
    keep, reset = gates[:, :n], gates[:, n:]
    h = keep * h + (1 - keep) * jnp.tanh(rest + reset * heard[:, 2 * n :])
    return h, _told(h, held, least_change)


def _gated(recipe: Recipe, shape: Shape, arrays: Arrays, frames: Any, least_change: Any) -> Any:
    n = recipe.n
    drive = product(frames, arrays["input"]) + arrays["bias"]
    to_state = jnp.broadcast_to(arrays["state_bias"], (*drive.shape[:2], n))
    drive = jnp.concatenate([drive, to_state], axis=2)
    step = Step(partial(_gated_step, n, least_change), n)
    return through_time(step, jnp.zeros(()), arrays["state"], drive)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a layer, for `through_time`.

    Attributes:
        advance: (own, (state, sent), rest, heard) -> (state, sent) after the step, each
            (trial, unit); `heard` is what recurrent weights are added to, `rest` what comes before
            it in the drive.
        n: Units.
    """

    advance: Callable[..., Any]
    n: int


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def through_time(step: Step, own: Any, w: Any, drive: Any) -> Any:
    """Messages of a layer that hears itself, (step, trial, unit).

    Its recurrent weights get their gradient as one product over all steps, not step by step.

    Args:
        step: What happens in a step.
        own: What `advance` needs beside the drive; differentiable.
        w: Recurrent weights (unit, column), added to the last columns of the drive; None: none.
        drive: (step, trial, column).
    """
    return _run(step, w, own, drive)[0]


def _run(step: Step, w: Any, own: Any, drive: Any) -> tuple[Any, Any]:
    """Messages, and those that were heard in each step."""
    first = 0 if w is None else drive.shape[2] - w.shape[1]

    def one(before: Any, now: Any) -> Any:
        heard = now[:, first:] if w is None else now[:, first:] + before[1] @ w
        after = step.advance(own, before, now[:, :first], heard)
        return after, (after[1], before[1])

    rest = jnp.zeros((drive.shape[1], step.n), drive.dtype)
    return jax.lax.scan(one, (rest, rest), drive)[1]


def _forward(step: Step, own: Any, w: Any, drive: Any) -> Any:
    sent, slopes, heard = jax.vjp(partial(_run, step, w), own, drive, has_aux=True)
    return sent, (slopes, heard, w)


def _backward(step: Step, kept: Any, g_sent: Any) -> Any:
    slopes, heard, w = kept
    g_own, g_drive = slopes(g_sent)
    if w is None:
        return g_own, None, g_drive
    g_heard = g_drive[..., -w.shape[1] :].reshape(-1, w.shape[1])
    return g_own, over_rows(heard.reshape(-1, step.n), g_heard), g_drive


through_time.defvjp(_forward, _backward)
