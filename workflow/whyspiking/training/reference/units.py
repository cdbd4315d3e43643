"""Kinds of units of the reference networks, their initial arrays, and their simulation in JAX.

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
    """Draw the arrays before training; one time constant for all where it is not learned.

    Centre and scale of the input of static units come with their data.

    Raises:
        ValueError: If gates should hold their state for a step or less.
    """
    if recipe.kind == "gru" and min(recipe.tau_ms) <= shape.step_ms:
        raise ValueError(
            f"the time constant of the gates is {recipe.tau_ms} ms; expected more than one time "
            "step"
        )
    n_units, n_in, (log_tau_min, log_tau_max) = recipe.n, shape.n_lines, np.log(recipe.tau_ms)
    w_out = rng.normal(0, 1 / np.sqrt(n_units), (n_units, shape.n_classes))
    arrays = {"out": w_out, "out_bias": np.zeros(shape.n_classes)}
    if recipe.leaky:
        arrays["input"] = rng.normal(0, recipe.gain / np.sqrt(n_in), (n_in, n_units))
        arrays["bias"] = np.zeros(n_units)
        tau_shape = () if "log_tau" in recipe.fixed else n_units
        arrays["log_tau"] = np.asarray(rng.uniform(log_tau_min, log_tau_max, tau_shape))
        if recipe.recurrent:
            arrays["state"] = rng.normal(0, 1 / np.sqrt(n_units), (n_units, n_units))
    elif recipe.kind == "gru":
        limit = np.sqrt(6 / (n_in + n_units))  # Glorot & Bengio 2010
        arrays["input"] = rng.uniform(-limit, limit, (n_in, 3 * n_units))
        arrays["state"] = np.hstack(
            [np.linalg.qr(rng.normal(size=(n_units, n_units)))[0] for _ in range(3)]
        )
        hold_steps = np.exp(rng.uniform(log_tau_min, log_tau_max, n_units)) / shape.step_ms
        # A gate keeps 1 - 1 / hold_steps of the state in a step.
        arrays["bias"] = np.concatenate(
            [np.zeros(n_units), np.log(hold_steps - 1), np.zeros(n_units)]
        )
        arrays["state_bias"] = np.zeros(n_units)
    else:
        arrays["input"] = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_units))  # He et al. 2015
        arrays |= {"bias": np.zeros(n_units), "centre": np.zeros(()), "scale": np.ones(())}
    return {name: values.astype(np.float32) for name, values in arrays.items()}


def log_bounds(shape: Shape) -> NDArray[np.float64]:
    """Logarithms of the bounds of time constants in ms."""
    return np.log(np.asarray(TAU_STEPS) * shape.step_ms)


def first_steps(raster: NDArray) -> NDArray[np.float32]:
    """Find the step of each line's first spike, (trial, line); the number of steps where silent.

    Args:
        raster: (trial, step, line).
    """
    first_spike_steps = np.where(raster.any(axis=1), raster.argmax(axis=1), raster.shape[1])
    return first_spike_steps.astype(np.float32)


def kernel(shape: Shape) -> NDArray[np.float64]:
    """Compute the share of each step's message in the mean readout of the answer, (step,).

    Those before the answer have it in a readout that is not reset.
    """
    decay, step = np.exp(-shape.step_ms / READOUT_TAU_MS), np.arange(shape.n_steps)
    counted_from = np.maximum(step, shape.n_steps - shape.answer_steps)
    decay_sums = decay ** (counted_from - step) - decay ** (shape.n_steps - step)
    return decay_sums / (1 - decay) / shape.answer_steps


def run(
    recipe: Recipe,
    shape: Shape,
    arrays: Arrays,
    network_input: Any,
    least_change: float | None = None,
    early_share: Any = 0.0,
) -> tuple[Any, Any]:
    """Run a network; logits and messages.

    Args:
        recipe: What it is.
        shape: What the task fixes.
        arrays: As from `initial`.
        network_input: Raster (step, trial, line); for static units `first_steps`.
        least_change: A sigmoid or gated unit sends its state anew when it has changed by more;
            receivers hold the last one until then. None: it is sent in every step.
        early_share: Share of the readout's state that its reset leaves when the answer begins.

    Returns:
        Logits (trial, class), and the message of each unit that others hold, (step, trial, unit).
    """
    if recipe.kind == "static":
        centred = (network_input - arrays["centre"]) / arrays["scale"]
        messages = jax.nn.relu(product(centred, arrays["input"]) + arrays["bias"])[None]
        readout_input = messages[0]
    else:
        messages = (_run_leaky_layer if recipe.leaky else _run_gated_layer)(
            recipe, shape, arrays, network_input, least_change
        )
        shares, answer_start = kernel(shape).astype(np.float32), shape.n_steps - shape.answer_steps
        if recipe.kind == "gru":
            shares = shares / shares[answer_start:].sum()
        # Sums, not products: XLA would leave those to Eigen.
        readout_input = (shares[answer_start:, None, None] * messages[answer_start:]).sum(axis=0)
        if answer_start:
            readout_input += early_share * (
                shares[:answer_start, None, None] * messages[:answer_start]
            ).sum(axis=0)
    return product(readout_input, arrays["out"]) + arrays["out_bias"], messages


def to_pay(recipe: Recipe, messages: Any) -> Any:
    """Compute what the spike penalty multiplies: messages of a trial, or changes of state.

    It is a mean over trials.

    Args:
        recipe: What the network is.
        messages: From `run`.
    """
    if recipe.kind in UNCEASING:
        messages = jnp.abs(jnp.diff(messages, axis=0))
    return messages.sum() / messages.shape[1]


UNCEASING = ("sigmoid", "gru")
"""Kinds of units whose messages never are zero."""
MESSAGES: Mapping[str, Callable[[Any], Any]] = {
    "spiking": spike(fast_sigmoid(SLOPE)),
    "rectified": jax.nn.relu,
    "sigmoid": lambda u: jax.nn.sigmoid(STEEPNESS * u),
}
"""Kind -> function from the potential above the threshold to the message."""


def _update_message(state: Any, message: Any, least_change: float | None) -> Any:
    return (
        state
        if least_change is None
        else jnp.where(abs(state - message) > least_change, state, message)
    )


def _advance_leaky(
    kind: str, least_change: float | None, decay: Any, carry: Any, unused_drive: Any, drive: Any
) -> Any:
    v, message = carry
    v = decay * v + drive
    if kind != "sigmoid":
        v = v - (stop_gradient(message) if kind == "spiking" else message)
    new_message = MESSAGES[kind](v - 1)
    return v, _update_message(
        new_message, message, least_change
    ) if kind == "sigmoid" else new_message


def _run_leaky_layer(
    recipe: Recipe, shape: Shape, arrays: Arrays, frames: Any, least_change: Any
) -> Any:
    decay = jnp.exp(-shape.step_ms / jnp.exp(arrays["log_tau"]))
    drive = product(frames, arrays["input"]) + (1 - decay) * arrays["bias"]
    # One for each trial: its derivative is then summed over trials once, not in every step.
    decay = jnp.broadcast_to(decay, drive.shape[1:])
    step = Step(partial(_advance_leaky, recipe.kind, least_change), recipe.n)
    return through_time(step, decay, arrays.get("state"), drive)


def _advance_gated(
    n_units: int,
    least_change: float | None,
    unused_params: Any,
    carry: Any,
    candidate_input: Any,
    drive: Any,
) -> Any:
    h, message = carry
    gates = jax.nn.sigmoid(drive[:, : 2 * n_units])
    keep, reset = gates[:, :n_units], gates[:, n_units:]
    h = keep * h + (1 - keep) * jnp.tanh(candidate_input + reset * drive[:, 2 * n_units :])
    return h, _update_message(h, message, least_change)


def _run_gated_layer(
    recipe: Recipe, shape: Shape, arrays: Arrays, frames: Any, least_change: Any
) -> Any:
    n_units = recipe.n
    drive = product(frames, arrays["input"]) + arrays["bias"]
    state_bias = jnp.broadcast_to(arrays["state_bias"], (*drive.shape[:2], n_units))
    drive = jnp.concatenate([drive, state_bias], axis=2)
    step = Step(partial(_advance_gated, n_units, least_change), n_units)
    return through_time(step, jnp.zeros(()), arrays["state"], drive)


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a layer, for `through_time`.

    Attributes:
        advance: (step_params, (state, message), first_drive, drive) -> (state, message) after the
            step, each (trial, unit); `drive` holds the columns that recurrent messages are added
            to, `first_drive` the columns before them.
        n: Units.
    """

    advance: Callable[..., Any]
    n: int


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def through_time(step: Step, step_params: Any, w_rec: Any, drive: Any) -> Any:
    """Run a layer that receives its own messages; these are (step, trial, unit).

    Its recurrent weights get their gradient as one product over all steps, not step by step.

    Args:
        step: What happens in a step.
        step_params: Parameters of `advance`, differentiable.
        w_rec: Recurrent weights (unit, column), added to the last columns of the drive; None: none.
        drive: (step, trial, column).
    """
    return _scan_steps(step, w_rec, step_params, drive)[0]


