"""The Brian2 objects of a model: its own, its inputs, resets at the start of trials, monitors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whyspiking.contract.types import BrianModel
from whyspiking.errors import UserError


def check(model: BrianModel) -> None:
    """Refuse what would fail late or silently.

    Raises:
        UserError: If the model is inconsistent.
    """
    steps = steps_per_trial(model)
    if model.max_trials < 1 or model.max_trials * steps >= 2**31:
        raise UserError(
            f"Brian2 model '{model.name}': max_trials is {model.max_trials}; with {steps} steps "
            f"per trial it must lie between 1 and {(2**31 - 1) // steps}"
        )
    for population, replay in model.replay.items():
        if replay.input not in model.inputs:
            raise UserError(
                f"Brian2 model '{model.name}': replay of '{population}' uses '{replay.input}', "
                f"which is not one of its inputs {sorted(model.inputs)}"
            )
    if unrecorded := set(model.lag_variable) - set(model.record_spikes):
        raise UserError(
            f"Brian2 model '{model.name}': lag_variable names {sorted(unrecorded)}, whose spikes "
            "are not recorded; add them to record_spikes"
        )


def steps_per_trial(model: BrianModel) -> int:
    """Steps of one trial.

    Raises:
        UserError: If the trial is not a whole number of steps.
    """
    return whole_steps(model, model.trial_ms, "trial_ms")


def whole_steps(model: BrianModel, duration_ms: float, what: str) -> int:
    """Number of steps in `duration_ms`, which must be a positive multiple of dt."""
    steps = round(duration_ms / model.dt_ms)
    if steps < 1 or abs(steps * model.dt_ms - duration_ms) > 1e-6 * model.dt_ms:
        raise UserError(
            f"Brian2 model '{model.name}': {what} is {duration_ms} ms; it must be a positive "
            f"multiple of dt_ms = {model.dt_ms} ms"
        )
    return steps


def assemble(model: BrianModel) -> tuple[Any, dict[str, Any]]:
    """Make Brian2's objects: inputs, the model's own, resets, monitors.

    Returns:
        The network, and its parts: "inputs", "objects", "spike_monitors", "trace_monitors", each a
        dict by name.
    """
    import brian2

    ms = brian2.ms
    brian2.defaultclock.dt = model.dt_ms * ms
    inputs = {}
    for name, channels in model.inputs.items():
        generator = brian2.SpikeGeneratorGroup(channels, [], [] * brian2.second, name=name)
        if model.sub_step:
            generator.variables.add_array("lag", size=channels)
        inputs[name] = generator
    objects = {}
    for item in model.construct(inputs):
        if item.name in objects or item.name in inputs:
            raise UserError(f"Brian2 model '{model.name}': two objects are named '{item.name}'")
        objects[item.name] = item

    def find(name: str, what: str) -> Any:
        if name not in objects:
            raise UserError(
                f"Brian2 model '{model.name}': {what} names '{name}', which `construct` does not "
                f"return; it returns {sorted(objects)}"
            )
        return objects[name]

    # One clock per period: a step takes longer with every further clock.
    clocks: dict[int, Any] = {1: brian2.defaultclock}

    def clock(steps: int) -> Any:
        if steps not in clocks:
            clocks[steps] = brian2.Clock(steps * model.dt_ms * ms, name=f"clock_of_{steps}_steps")
        return clocks[steps]

    for name, code in model.reset.items():
        # Before everything else that a model runs at the start of a step.
        find(name, "reset").run_regularly(
            code,
            clock=clock(steps_per_trial(model)),
            when="start",
            order=-1000,
            name=f"{name}_trial_start",
        )
    spike_monitors = {}
    for name in model.record_spikes:
        lag = model.lag_variable.get(name)
        group, _, event = name.partition(".")
        # At the end of the step, when the statements after a spike have stored its lag.
        spike_monitors[name] = brian2.EventMonitor(
            find(group, "record_spikes"),
            event or "spike",
            variables=[lag] if lag else None,
            when="end",
            name=f"{name.replace('.', '_')}_spikes_recorded",
        )
    trace_monitors = {}
    for monitor, (name, variable, sampling_ms) in model.record_traces.items():
        every = whole_steps(model, sampling_ms, f"sampling of trace '{monitor}'")
        if steps_per_trial(model) % every:
            raise UserError(
                f"Brian2 model '{model.name}': trace '{monitor}' is sampled every {sampling_ms} "
                f"ms, which does not divide the trial of {model.trial_ms} ms"
            )
        trace_monitors[monitor] = brian2.StateMonitor(
            find(name, "record_traces"),
            variable,
            record=True,
            clock=clock(every),
            when="end",
            name=f"{monitor}_trace_recorded",
        )
    network = brian2.Network(
        *inputs.values(),
        *objects.values(),
        *spike_monitors.values(),
        *trace_monitors.values(),
        name="network",
    )
    network.schedule = list(model.schedule)
    return network, {
        "inputs": inputs,
        "objects": objects,
        "spike_monitors": spike_monitors,
        "trace_monitors": trace_monitors,
    }


def synapses_of(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The objects that are synapses, by name."""
    import brian2

    return {
        name: item for name, item in parts["objects"].items() if isinstance(item, brian2.Synapses)
    }
