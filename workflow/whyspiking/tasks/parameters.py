"""The parameters that the shared tasks have in common (task.yaml of each task)."""

from __future__ import annotations

from dataclasses import dataclass

from whyspiking.contract.types import ExperimentParameters, Split


@dataclass(frozen=True, init=False)
class SharedTaskParameters(ExperimentParameters):
    """Sizes and times of a shared task. `SharedTaskParameters.of` reads them from an experiment.

    Attributes:
        shared_task: Name of the task.
        n_input, n_output: Number of inputs and of classes.
        n_train: Number of training trials per epoch.
        n_distinct: Number of distinct training trials, a multiple of `n_train`; None: `n_train`.
        n_validation, n_test: Number of trials of the other splits.
        window_ms: All input spikes arrive within this time, if every input fires once.
        trial_ms: Length of a trial, if a trial is a stream of spikes.
        step_ms: Time step of the baselines.
        max_trials: Number of trials per run of the compiled simulation.
    """

    shared_task: str
    n_input: int
    n_output: int
    n_train: int
    n_validation: int
    n_test: int
    window_ms: float
    trial_ms: float
    step_ms: float
    max_trials: int
    n_distinct: int | None = None

    def n_trials(self, split: Split) -> int:
        """Number of trials of one split."""
        sizes = {"train": self.n_train, "validation": self.n_validation, "test": self.n_test}
        return sizes[split]
