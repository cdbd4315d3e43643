"""Imperfect substrates: what they do to a network, with and without learning on them.

Each distortion is a `Condition`. `unadapted` is the network as trained on the ideal substrate;
`retrained` has, for each distortion, weights that were trained further with the distortion in the
forward pass; `sham` was trained further as long, on the ideal substrate. All are evaluated under
the same distortions in Brian2 (README, section 6).
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import perturb
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import (
    Binding,
    Condition,
    Network,
    Params,
    Parents,
    Progress,
    Stimulus,
    Task,
)
from whyspiking.talks.goeltz import model
from whyspiking.talks.goeltz.model import Weights
from whyspiking.talks.goeltz.networks import (
    decode,
    evaluate,
    make_task,
    reference_first_ms,
    to_brian,
)
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.first_spike import compiled

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian",
    "train", "vary",
]  # fmt: skip

LAYERS = ("hidden", "output")
UNEVEN = ("tau_spread", "tau_shift")
"""Perturbations of which a substrate has time constants of its own."""
FIXED_POINT = ("fixed_point", "fixed_point_wide")
"""Weights of few bits within an absolute range, `params.limits`."""


@dataclass(frozen=True)
class DistortedBinding(Binding):
    """A binding that also knows the network's forms for each distortion.

    Attributes:
        weights: Ideal weights.
        forms: Name of a distortion -> arrays `w_hidden`, `w_output` (where retrained) and
            `tau_m_hidden`, ... (where time constants spread).
    """

    weights: Weights = field(default=(np.zeros(0), np.zeros(0)))
    forms: Mapping[str, Mapping[str, NDArray]] = field(default_factory=dict)


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """The parent on substrates of its own: as it is, or trained further on each of them."""
    (parent,) = parents.values()
    if variant == "retrained":
        return retrain(params, streams, parent, progress)
    if variant == "sham":
        return sham(params, streams, parent, progress)
    return unadapted(params, streams, parent)


def conditions(params: Params) -> list[Condition]:
    """All distortions, several draws where they are random at every spike."""
    found = [Condition("quantise", "weights", float(bits)) for bits in params.bits]
    found += [Condition("clip", "weights", float(share)) for share in params.ranges]
    found += [Condition("tau_spread", "neurons", float(sd)) for sd in params.tau_spreads]
    for locus in ("input", "hidden"):
        for sd in params.jitters:
            found += [
                Condition("jitter", locus, float(sd), draw) for draw in range(params.jitter_draws)
            ]
    return found


def name_of(condition: Condition) -> str:
    """Key of a distortion among the arrays of a network."""
    return f"{condition.perturbation}.{condition.locus}.{condition.strength:g}"


def taus_of(
    params: Params, condition: Condition, streams: Streams, chip: str = ""
) -> dict[str, NDArray]:
    """Time constants of a substrate: of each neuron drawn independently, or all off alike.

    Args:
        params: Parameters of the experiment.
        condition: `tau_spread`: one realisation of uneven neurons, the strength being the relative
            standard deviation; `tau_shift`: all have tau_m = strength x nominal.
        streams: The same seed gives the same neurons, whichever variant asks.
        chip: Another name gives another realisation.

    Returns:
        `tau_m_hidden`, `tau_s_hidden`, `tau_m_output`, `tau_s_output`, in units of tau_s.
    """
    rng = streams.rng(f"substrate {name_of(condition)}{chip}")
    sizes = {"hidden": params.n_hidden, "output": params.n_output}
    if condition.perturbation == "tau_shift":
        return {
            f"{tau}_{layer}": np.full(sizes[layer], shift)
            for layer in LAYERS
            for tau, shift in (("tau_m", condition.strength * params.tau_ratio), ("tau_s", 1.0))
        }
    return {
        f"{tau}_{layer}": perturb.mismatch(np.full(sizes[layer], nominal), condition.strength, rng)
        for layer in LAYERS
        for tau, nominal in (("tau_m", float(params.tau_ratio)), ("tau_s", 1.0))
    }


def unadapted(
    params: Params, streams: Streams, parent: Network, planned: Sequence[Condition] | None = None
) -> Network:
    """The parent as it is, on substrates of its own; `planned` are by default `conditions`."""
    arrays = {name: parent.arrays[name] for name in ("w_hidden", "w_output")}
    for condition in conditions(params) if planned is None else planned:
        if condition.perturbation in UNEVEN:
            arrays |= _named(condition, taus_of(params, condition, streams))
    return Network(arrays=arrays, info={"engine": compiled.NAME, "epochs": 0})


def sham(params: Params, streams: Streams, parent: Network, progress: Progress) -> Network:
    """The parent trained further on the ideal substrate: the epochs of `retrain` without a cause.

    What it gains under a distortion is due to longer training, not to learning with it.
    """
    from whyspiking.talks.goeltz import learning

    start = model.weights_of(parent)
    ideal = learning.Distortion()
    trained = learning.train(
        params, streams, progress, start=start, distortion=ideal, purpose=" sham"
    )
    network = unadapted(params, streams, trained)
    network.history, network.info = trained.history, trained.info
    return network


def retrain(params: Params, streams: Streams, parent: Network, progress: Progress) -> Network:
    """Train the parent, trained on the ideal substrate, further on each of the others."""
    network = unadapted(params, streams, parent)
    start = model.weights_of(parent)
    return on_each(params, streams, network, conditions(params), start, progress)


def on_each(
    params: Params,
    streams: Streams,
    network: Network,
    conditions: Sequence[Condition],
    start: Weights | None,
    progress: Progress,
) -> Network:
    """Train on every substrate, and add what was learned there to the network.

    Args:
        params: Parameters of the experiment.
        streams: Randomness of the trainings.
        network: From `unadapted`; it is changed.
        conditions: The substrates; of several draws the first counts.
        start: Weights to start from; None: from scratch.
        progress: Called after every epoch.
    """
    from whyspiking.talks.goeltz import learning

    planned = [condition for condition in conditions if condition.draw == 0]
    ideal = model.weights_of(network)
    seconds = 0.0
    kept = Checkpoint(network, name="conditions")
    left, seconds = kept.resume(range(len(planned)), seconds, progress)
    for index in left:
        kept.keep(index, seconds)
        condition, began = planned[index], time.process_time()
        name = name_of(condition)
        noise = streams.rng(f"retraining {name}")
        distortion = _learning_distortion(params, condition, network, ideal, noise)

        def told(share: float, news: str, done: int = index, name: str = name) -> None:
            progress((done + share) / len(planned), f"{name}: {news}")

        trained = learning.train(
            params, streams, told, start=start, distortion=distortion, purpose=f" {name}"
        )
        weights = model.weights_of(trained)
        held = distortion.weights(weights)
        network.arrays |= _named(condition, dict(zip(("w_hidden", "w_output"), held, strict=True)))
        for row in trained.history:
            network.history.append({**row, "metric": f"{name}.{row['metric']}"})
        seconds += time.process_time() - began
    epochs = params.epochs * len(planned)
    network.info |= {
        "epochs": epochs,
        "epoch_seconds": seconds / epochs,
        "retrained": [name_of(condition) for condition in planned],
    }
    return network


def bind(params: Params, network: Network) -> DistortedBinding:
    """Place a network into the Brian2 model, together with its forms for each distortion."""
    weights = model.weights_of(network)
    ideal = model.bind(params, network)
    forms: dict[str, dict[str, NDArray]] = {}
    for key, array in network.arrays.items():
        name, _, entry = key.rpartition("/")
        if name:
            forms.setdefault(name, {})[entry] = array
    return DistortedBinding(ideal.values, ideal.layers, weights, forms)


def vary(
    params: Params, condition: Condition, task: Task, binding: Binding, rng: np.random.Generator
) -> tuple[Task, Binding]:
    """Task and binding under one distortion.

    Retrained networks bring their own weights for it; others get the distortion of their ideal
    weights. `rng` draws the jitter.
    """
    if not isinstance(binding, DistortedBinding):
        raise TypeError("distortions need the binding that `bind` made")
    form = binding.forms.get(name_of(condition), {})
    if "w_hidden" in form:
        weights = (form["w_hidden"], form["w_output"])
    else:
        weights = distorted_weights(
            condition, binding.weights, binding.weights, params.values.get("limits")
        )
    values = model.values(params, weights)
    if condition.perturbation in UNEVEN:
        for layer in LAYERS:
            for tau in ("tau_m", "tau_s"):
                values[f"{layer}.{tau}"] = form[f"{tau}_{layer}"] * params.tau_s_ms * 1e-3
    if condition.perturbation == "jitter":
        spikes = dict(task.stimulus.spikes)
        if condition.locus == "input":
            first = spikes["input"].first_ms()
            moved = jittered(first[:, : params.n_input], condition.strength * params.tau_s_ms, rng)
            first[:, : params.n_input] = moved
            spikes["input"] = Spikes.from_first_spikes(first, params.trial_ms)
        else:
            # Hidden spikes are computed in closed form, moved, and replayed in place of the layer.
            hidden = model.forward_pass(params, weights, task).hidden.times * params.tau_s_ms
            moved = jittered(hidden, condition.strength * params.tau_s_ms, rng)
            spikes["hidden_replay"] = Spikes.from_first_spikes(moved, params.trial_ms)
            values["hidden.v_th"] = 1e9
        task = replace(task, stimulus=Stimulus(spikes=spikes, arrays=task.stimulus.arrays))
    return task, replace(binding, values=values)


def distorted_weights(
    condition: Condition,
    weights: Weights,
    ideal: Weights,
    limits: Mapping[str, float] | None = None,
) -> Weights:
    """Weights as the substrate holds them; its range is absolute or fixed by the ideal network.

    Args:
        condition: `quantise` (bits per weight: 2^bits - 1 evenly spaced values up to the largest
            ideal weight of the layer), one of `FIXED_POINT` (as many up to the same absolute limit
            in both layers) or `clip` (limit as share of the largest ideal weight); other
            distortions leave weights alone.
        weights: Weights that are learned.
        ideal: Weights that fix the range, layer by layer.
        limits: Absolute limits by the name of the condition.
    """
    held = limited(condition, weights, ideal, limits)
    if condition.perturbation not in ("quantise", *FIXED_POINT):
        return held
    n_steps = 2 ** (int(condition.strength) - 1) - 1
    steps = [limit / n_steps for limit in _limits(condition, ideal, limits)]
    hidden, output = (np.round(w / s) * w.dtype.type(s) for w, s in zip(held, steps, strict=True))
    return hidden, output


def limited(
    condition: Condition,
    weights: Weights,
    ideal: Weights,
    limits: Mapping[str, float] | None = None,
) -> Weights:
    """Weights within the range of the substrate, as the published code keeps them."""
    if condition.perturbation not in ("quantise", "clip", *FIXED_POINT):
        return weights
    layers = zip(weights, _limits(condition, ideal, limits), strict=True)
    hidden, output = (np.clip(w, -limit, limit) for w, limit in layers)
    return hidden, output


def _limits(
    condition: Condition, ideal: Weights, limits: Mapping[str, float] | None
) -> list[float]:
    """Largest weight of each layer that the substrate can hold."""
    if condition.perturbation in FIXED_POINT:
        return [(limits or {})[condition.perturbation]] * len(ideal)
    share = condition.strength if condition.perturbation == "clip" else 1.0
    return [share * _peak(weights) for weights in ideal]


def _peak(weights: NDArray) -> float:
    return float(np.abs(weights).max())


def jittered(times: NDArray, sd: float, rng: np.random.Generator) -> NDArray:
    """Move spike times by Gaussian noise, reflected at 0; silent neurons stay silent."""
    noise = rng.standard_normal(times.shape, np.float32).astype(times.dtype)
    return np.abs(times + times.dtype.type(sd) * noise)


def _learning_distortion(
    params: Params, condition: Condition, network: Network, ideal: Weights, rng: np.random.Generator
):
    from whyspiking.talks.goeltz.learning import Distortion

    def moved(times: NDArray) -> NDArray:
        return jittered(times, condition.strength, rng)

    if condition.perturbation in UNEVEN:
        prefix = f"{name_of(condition)}/"
        taus = {
            k.removeprefix(prefix): v for k, v in network.arrays.items() if k.startswith(prefix)
        }
        return Distortion(substrate=model.uneven_substrate(params, taus))
    if condition.perturbation == "jitter" and condition.locus == "input":
        return Distortion(input_times=moved, noise=rng)
    if condition.perturbation == "jitter":
        return Distortion(substrate=model.ideal_substrate(params, jitter=moved), noise=rng)
    limits = params.values.get("limits")
    return Distortion(
        weights=lambda weights: distorted_weights(condition, weights, ideal, limits),
        limit=lambda weights: limited(condition, weights, ideal, limits),
    )


def _named(condition: Condition, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    return {f"{name_of(condition)}/{key}": array for key, array in arrays.items()}
