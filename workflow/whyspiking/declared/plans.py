"""What the workflow tells a job of its experiment: resolved once, as plain data.

Snakemake keeps it among the parameters of the job and so sees a change. No job that trains or
simulates opens talk.yaml, or loads this module: here is decided what such a job is to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from whyspiking.contract.types import Params
    from whyspiking.declared.registry import Experiment

UNPERTURBED = ("ablation", "size")
"""Roles that get none of the common perturbations."""


class Training(TypedDict):
    """What a job of training is told."""

    params: dict[str, Any]
    trained_as: str
    """The variant that the talk knows; a network of another size has a name of its own."""
    starts_from: list[str]
    as_is: bool
    """Whether it is the network it starts from, unchanged."""
    control: dict[str, Any] | None
    """Kind and layers of a control that the core trains; see `controls.train_declared`."""


class Measured(TypedDict):
    """How one variant is measured."""

    role: str
    perturbations: list[str]
    trained_as: str
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


def training(experiment: Experiment, variant: str, params: Params) -> Training:
    """The plan of training one variant with the given parameters and seed."""
    described = experiment.variants[variant]
    known = experiment.variants[described.trained_as]
    return {
        "params": params.plain(),
        "trained_as": described.trained_as,
        "starts_from": list(described.parents),
        "as_is": known.as_is,
        "control": experiment.control(known.name),
    }


def measuring(experiment: Experiment, params: Params, tau_char_ms: float) -> Measuring:
    """The plan of measuring an experiment: its part of the battery, and its variants."""
    variants: dict[str, Measured] = {}
    for name in experiment.counted_variants():
        described = experiment.variants[name]
        # An ablation answers one question: how well it does, and under the talk's own conditions.
        given = experiment.perturbations(name if described.role == "spiking" else None)
        own = experiment.values_of(name, params.values)
        variants[name] = {
            "role": described.role,
            "perturbations": [] if described.role in UNPERTURBED else given,
            "trained_as": described.trained_as,
            "settings": {k: v for k, v in own.items() if v != params.values[k]},
        }
    return {
        "params": params.plain(),
        "tau_char_ms": tau_char_ms,
        "simulated": experiment.simulated,
        "half_step": experiment.half_step,
        "whole_test": experiment.whole_test,
        "states": dict(sorted(experiment.states.items())),
        "variants": dict(sorted(variants.items())),
    }
