"""What is measured of networks that read digits, beyond the score."""

from __future__ import annotations

from collections.abc import Mapping

from whyspiking.contract import Condition, Params, Recording, Task
from whyspiking.replications.neftci import model


def measures(
    params: Params, condition: Condition, recording: Recording, task: Task
) -> Mapping[str, float]:
    """Accuracy of the readout of each layer, and spikes per neuron and step."""
    found = {}
    n_steps = params.n_frames * len(task.targets)
    for index, name in enumerate(model.names(params), start=1):
        choices = model.decide(params, task.targets, recording.traces[f"readout{index}"]).choices
        found[f"accuracy_layer{index}"] = float((choices == task.targets).mean())
        spikes = recording.spikes[name]
        found[f"activity_layer{index}"] = len(spikes) / (spikes.n_units * n_steps)
    found["depth_gain"] = found[f"accuracy_layer{len(params.hidden)}"] - found["accuracy_layer1"]
    return found
