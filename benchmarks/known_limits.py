"""Recompute what the shared tasks do not show: `python benchmarks/known_limits.py [FINDING]`.

Every finding is one that docs/known-limits.md names, and takes a minute of CPU time at most. It is
measured on the test sets of the recorded networks; what stands beside it as recorded is read from
results/reference/shared.csv. Nothing was chosen on these: rules follow from the definition of the
task, controls have the settings of the record, and those of the leaky neurons (RATE, GAIN and the
readout) were chosen on validation data of seeds 1000 to 1002, which no run has.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from whyspiking import arithmetic

arithmetic.settle()

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Params, Split
from whyspiking.datasets import shared
from whyspiking.datasets.delayed_match import CUE_GROUPS, FIRING, Settings
from whyspiking.declared import registry
from whyspiking.export.networks import configured
from whyspiking.records import columns, reference, tables
from whyspiking.training import controls, gradient, gru, surrogates

type Lines = Iterator[str]

WITH_SPIKES = {"kind": "method", "role": ["spiking", "ablation"]}
"""Rows of shared.csv of which the best is meant."""
RECORDED = {
    "best network with spikes": WITH_SPIKES,
    "bohte's": {"kind": "method", "talk": "bohte"},
    "GRU": {"kind": "control", "variant": "gru"},
}
PER_GROUP = Settings.n_per_group
RATE, GAIN, BATCH, CLIP_NORM = 0.03, 1.0, 50, 1.0
TAU_OUT_MS = 20.0
SPIKE = surrogates.spike(surrogates.fast_sigmoid(5.0))


def of_seeds(talk: str, experiment: str, variant: str | None = None) -> list[Params]:
    """Parameters of an experiment as recorded, one for each seed."""
    described, config = registry.load_talk(talk).experiments[experiment], configured("full")
    seeds = registry.seeds(described, config, variant)
    return [registry.params(described, config, seed, variant) for seed in seeds]


def line(
    task: str, what: str, right: Sequence[float], beside: Mapping[str, Any], at: float = math.nan
) -> str:
    """Mean accuracy and that of every seed, beside the best recorded mean of some rows."""
    table = reference.table(reference.FOLDER / "shared.csv", columns.SHARED)
    had = {
        name: tables.where(table, task=task, at=[at], **rows)["accuracy"].max()
        for name, rows in beside.items()
    }
    title = task.replace("_", " ") + ("" if math.isnan(at) else f", {at:g} ms")
    each = " ".join(f"{100 * x:.1f}" for x in right)
    told = ", ".join(f"{name} {100 * x:.1f} %" for name, x in had.items())
    return f"{title}: {what}: {100 * np.mean(right):.1f} % (seeds: {each}); recorded: {told}"


# ---- delayed match without training -------------------------------------------------------------


def match(what: str, rule: Callable[[Spikes], NDArray]) -> Lines:
    """What a rule that is not trained reaches; it tells from the spikes which cues differ."""
    for delay in (100.0, 200.0):
        right = []
        for params in of_seeds("bohte", f"shared_match_{delay:g}"):
            spikes, classes = shared.trials(params, "test", params.n_test)
            right.append(float((rule(spikes) == classes).mean()))
        yield line("delayed_match", what, right, RECORDED, delay)


def more_than_one_cue(spikes: Spikes) -> NDArray:
    """Whether more inputs fired, at whatever time, than one cue has."""
    fired = spikes.counts()[:, : CUE_GROUPS * PER_GROUP] > 0
    return fired.sum(axis=1) > FIRING * PER_GROUP


def six_neurons(spikes: Spikes) -> NDArray:
    """Six leaky neurons, one a group of cue inputs: each fires once if its group came twice."""
    frames = gru.frames_of(spikes, shared.STEP_MS)[:, :, : CUE_GROUPS * PER_GROUP]
    v, fired = np.zeros((2, spikes.n_trials, CUE_GROUPS))
    for now in frames.reshape(*frames.shape[:2], CUE_GROUPS, PER_GROUP).sum(axis=-1):
        v = v * np.exp(-shared.STEP_MS / 500.0) + now
        above = v > PER_GROUP
        v, fired = v - PER_GROUP * above, fired + above
    return fired.sum(axis=1) < FIRING


# ---- the control, its inputs centred ------------------------------------------------------------


def centred() -> Lines:
    """ReLU networks as recorded, and the same on inputs of mean 0 and standard deviation 1."""
    for task, talk, variant in (("randman", "bohte", "mlp"), ("yinyang", "goeltz", "mlp_at_50")):
        seeds = of_seeds(talk, f"shared_{task}", variant)
        for how in ("as recorded", "inputs centred and scaled"):
            right = [relu(params, how != "as recorded") for params in seeds]
            beside = {"these": {"variant": variant}, "best network with spikes": WITH_SPIKES}
            yield line(task, f"{seeds[0].n_hidden} ReLU units, {how}", right, beside)


def relu(params: Params, scaled: bool) -> float:
    """Accuracy of a control, trained with the settings of the record."""
    training, test = shared.latencies(params, "train"), shared.latencies(params, "test")
    assert training is not None and test is not None
    mean, sd = training.features.mean(axis=0), training.features.std(axis=0)
    shift, scale = (mean, sd) if scaled else (0.0, 1.0)
    network = controls.train(
        [params.n_input, params.n_hidden, params.n_output],
        ((training.features - shift) / scale, training.classes),
        None,
        epochs=params.control_epochs,
        batch=params.control_batch,
        learning_rate=params.control_learning_rate,
        input_noise=0.0,
        streams=Streams(params.seed),
        progress=lambda *_: None,
    )
    choices = controls.choose(network.arrays, (test.features - shift) / scale)
    return float((choices == test.classes).mean())


# ---- leaky neurons without recurrent weights, trained -------------------------------------------


def leaky(experiment: str, tau_ms: tuple[float, float], task: str, at: float = math.nan) -> Lines:
    """One layer in place of that of bohte: its loop, size, data and presentations."""
    seeds = of_seeds("bohte", experiment)
    loss = partial(cross_entropy, seeds[0])
    right, spikes = zip(*(trained(params, tau_ms, loss) for params in seeds), strict=True)
    what = f"{seeds[0].n_hidden} leaky neurons, {np.mean(spikes):.0f} spikes a trial"
    yield line(task, what, right, RECORDED, at)


def trained(
    params: Params, tau_ms: tuple[float, float], loss: gradient.Loss
) -> tuple[float, float]:
    """Accuracy on the test set and spikes a trial of one network, of the best epoch."""
    rng, n, (least, most) = Streams(params.seed).rng("init"), params.n_hidden, np.log(tau_ms)
    arrays = {
        "w_in": rng.normal(0, GAIN / np.sqrt(params.n_input), (params.n_input, n)),
        "log_tau": rng.uniform(least, most, n),
        "w_out": rng.normal(0, 1 / np.sqrt(n), (n, params.n_output)),
        "b_out": np.zeros(params.n_output),
    }
    fresh = shared.delayed(params)
    epochs = -(-params.n_train // shared.CHUNK) if fresh else params.epochs
    validation, run = trials(params, "validation"), jax.jit(partial(outputs, params))

    def accuracy(arrays: Any, shown: gradient.Data) -> float:
        return float((run(arrays, shown["x"])[0].argmax(axis=1) == shown["labels"]).mean())

    fitted = gradient.fit(
        {name: array.astype(np.float32) for name, array in arrays.items()},
        loss,
        partial(chunk, params) if fresh else trials(params, "train"),
        gradient.Settings(epochs, BATCH, RATE, CLIP_NORM, "accuracy", dict.fromkeys(arrays, 1.0)),
        judge=lambda arrays: {"accuracy": accuracy(arrays, validation)},
        shuffle=Streams(params.seed).rng("shuffle"),
        progress=lambda *_: None,
    )
    test = trials(params, "test")
    spikes = float(run(fitted.arrays, test["x"])[1].sum()) / len(test["labels"])
    return accuracy(fitted.arrays, test), spikes


def trials(params: Params, split: Split) -> gradient.Data:
    """Trials of a split, as the network of bohte is told them."""
    step_ms, trial_ms = params.step_ms, params.n_steps * params.step_ms
    task = shared.task_on_steps(params, split, step_ms=step_ms, trial_ms=trial_ms)
    assert task is not None
    return raster(params, task.stimulus.spikes["input"], task.targets)


def chunk(params: Params, epoch: int) -> gradient.Data:
    """Training trials of delayed match: each is shown once, and a chunk is an epoch."""
    return raster(params, *next(shared.training_trials(params, epoch - 1)))


def raster(params: Params, spikes: Spikes, classes: NDArray) -> gradient.Data:
    """What fires in each step, (trial, step, input), and the classes."""
    shown = spikes.raster(spikes.steps(params.step_ms), params.n_steps)
    return {"x": shown, "labels": classes.astype(np.int32)}


def outputs(params: Params, arrays: Any, x: Any) -> tuple[Any, Any]:
    """Mean leaky readout over the answer, (trial, class), and spikes, (step, trial, unit)."""
    keep = jnp.exp(-params.step_ms / jnp.exp(arrays["log_tau"]))
    drive = x.transpose(1, 0, 2).astype(jnp.float32) @ arrays["w_in"]

    def step(v: Any, now: Any) -> Any:
        v = keep * v + now
        fired = SPIKE(v - 1)
        return v - jax.lax.stop_gradient(fired), fired

    spikes = jax.lax.scan(step, jnp.zeros(drive.shape[1:]), drive)[1]
    age_ms = params.step_ms * np.subtract.outer(*[np.arange(params.n_steps)] * 2)
    left = np.where(age_ms >= 0, np.exp(-age_ms / TAU_OUT_MS), 0)[params.n_unscored :].mean(axis=0)
    return jnp.tensordot(left, spikes, 1) @ arrays["w_out"] + arrays["b_out"], spikes


def cross_entropy(params: Params, arrays: Any, batch: Any) -> Any:
    """What the leaky neurons minimise."""
    output, labels = outputs(params, arrays, batch["x"])[0], batch["labels"]
    return optax.softmax_cross_entropy_with_integer_labels(output, labels).mean(), {}


SECONDS = (200.0, 2000.0)
FINDINGS: dict[str, Callable[[], Lines]] = {
    "presence": partial(match, "more cue inputs fired than one cue has", more_than_one_cue),
    "by-hand": partial(match, "six leaky neurons set by hand", six_neurons),
    "centred": centred,
    "leaky-100": partial(leaky, "shared_match_100", SECONDS, "delayed_match", 100.0),
    "leaky-200": partial(leaky, "shared_match_200", SECONDS, "delayed_match", 200.0),
    "leaky-distinctness": partial(leaky, "shared_distinctness", (1.5, 10.0), "distinctness"),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Recompute what the shared tasks do not show.")
    parser.add_argument("finding", nargs="?", choices=FINDINGS, help="left out: lists them")
    asked = parser.parse_args().finding
    print(*(FINDINGS[asked]() if asked else FINDINGS), sep="\n")
