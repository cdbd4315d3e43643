"""Networks of two layers with pulses that read digits."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.types import (
    Binding,
    BrianModel,
    Network,
    Outcome,
    Params,
    Parents,
    Progress,
    Recording,
    Split,
    Stimulus,
    Task,
    Trials,
)
from whyspiking.talks.comsa import model, pulsed
from whyspiking.talks.comsa.task import make_task, samples
from whyspiking.training.first_spike import encoding

__all__ = [
    "bind", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def train(
    params: Params, variant: str, streams: Streams, parents: Parents, progress: Progress
) -> Network:
    """Train one variant; see `learning.py`."""
    from whyspiking.talks.comsa import learning

    return learning.train(params, variant, streams, progress)


def control_task(params: Params, split: Split, streams: Streams) -> Task | None:
    """The images that the spiking network sees, divided alike."""
    images, classes = samples(params, split, streams)
    return Task(Stimulus(), classes, params.n_output, images)


def evaluate(params: Params, variant: str, network: Network, task: Task) -> Outcome:
    """Run the network in closed form."""
    return model.evaluate(params, network.arrays, task)


def features_until(params: Params, task: Task, t_ms: float) -> NDArray | None:
    """Brightness of the pixels that have fired by a time, all others black."""
    return encoding.brightness_until(task, t_ms)


def reference_first_ms(
    params: Params, variant: str, network: Network, task: Task
) -> Mapping[str, NDArray]:
    """First spikes up to the end of the trial in closed form."""
    hidden, output = model.first_spikes(params, network.arrays, model.times_of(params, task))
    return model.within_trial(params, {"hidden": hidden, "output": output})


def to_brian(params: Params) -> BrianModel:
    """The structure in Brian2; experiments of equal size share one build."""
    return pulsed.network(
        f"comsa-{params.n_input}-{params.n_hidden}-{params.n_output}",
        n_input=params.n_input,
        n_hidden=params.n_hidden,
        n_output=params.n_output,
        n_pulses=params.n_pulses,
        dt_ms=params.dt_ms,
        trial_ms=params.trial_ms,
        max_trials=params.max_trials,
    )


def bind(params: Params, network: Network) -> Binding:
    """Place a trained network into the structure of `to_brian`."""
    return pulsed.bind(
        {name: network.arrays[name] for name in model.NAMES},
        n_input=params.n_input,
        threshold=model.threshold(params),
        tau_ms=model.tau_ms(params),
        unit_ms=params.unit_ms,
    )


def decode(params: Params, recording: Recording, task: Task) -> Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision."""
    return model.decide(recording.spikes["output"].first_ms() / params.unit_ms, task, params)
