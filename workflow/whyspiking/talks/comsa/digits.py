"""Networks of two layers with pulses that read digits, or learn a shared task."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import NDArray

from whyspiking.contract import types as ct
from whyspiking.contract.brian_model import BrianModel
from whyspiking.contract.randomness import Streams
from whyspiking.talks.comsa import brian_network, model
from whyspiking.talks.comsa.learning import train
from whyspiking.talks.comsa.task import make_task, samples
from whyspiking.training.first_spike import encoding
from whyspiking.training.first_spike.encoding import features_until

__all__ = [
    "bind", "control_task", "decode", "evaluate", "features_until", "make_task",
    "reference_first_ms", "to_brian", "train",
]  # fmt: skip


def control_task(params: ct.Params, split: ct.Split, streams: Streams) -> ct.Task | None:
    """The images that the spiking network sees, divided alike."""
    features, classes = samples(params, split, streams)
    return ct.Task(ct.Stimulus(), classes, params.n_output, features)


def evaluate(params: ct.Params, variant: str, network: ct.Network, task: ct.Task) -> ct.Outcome:
    """Run the network in closed form."""
    return model.evaluate(params, network.arrays, task)


def reference_first_ms(
    params: ct.Params, variant: str, network: ct.Network, task: ct.Task
) -> Mapping[str, NDArray]:
    """First spikes up to the end of the trial in closed form."""
    hidden, output = model.first_spikes(params, network.arrays, model.times_of(params, task))
    return model.within_trial(params, {"hidden": hidden, "output": output})


def to_brian(params: ct.Params) -> BrianModel:
    """The structure in Brian2; experiments of equal size share one build."""
    return brian_network.network(
        params,
        f"comsa-{params.n_input}-{params.n_hidden}-{params.n_output}",
        n_input=params.n_input,
        n_hidden=params.n_hidden,
        n_output=params.n_output,
        n_pulses=params.n_pulses,
    )


def bind(params: ct.Params, network: ct.Network) -> ct.Binding:
    """Place a trained network into the structure of `to_brian`."""
    arrays = {name: network.arrays[name] for name in model.NAMES}
    return brian_network.bind(params, arrays, params.n_input)


def decode(params: ct.Params, recording: ct.Recording, task: ct.Task) -> ct.Trials:
    """The first output spike decides; ties go to the lower class, silence is no decision."""
    return encoding.decide(
        recording.spikes["output"].first_ms() / params.unit_ms, task, params.unit_ms
    )
