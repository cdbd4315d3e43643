"""Yin-Yang networks trained from scratch on imperfect substrates, as in the paper's Fig. 5.

`ideal` was trained on the ideal substrate, `sham` twice as long; `adapted` has, for each of the
`imperfections`, weights that were trained with it from the first epoch on; `elsewhere` was trained
on neurons with other time constants, those of another chip. All are evaluated on the same
substrates in Brian2.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.randomness import Streams
from whyspiking.contract.spikes import Spikes
from whyspiking.talks.goeltz import brian_network, imperfections, model, networks
from whyspiking.talks.goeltz.imperfections import LAYERS, UNEVEN, conditions, jittered, name_of
from whyspiking.talks.goeltz.model import Weights
from whyspiking.talks.goeltz.networks import decode, evaluate, reference_first_ms, to_brian
from whyspiking.training.checkpoint import Checkpoint
from whyspiking.training.first_spike import compiled

__all__ = [
    "bind", "conditions", "decode", "evaluate", "make_task", "reference_first_ms", "to_brian",
    "train", "vary",
]  # fmt: skip


@dataclass(frozen=True)
class SubstrateBinding(ct.Binding):
    """A binding that also knows the network's forms on each substrate.

    Attributes:
        weights: Ideal weights.
        forms: Name of an imperfection -> arrays `w_hidden`, `w_output` (where trained with it) and
            `tau_m_hidden`, ... (where neurons are uneven).
    """

    weights: Weights = ()
    forms: Mapping[str, Mapping[str, NDArray]] = field(default_factory=dict)


def make_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """Yin-Yang; no further points, since what is claimed are differences."""
    return None if split == "fresh" else networks.make_task(params, split, streams)


def train(
    params: ct.Params, variant: str, streams: Streams, parents: ct.Parents, progress: ct.Progress
) -> ct.Network:
    """A network of the published initialisation; see the module for the variants."""
    from whyspiking.talks.goeltz import learning, stepwise

    if variant == "adapted":
        (ideal,) = parents.values()
        return _train_on_each(
            params, streams, _add_uneven_neurons(params, streams, ideal), progress
        )
    if variant == "elsewhere":
        spread_condition = next(c for c in conditions(params) if c.perturbation == "tau_spread")
        taus = imperfections.taus_of(params, spread_condition, streams, chip=" elsewhere")
        other_substrate = stepwise.Substrate(imperfections.uneven_neurons(params, taus))
        trained = learning.train(
            params, streams, progress, learner=partial(stepwise.Stepwise, substrate=other_substrate)
        )
    else:
        n_epochs = params.sham_epochs if variant == "sham" else None
        trained = learning.train(params, streams, progress, epochs=n_epochs)
    network = _add_uneven_neurons(params, streams, trained)
    network.history, network.info = trained.history, trained.info
    return network


def _add_uneven_neurons(params: ct.Params, streams: Streams, trained: ct.Network) -> ct.Network:
    """Add the uneven neurons of this seed's substrates to a network."""
    arrays = {name: trained.arrays[name] for name in ("w_hidden", "w_output")}
    for condition in conditions(params):
        if condition.perturbation in UNEVEN:
            taus = imperfections.taus_of(params, condition, streams)
            arrays |= _prefix_arrays(condition, taus)
    return ct.Network(arrays=arrays, info={"engine": compiled.NAME, "epochs": 0})


