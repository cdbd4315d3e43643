"""All that a talk must and may offer to the stages of the workflow.

A talk is a folder under `talks/`. Its `__init__.py` says which module of the folder fulfils
each experiment (EXPERIMENTS); that module exports the functions of `Replication` that it needs,
with these very signatures. `measures`, `control_decisions` and `exhibits` may instead stand in
files beside that module on which no training depends: `measures.py` (the first two) and
`exhibits.py`, for all modules of the folder that have none, or `measures_<module>.py` and
`exhibits_<module>.py`, for one of them.
`talks.load_replication` joins all this; `tests/talks/test_contract.py` runs every talk through
the same checks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    Condition,
    ExperimentParameters,
    Network,
    Networks,
    Outcome,
    Parents,
    Progress,
    Recording,
    Simulate,
    Split,
    Task,
    Trials,
)


class Replication[P: ExperimentParameters]:
    """One experiment of a talk.

    A talk inherits this class, and names the class of its parameters as `parameters`.

    Every experiment has `make_task`, `train` and `evaluate`, and `to_brian`, `bind` and `decode`
    unless no variant has the role `spiking`. All others are optional: what stands here is what
    holds where a talk has none.
    """

    parameters: type[P]

    def make_task(self, params: P, split: Split, streams: Streams) -> Task | None:
        """The inputs and targets of one split; equal streams give equal tasks.

        None where the split does not exist; every experiment has a test split.
        """
        raise _missing(params, "make_task")

    def train(
        self, params: P, variant: str, streams: Streams, parents: Parents, progress: Progress
    ) -> Network:
        """Train one variant; never asked for one that talk.yaml declares whole (`network`).

        `parents` holds the networks named by `starts_from` in talk.yaml. A loop of minutes should
        keep a `training.checkpoint.Checkpoint`, from which it goes on when it was stopped. What
        needs files of the authors reads them with `datasets.released`, whose `Unavailable` means
        that nothing is measured.
        """
        raise _missing(params, "train")

    def evaluate(self, params: P, variant: str, network: Network, task: Task) -> Outcome | None:
        """Run the network in the engine it was trained in; None where Brian2 is its only one."""
        raise _missing(params, "evaluate")

    def to_brian(self, params: P) -> BrianModel:
        """The structure that re-simulates the spiking variants of this experiment."""
        raise _missing(params, "to_brian")

    def bind(self, params: P, network: Network) -> Binding:
        """Place a trained network into the structure of `to_brian`."""
        raise _missing(params, "bind")

    def decode(self, params: P, recording: Recording, task: Task) -> Outcome:
        """Read decisions or output traces out of a Brian2 recording."""
        raise _missing(params, "decode")

    def conditions(self, params: P) -> Sequence[Condition]:
        """Conditions beyond the common battery."""
        return ()

    def vary(
        self,
        params: P,
        condition: Condition,
        task: Task,
        binding: Binding,
        rng: np.random.Generator,
    ) -> tuple[Task, Binding]:
        """Task and binding under one of `conditions`, to be simulated."""
        raise _missing(params, "vary")

    def perturb_recording(
        self, params: P, condition: Condition, recording: Recording, rng: np.random.Generator
    ) -> Recording | None:
        """The recording under one of `conditions`; None where it needs a simulation (`vary`)."""
        return None

    def measures(
        self, params: P, condition: Condition, recording: Recording, task: Task
    ) -> Mapping[str, float]:
        """Metrics beyond the score (names listed in `glossary.GLOSSARY`)."""
        return {}

    def reference_first_ms(
        self, params: P, variant: str, network: Network, task: Task
    ) -> Mapping[str, NDArray]:
        """Population -> first spike times in the engine of training, (trial, neuron), ms or inf."""
        return {}

    def reference_counts(
        self, params: P, variant: str, network: Network, task: Task
    ) -> Mapping[str, NDArray]:
        """Population -> spikes of each neuron in the engine of training, (trial, neuron)."""
        return {}

    def control_task(self, params: P, split: Split, streams: Streams) -> Task | None:
        """What controls that talk.yaml declares learn from: features (trial, feature), classes.

        By default the task itself; a talk whose spikes take long to make leaves them out.
        """
        return self.make_task(params, split, streams)

    def control_counts(
        self, params: P, variant: str, network: Network, task: Task
    ) -> Mapping[str, float]:
        """Operations per trial of a control that the core cannot count (`glossary.GLOSSARY`)."""
        return {}

    def features_until(self, params: P, task: Task, t_ms: float) -> NDArray | None:
        """`Task.features`, (trial, feature), as far as input spikes up to t tell.

        None where the experiment's controls read no such spikes.
        """
        return None

    def control_decisions(
        self, params: P, variant: str, network: Network, task: Task
    ) -> Trials | None:
        """Decisions of a control with their times; None where it decides by no rule of time."""
        return None

    def exhibits(
        self, params: P, networks: Networks, simulate: Simulate, streams: Streams
    ) -> dict[str, NDArray]:
        """Small arrays for the figures of this experiment; the streams are for these alone."""
        return {}


def _missing(params: ExperimentParameters, name: str) -> NotImplementedError:
    return NotImplementedError(
        f"talk '{params.talk}': the module of experiment '{params.experiment}' has no "
        f"function `{name}`. Add it"
    )
