"""The stages of this talk, by experiment."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from whyspiking.contract import (
    Binding,
    BrianModel,
    Network,
    Outcome,
    Params,
    Progress,
    Recording,
    Split,
    Task,
    Traces,
    Trials,
)
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.replications.scherr import (
    brian_learning,
    brian_network,
    evidence,
    evidence_task,
    lstm,
    oneshot,
    oneshot_brian,
    oneshot_task,
    pattern,
)
from whyspiking.replications.scherr.kernel import Cell

PATTERNS = ("pattern", "pattern_brian2")


def make_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """Trials of one split; there is no `fresh` one, since every trial of `test` is fresh."""
    if split == "fresh":
        return None
    if params.experiment == "evidence":
        return evidence_task.make_task(params, split, streams)
    if params.experiment == "oneshot":
        return oneshot_task.make_task(params, split, streams)
    return pattern.make_task(params, streams)


def train(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    """Train one variant."""
    if params.experiment == "evidence":
        if variant == "lstm":
            return lstm.train(params, streams, progress)
        _check(variant, evidence.RULES, params)
        return evidence.train(params, variant, streams, progress)
    if params.experiment == "oneshot":
        _check(variant, oneshot.SIGNALS, params)
        return _train_oneshot(params, variant, streams, parents, progress)
    if params.experiment == "pattern_brian2":
        # Only here: it imports the package that owns Brian2's device.
        from whyspiking.replications.scherr import pattern_native

        _check(variant, pattern_native.FEEDBACK, params)
        return pattern_native.train(params, variant, streams, progress)
    _check(variant, pattern.RULES, params)
    return pattern.train(params, variant, streams, progress)


def _train_oneshot(
    params: Params,
    variant: str,
    streams: Streams,
    parents: Mapping[str, Network],
    progress: Progress,
) -> Network:
    if variant == "spiking":
        return oneshot.train(params, streams, progress)
    if variant == "plain":
        return oneshot.with_error_feedback(
            params, variant, oneshot.initial(params, streams), streams
        )
    optimised = parents["oneshot/spiking"]
    if variant == "error":
        return oneshot.with_error_feedback(params, variant, optimised.arrays, streams)
    return Network(optimised.arrays, {"engine": oneshot.ENGINE, "variant": variant})


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run a network in the engine it was trained in."""
    if params.experiment == "pattern":
        return pattern.evaluate(params, network, task)
    if params.experiment == "oneshot":
        return oneshot.evaluate(params, network, task)
    if params.experiment == "pattern_brian2":
        from whyspiking.replications.scherr import pattern_native

        return pattern_native.evaluate(params, network, task)
    given = evidence_task.from_task(params, task)
    if variant == "lstm":
        features = evidence_task.binned(params, given)
        choices = lstm.choose(network.arrays, features, lstm.first_bin(params))
        return decided(params, choices, task)
    cell = evidence.cell(params, variant)
    arrays = {name: x.astype(float) for name, x in network.arrays.items()}
    return decided(params, evidence.logits(cell, arrays, given).argmax(axis=1), task)


def decided(params: Params, choices: np.ndarray, task: Task) -> Trials:
    """The choice is the mean output over the recall, so it stands when the trial ends."""
    end_ms = evidence_task.n_steps(params) * params.dt_ms
    return Trials(
        targets=np.asarray(task.targets, np.int64),
        choices=np.asarray(choices, np.int64),
        decision_ms=np.full(len(choices), end_ms),
        n_classes=task.n_classes,
    )


def to_brian(params: Params) -> BrianModel:
    """The structure that re-simulates an experiment's networks."""
    if params.experiment == "pattern_brian2":
        return brian_learning.brian_model(params)
    if params.experiment == "oneshot":
        return oneshot_brian.brian_model(params)
    if params.experiment == "evidence":
        sizes = {
            "n_inputs": evidence_task.n_inputs(params),
            "n_rec": params.n_lif + params.n_alif,
            "n_out": 2,
            "n_steps": evidence_task.n_steps(params),
        }
    else:
        sizes = {
            "n_inputs": params.n_in,
            "n_rec": params.n_rec,
            "n_out": 1,
            "n_steps": pattern.n_steps(params),
        }
    return brian_network.brian_model(params, name=f"scherr_{params.experiment}", **sizes)


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure."""
    arrays = network.arrays
    if params.experiment == "oneshot":
        return oneshot_brian.bind(params, arrays, oneshot.SIGNALS[network.info["variant"]])
    if params.experiment == "pattern_brian2":
        return brian_learning.bind(
            params, arrays, feedback=network.info["rule"], rates={"adam": 0.0, "sgd": 0.0}
        )
    return brian_network.bind(
        cell(params, network), arrays["w"], arrays["w_out"], len(arrays["w"]) - len(arrays["w_out"])
    )


def cell(params: Params, network: Network) -> Cell:
    """Neurons and readout of a network."""
    if params.experiment == "evidence":
        return evidence.cell(params, network.info["variant"])
    return pattern.cell(params)


def decode(params: Params, recording: Recording, task: Task) -> Outcome:
    """The decision from the mean output over the recall, or the output itself."""
    outputs = recording.traces["output"]
    if params.experiment == "oneshot":
        outputs = outputs[:, oneshot_task.n_steps(params) :]
        return Traces(outputs=outputs, targets=task.targets, dt_ms=params.dt_ms)
    if params.experiment in PATTERNS:
        return Traces(outputs=outputs, targets=task.targets, dt_ms=params.dt_ms)
    recall = round(params.recall_ms / params.dt_ms)
    return decided(params, outputs[:, -recall:].mean(axis=1).argmax(axis=1), task)


def _check(variant: str, known: Mapping[str, object], params: Params) -> None:
    if variant not in known:
        raise UserError(
            f"talk 'scherr', experiment '{params.experiment}': variant '{variant}' is not known; "
            "correct its name in talk.yaml"
        )