def _scan_steps(step: Step, w_rec: Any, step_params: Any, drive: Any) -> tuple[Any, Any]:
    """Run all steps; messages sent, and messages received in each step."""
    i_first_recurrent = 0 if w_rec is None else drive.shape[2] - w_rec.shape[1]

    def run_step(carry: Any, step_drive: Any) -> Any:
        total_drive = (
            step_drive[:, i_first_recurrent:]
            if w_rec is None
            else step_drive[:, i_first_recurrent:] + carry[1] @ w_rec
        )
        new_carry = step.advance(step_params, carry, step_drive[:, :i_first_recurrent], total_drive)
        return new_carry, (new_carry[1], carry[1])

    zeros = jnp.zeros((drive.shape[1], step.n), drive.dtype)
    return jax.lax.scan(run_step, (zeros, zeros), drive)[1]


def _forward(step: Step, step_params: Any, w_rec: Any, drive: Any) -> Any:
    messages, vjp_steps, received_messages = jax.vjp(
        partial(_scan_steps, step, w_rec), step_params, drive, has_aux=True
    )
    return messages, (vjp_steps, received_messages, w_rec)


def _backward(step: Step, residuals: Any, g_messages: Any) -> Any:
    vjp_steps, received_messages, w_rec = residuals
    g_params, g_drive = vjp_steps(g_messages)
    if w_rec is None:
        return g_params, None, g_drive
    g_recurrent = g_drive[..., -w_rec.shape[1] :].reshape(-1, w_rec.shape[1])
    return g_params, over_rows(received_messages.reshape(-1, step.n), g_recurrent), g_drive


through_time.defvjp(_forward, _backward)
