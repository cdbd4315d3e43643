"""Learning a movement from one demonstration (README, section 7), trained in JAX.

A learning network (LN) draws a trajectory; a second one (LSG) sees the demonstration and the LN's
spikes and sends a learning signal to every neuron of the LN. One update follows the demonstration.
The outer loop optimises, over a family of tasks, where the LN starts and what the LSG sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.errors import unknown_variant
from whyspiking.talks.scherr import model, oneshot_brian, oneshot_task
from whyspiking.talks.scherr.descent import descend
from whyspiking.talks.scherr.oneshot_brian import to_brian
from whyspiking.talks.scherr.oneshot_task import N_OUT, make_task
from whyspiking.training.history import History

__all__ = ["bind", "decode", "evaluate", "make_task", "to_brian", "train"]

ENGINE = "jax"
SIGNALS = {
    "spiking": "generator", "error": "error", "filtered": "filtered error",
    "plain": "error",
}  # fmt: skip
"""Variant -> where the learning signal comes from; "filtered": eligibilities are (Eq. 8)."""


def initial(params: ct.Params, streams: Streams) -> dict[str, NDArray[np.float32]]:
    """Weights of both networks ~ N(0, gain^2 / number of sources of a kind); no autapses."""
    rng = streams.rng("init")
    n, m = params.n_learner, params.n_generator
    arrays = {
        "w": model.sources(rng, params.n_in, n, params.start_gain),
        "w_out": rng.normal(0, 1 / np.sqrt(n), (n, N_OUT)),
        "generator": model.sources(rng, n, m),
        "generator_target": rng.normal(0, 0.5, (N_OUT, m)),
        "generator_out": rng.normal(0, 1 / np.sqrt(m), (m, n)),
        "log_rate": np.array(np.log(params.inner_rate)),
    }
    return {name: np.asarray(x, np.float32) for name, x in arrays.items()}


def spikes_and_slopes(params: ct.Params) -> tuple[Any, Any]:
    """Make functions of v - v_th: the spike, whose derivative is psi (Eq. 4), and psi."""
    import jax
    import jax.numpy as jnp

    @jax.custom_jvp
    def spike(v_minus_threshold: Any) -> Any:
        return (v_minus_threshold > 0).astype(v_minus_threshold.dtype)

    @spike.defjvp
    def _(primals: Any, tangents: Any) -> Any:
        return spike(primals[0]), slope(primals[0]) * tangents[0]

    def slope(v_minus_threshold: Any) -> Any:
        return (
            params.gamma
            / params.v_th
            * jnp.maximum(0, 1 - jnp.abs(v_minus_threshold) / params.v_th)
        )

    return spike, slope


def trial_of(params: ct.Params, signal: str) -> Any:
    """Make a function that runs one trial of a batch of tasks.

    Args:
        params: Parameters of the experiment.
        signal: One of `SIGNALS`: whence the learning signal.

    Returns:
        (arrays, w (task, source, neuron), clock (step, channel), y* (step, task, 2)) -> outputs
        (step, task, 2), sum over the trial of Eq. 14 (task, source, neuron), mean rates per step of
        both networks (neuron,).
    """
    import jax
    import jax.numpy as jnp

    from whyspiking.training.products import over_rows, product

    alpha, kappa = oneshot_task.decays(params)
    (spike, slope), v_th = spikes_and_slopes(params), params.v_th

    def run(arrays: Any, w: Any, clock: Any, demonstration: Any) -> Any:
        n_tasks = w.shape[0]
        n, m = params.n_learner, params.n_generator

        def step(carry: Any, inputs: Any) -> Any:
            v, z, previous_inputs, u, s, eps, y, signal_now = carry
            x, target = inputs
            sources = jnp.concatenate([previous_inputs, z], axis=1)
            v = alpha * v + jnp.einsum("bi,bij->bj", sources, w) - v_th * z
            eps = alpha * eps + sources
            v_minus_threshold = v - v_th
            z_now = spike(v_minus_threshold)
            y = kappa * y + product((1 - kappa) * z_now, arrays["w_out"])
            if signal == "generator":
                drive = product(jnp.concatenate([z, s], axis=1), arrays["generator"])
                u = alpha * u + drive + product(target, arrays["generator_target"]) - v_th * s
                s = spike(u - v_th)
                signal_now = kappa * signal_now + product((1 - kappa) * s, arrays["generator_out"])
            elif signal.endswith("error"):
                signal_now = product(y - target, arrays["w_out"].T)
            current_inputs = jnp.broadcast_to(x, previous_inputs.shape).astype(
                previous_inputs.dtype
            )
            recorded = y, z_now.mean(0), s.mean(0), eps, slope(v_minus_threshold), signal_now
            return (v, z_now, current_inputs, u, s, eps, y, signal_now), recorded

        zeros = jnp.zeros((n_tasks, n))
        start = (
            zeros, zeros, jnp.zeros((n_tasks, params.n_in)), jnp.zeros((n_tasks, m)),
            jnp.zeros((n_tasks, m)), jnp.zeros((n_tasks, params.n_in + n)),
            jnp.zeros((n_tasks, N_OUT)), zeros,
        )  # fmt: skip
        _, (y, z, s, eps, psi, learning_signal) = jax.lax.scan(step, start, (clock, demonstration))
        if signal.startswith("filtered"):
            # To filter eligibilities is to filter what they are multiplied by, from the end.
            learning_signal = jax.lax.scan(filter_backwards, zeros, learning_signal, reverse=True)[
                1
            ]
        return y, jax.vmap(over_rows, 1)(eps, learning_signal * psi), (z.mean(0), s.mean(0))

    def filter_backwards(filtered: Any, signal_now: Any) -> Any:
        filtered = kappa * filtered + (1 - kappa) * signal_now
        return filtered, filtered

    return run


def both_trials(params: ct.Params, signal: str) -> Any:
    """Make a function that shows one demonstration, updates once, and tests.

    Returns:
        (arrays, clock, y* (step, task, 2)) -> outputs of the demonstration and of the test
        (step, task, 2), and the mean rates of the demonstration.
    """
    import jax.numpy as jnp

    run = trial_of(params, signal)
    # The test needs no learning signal, but costs the same in the outer gradient without it.
    test = trial_of(params, "none")
    i_neuron = np.arange(params.n_learner)
    plastic = np.ones((params.n_in + params.n_learner, params.n_learner), np.float32)
    plastic[params.n_in + i_neuron, i_neuron] = 0.0

    def run_both(arrays: Any, clock: Any, targets: Any) -> Any:
        n_tasks = targets.shape[1]
        w = jnp.broadcast_to(arrays["w"], (n_tasks, *arrays["w"].shape))
        outputs_before, total, rates = run(arrays, w, clock, targets)
        w = w - jnp.exp(arrays["log_rate"]) * total * plastic
        outputs_after, _, rates_after = test(arrays, w, clock, jnp.zeros_like(targets))
        return outputs_before, outputs_after, (rates, rates_after)

    return run_both


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """Train one variant."""
    if variant not in SIGNALS:
        raise unknown_variant(params.talk, params.experiment, variant)
    if variant == "plain":
        return as_drawn(params, streams)
    return optimise(params, variant, streams, progress)


def optimise(
    params: ct.Params, variant: str, streams: Streams, progress: ct.Progress
) -> ct.Network:
    """Optimise start, readout, step size and, where it teaches, generator over the family of tasks.

    Args:
        params: Parameters of the experiment.
        variant: Says whence the learning signal comes.
        streams: Randomness: "init", "tasks-train", "tasks-validation".
        progress: Called every ten outer iterations.
    """
    import jax.numpy as jnp
    import optax

    clock = jnp.asarray(oneshot_task.clock(params), jnp.float32)
    signal = SIGNALS[variant]
    run_both = both_trials(params, signal)
    target_rate = params.target_hz * params.dt_ms / 1000
    start_arrays, history, n = initial(params, streams), History(), params.outer_iterations
    # Autapses stay away.
    masks = {name: (start_arrays[name] != 0).astype(np.float32) for name in ("w", "generator")}

    def loss(arrays: Any, targets: Any) -> Any:
        _, outputs_after, rates = run_both(arrays, clock, targets)
        error = ((outputs_after - targets) ** 2).sum() / ((targets - targets.mean(0)) ** 2).sum()
        cost = sum(
            ((r - target_rate) ** 2).mean() for population_rates in rates for r in population_rates
        )
        return error + params.rate_cost * cost, error

    def mask_gradients(gradients: Any, arrays: Any) -> Any:
        return {name: slope * masks.get(name, 1.0) for name, slope in gradients.items()}

    def draw(rng: np.random.Generator) -> tuple[NDArray]:
        targets = oneshot_task.draw(params, rng, params.batch).swapaxes(0, 1)
        return (targets.astype(np.float32),)

    def note(iteration: int, value: Any, error: Any) -> None:
        if iteration % 10 == 9 or iteration + 1 == n:
            history.note(iteration + 1, nmse=float(error))
            progress((iteration + 1) / n, f"{iteration + 1}: {float(error):.3f}")

    optimiser = optax.chain(
        optax.stateless(mask_gradients),
        optax.clip_by_global_norm(1.0),
        optax.adam(optax.cosine_decay_schedule(params.outer_rate, n)),
    )
    arrays = descend(
        loss, optimiser, start_arrays, draw, streams.rng("tasks-train"), n, note, history, progress,
        unit="outer iteration", rate=params.outer_rate,
    )  # fmt: skip
    return ct.Network(
        arrays=arrays,
        info={
            "engine": ENGINE,
            "variant": variant,
            "epochs": n,
            "step_size": float(np.exp(arrays["log_rate"])),
            "validation_nmse": validation_error(params, arrays, signal, streams),
        },
        history=history.rows,
    )


def as_drawn(params: ct.Params, streams: Streams) -> ct.Network:
    """Choose the best step size of e-prop with the weights as drawn, on validation tasks.

    Args:
        params: `error_rates`: the step sizes to choose from.
        streams: Randomness: "init", "tasks-validation".
    """
    arrays, errors = initial(params, streams), {}
    for rate in params.error_rates:
        arrays_at_rate = {**arrays, "log_rate": np.asarray(np.log(rate), np.float32)}
        errors[rate] = validation_error(params, arrays_at_rate, "error", streams)
    best = min(errors, key=lambda rate: errors[rate])
    return ct.Network(
        arrays={**arrays, "log_rate": np.asarray(np.log(best), np.float32)},
        info={
            "engine": ENGINE,
            "variant": "plain",
            "step_size": best,
            "validation_nmse": errors[best],
        },
    )


def validation_error(
    params: ct.Params, arrays: Mapping[str, NDArray], signal: str, streams: Streams
) -> float:
    """Compute the error after one demonstration of tasks that serve for choices only."""
    tasks = oneshot_task.draw(params, streams.rng("tasks-validation"), params.n_validation)
    _, outputs_after = demonstrate(params, arrays, signal, tasks)
    return oneshot_task.nmse(outputs_after, tasks)


def demonstrate(
    params: ct.Params, arrays: Mapping[str, NDArray], signal: str, tasks: NDArray
) -> tuple[NDArray, NDArray]:
    """Outputs (task, step, 2) during the demonstration and after the one update.

    Args:
        params: Parameters of the experiment.
        arrays: Weights.
        signal: See `trial_of`.
        tasks: y*, (task, step, 2).
    """
    import jax
    import jax.numpy as jnp

    dtype = arrays["w"].dtype
    clock = jnp.asarray(oneshot_task.clock(params), dtype)
    run = jax.jit(both_trials(params, signal))
    targets = np.asarray(tasks, dtype).swapaxes(0, 1)
    outputs_before, outputs_after, _ = run(
        {k: jnp.asarray(v) for k, v in arrays.items()}, clock, targets
    )
    return np.asarray(outputs_before).swapaxes(0, 1), np.asarray(outputs_after).swapaxes(0, 1)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Traces:
    """Run the network on one demonstration of unseen tasks."""
    signal = SIGNALS[network.info["variant"]]
    _, outputs_after = demonstrate(params, network.arrays, signal, task.targets)
    return ct.Traces(outputs=outputs_after.astype(float), targets=task.targets, dt_ms=params.dt_ms)


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure."""
    return oneshot_brian.bind(params, network.arrays, SIGNALS[network.info["variant"]])


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Traces:
    """Return the output after the demonstration."""
    outputs = recording.traces["output"][:, oneshot_task.n_steps(params) :]
    return ct.Traces(outputs=outputs, targets=task.targets, dt_ms=params.dt_ms)
