"""What the workflow tells a job of its experiment: resolved once, as plain data.

Snakemake keeps it among the parameters of the job and so sees a change. No job that trains or
simulates opens talk.yaml, or loads this module: here is decided what such a job is to do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from whyspiking.contract.types import ExperimentParameters
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.variants import NEEDED, NOISE

OF_CONTROLS = {NOISE, *(name for names in NEEDED.values() for name in names)}
"""Parameters that nothing but the training of the core's controls reads."""


class FirstPart(TypedDict):
    """The first part of a recorded training, which is done again (`training.retraining`)."""

    fraction: float
    recorded: str
    """Folder of the recorded network."""


class Training(TypedDict):
    """What a job of training is told."""

    params: dict[str, Any]
    variant: str
    starts_from: list[str]
    as_is: bool
    """Whether it is the network it starts from, unchanged."""
    control: dict[str, Any] | None
    """Kind and layers of a control that the core trains; see `controls.train_declared`."""
    first_part: NotRequired[FirstPart]
    """What is done in place of a complete training; no key where that takes place."""


class Measured(TypedDict):
    """How one variant is measured."""

    role: str
    perturbations: list[str]
    settings: dict[str, Any]
    """Parameters that differ from those of the experiment; its model in Brian2 is the same."""


class Measuring(TypedDict):
    """What a job of simulation is told."""

    params: dict[str, Any]
    tau_char_ms: float
    simulated: bool
    half_step: bool
    whole_test: bool
    states: dict[str, float]
    variants: dict[str, Measured]


def readable_params(
    experiment: Experiment,
    variant: str | None,
    params: ExperimentParameters,
    of_training: Collection[str],
) -> ExperimentParameters:
    """The parameters that a job may read: a change of others does not run it again.

    What is left out is not there to be read: a job that asks for it fails, and names it.

    Args:
        experiment: The experiment.
        variant: The variant that the job trains; None: it measures all of them.
        params: All parameters of that.
        of_training: Those that nothing but the training of the talk's own networks reads.
    """
    unread = _unread(experiment, variant, {*of_training, *OF_CONTROLS})
    kept = {name: value for name, value in params.values.items() if name not in unread}
    return replace(params, values=kept)


def _unread(experiment: Experiment, variant: str | None, learning: set[str]) -> set[str]:
    """Parameters of learning that a job does not read."""
    if variant is None:
        return set() if any(v.trained_here for v in experiment.variants.values()) else learning
    known = experiment.variants[variant]
    if not known.trained_here or known.as_is:
        return learning
    needed = {
        name: {NOISE, *NEEDED[control["is"]]} if (control := experiment.control(name)) else set()
        for name in experiment.variants
    }
    if needed[known.name]:
        return learning - needed[known.name]
    return set().union(*needed.values()) & OF_CONTROLS


PLACES = ("work_dir", "data_dir")
"""Folders that jobs take from the config (`jobs.here`): another one makes nothing anew."""


def anywhere(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A plan as Snakemake compares it, without the folders of `PLACES`."""
    kept = {key: value for key, value in plan["params"].items() if key not in PLACES}
    return {**plan, "params": kept}


def training(
    experiment: Experiment, variant: str, params: ExperimentParameters, recorded: Path | None = None
) -> Training:
    """The plan of training one variant with the given parameters and seed.

    Args:
        experiment: The experiment.
        variant: Its variant.
        params: All parameters of that.
        recorded: Folder of the recorded network of which only the first part is trained again;
            None: the training is complete.
    """
    described = experiment.variants[variant]
    plan: Training = {
        "params": params.describe(),
        "variant": variant,
        "starts_from": list(described.parents),
        "as_is": described.as_is,
        "control": experiment.control(variant),
    }
    if recorded is not None and experiment.default_run is not None:
        fraction = experiment.default_run.trained_fraction
        plan["first_part"] = {"fraction": fraction, "recorded": str(recorded)}
    return plan


def measuring(
    experiment: Experiment, params: ExperimentParameters, tau_char_ms: float
) -> Measuring:
    """The plan of measuring an experiment: its part of the battery, and its variants."""
    variants: dict[str, Measured] = {}
    for name, described in experiment.variants.items():
        # An ablation answers one question: how well it does, and under the talk's own conditions.
        given = experiment.perturbations(name if described.role == "spiking" else None)
        own = experiment.values_of(name, params.values)
        variants[name] = {
            "role": described.role,
            "perturbations": [] if described.role == "ablation" else given,
            "settings": {k: v for k, v in own.items() if v != params.values[k]},
        }
    return {
        "params": params.describe(),
        "tau_char_ms": tau_char_ms,
        "simulated": experiment.simulated,
        "half_step": experiment.half_step,
        "whole_test": experiment.whole_test,
        "states": dict(sorted(experiment.states.items())),
        "variants": dict(sorted(variants.items())),
    }