def _train_on_each(
    params: ct.Params, streams: Streams, network: ct.Network, progress: ct.Progress
) -> ct.Network:
    """Train on every substrate from scratch, and add what was learned there to the network."""
    from whyspiking.talks.goeltz import learning, stepwise

    planned_conditions = [condition for condition in conditions(params) if condition.draw == 0]
    seconds: list[float] = []
    checkpoint = Checkpoint(network, seconds, name="conditions")
    for i_condition in checkpoint.rounds(range(len(planned_conditions)), progress):
        condition, started = planned_conditions[i_condition], time.process_time()
        name = name_of(condition)
        substrate = _make_substrate(params, condition, network, streams.rng(f"retraining {name}"))

        def report(share: float, news: str, n_done: int = i_condition, name: str = name) -> None:
            progress((n_done + share) / len(planned_conditions), f"{name}: {news}")

        learner = partial(stepwise.Stepwise, substrate=substrate)
        trained = learning.train(params, streams, report, learner=learner, purpose=f" {name}")
        weights = substrate.weights(model.weights_of(trained))
        network.arrays |= _prefix_arrays(
            condition, dict(zip(model.WEIGHT_NAMES, weights, strict=True))
        )
        for row in trained.history:
            network.history.append({**row, "metric": f"{name}.{row['metric']}"})
        seconds.append(time.process_time() - started)
    epochs = params.epochs * len(planned_conditions)
    network.info |= {
        "epochs": epochs,
        "epoch_seconds": sum(seconds) / epochs,
        "retrained": [name_of(condition) for condition in planned_conditions],
    }
    return network


def _make_substrate(
    params: ct.Params, condition: ct.Condition, network: ct.Network, rng: np.random.Generator
):
    """Make the substrate with one of the imperfections, on which a network learns."""
    from whyspiking.talks.goeltz.stepwise import Substrate

    if condition.perturbation in UNEVEN:
        taus = _collect_forms(network)[name_of(condition)]
        return Substrate(imperfections.uneven_neurons(params, taus))
    ideal = model.closed_form(params)
    if condition.perturbation == "jitter":
        return Substrate(
            ideal, input_times=lambda times: jittered(times, condition.strength, rng), noise=rng
        )
    return Substrate(
        ideal,
        weights=lambda weights: imperfections.held(params, condition, weights),
        limit=lambda weights: imperfections.limited(params, condition, weights),
    )


def bind(params: ct.Params, network: ct.Network) -> SubstrateBinding:
    """Place a network into the Brian2 model, together with its forms on each substrate."""
    ideal = networks.bind(params, network)
    weights = model.weights_of(network)
    return SubstrateBinding(ideal.values, ideal.layers, weights, _collect_forms(network))


def vary(
    params: ct.Params,
    condition: ct.Condition,
    task: ct.Task,
    binding: ct.Binding,
    rng: np.random.Generator,
) -> tuple[ct.Task, ct.Binding]:
    """Transform task and binding to those on one substrate.

    Networks that were trained on it bring their own weights; of others the substrate holds the
    ideal weights as it can. `rng` draws the jitter.
    """
    if not isinstance(binding, SubstrateBinding):
        raise TypeError("substrates need the binding that `bind` made")
    form = binding.forms.get(name_of(condition), {})
    if "w_hidden" in form:
        weights = (form["w_hidden"], form["w_output"])
    else:
        weights = imperfections.held(params, condition, binding.weights)
    values = brian_network.values(params, weights)
    if condition.perturbation in UNEVEN:
        for layer in LAYERS:
            for tau in ("tau_m", "tau_s"):
                values[f"{layer}.{tau}"] = form[f"{tau}_{layer}"] * params.tau_s_ms * 1e-3
    if condition.perturbation == "jitter":
        first_ms = task.stimulus.spikes["input"].first_ms()
        jittered_ms = jittered(
            first_ms[:, : params.n_input], condition.strength * params.tau_s_ms, rng
        )
        first_ms[:, : params.n_input] = jittered_ms
        spikes = {"input": Spikes.from_first_spikes(first_ms, params.trial_ms)}
        task = replace(task, stimulus=ct.Stimulus(spikes))
    return task, replace(binding, values=values)


def _prefix_arrays(condition: ct.Condition, arrays: Mapping[str, NDArray]) -> dict[str, NDArray]:
    return {f"{name_of(condition)}/{key}": array for key, array in arrays.items()}


def _collect_forms(network: ct.Network) -> dict[str, dict[str, NDArray]]:
    """Collect the arrays that `_prefix_arrays` named, by the name of the imperfection."""
    forms: dict[str, dict[str, NDArray]] = {}
    for key, array in network.arrays.items():
        name, _, entry = key.rpartition("/")
        if name:
            forms.setdefault(name, {})[entry] = array
    return forms
