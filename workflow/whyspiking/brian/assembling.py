"""Assembly of Brian2's objects: inputs, groups, synapses, resets of trials, monitors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from whyspiking.contract.brian_model import (
    BrianModel,
    Constant,
    Function,
    Group,
    Quantity,
    Regularly,
    Synapses,
    Table,
)
from whyspiking.errors import UserError


def check(model: BrianModel) -> None:
    """Refuse a model that would fail late or silently.

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
            "are not recorded. Add them to record_spikes"
        )


def steps_per_trial(model: BrianModel) -> int:
    """Steps of one trial.

    Raises:
        UserError: If the trial is not a whole number of steps.
    """
    return whole_steps(model, model.trial_ms, "trial_ms")


def whole_steps(model: BrianModel, duration_ms: float, quantity: str) -> int:
    """Number of steps in `duration_ms`, which must be a positive multiple of dt."""
    steps = round(duration_ms / model.dt_ms)
    if steps < 1 or abs(steps * model.dt_ms - duration_ms) > 1e-6 * model.dt_ms:
        raise UserError(
            f"Brian2 model '{model.name}': {quantity} is {duration_ms} ms; it must be a positive "
            f"multiple of dt_ms = {model.dt_ms} ms"
        )
    return steps


def assemble(model: BrianModel) -> tuple[Any, dict[str, Any]]:
    """Make Brian2's objects: inputs, groups, synapses, resets, monitors.

    Returns:
        The network, and its objects: "inputs", "objects", "spike_monitors", "trace_monitors",
        each a dict by name.

    Raises:
        UserError: If a name is given twice, or stands for nothing.
    """
    import brian2

    brian2.defaultclock.dt = model.dt_ms * brian2.ms
    brian_objects = _BrianObjects(model)
    for name, code in model.reset.items():
        # Before everything else that a model runs at the start of a step.
        start = Regularly(f"{name}_trial_start", code, order=-1000, period_ms=model.trial_ms)
        brian_objects.run(brian_objects.find(name, "reset"), start)
    monitors = {
        "spike_monitors": _make_spike_monitors(brian_objects),
        "trace_monitors": _make_trace_monitors(brian_objects),
    }
    object_groups = (brian_objects.inputs, brian_objects.objects, *monitors.values())
    network = brian2.Network(
        *(x for objects in object_groups for x in objects.values()), name="network"
    )
    network.schedule = list(model.schedule)
    return network, {"inputs": brian_objects.inputs, "objects": brian_objects.objects, **monitors}


class _BrianObjects:
    """Brian2's objects of a model, made in the order of its description."""

    def __init__(self, model: BrianModel) -> None:
        import brian2

        self.model = model
        # One clock per period: a step takes longer with every further clock.
        self._clocks: dict[int, Any] = {1: brian2.defaultclock}
        self.inputs = {
            name: brian2.SpikeGeneratorGroup(channels, [], [] * brian2.second, name=name)
            for name, channels in model.inputs.items()
        }
        for name, channels in model.inputs.items():
            if model.sub_step:
                self.inputs[name].variables.add_array("lag", size=channels)
        self._known = {table.name: _make_table(table) for table in model.tables}
        self._known |= _make_namespace(model.constants)
        self.objects: dict[str, Any] = {}
        for group in model.groups:
            self._keep(self._group(group))
        for borrower, lender in model.borrowed.items():
            owner, _, variable = lender.partition(".")
            borrowing_input, _, name = borrower.partition(".")
            owning_object = self.find(owner, "borrowed")
            self.inputs[borrowing_input].variables.add_reference(name, owning_object, variable)
        for synapses in model.synapses:
            self._keep(self._synapses(synapses))

    def find(self, name: str, role: str) -> Any:
        """Find an object by name; `role` says in an error for what it is needed."""
        if name not in self.objects:
            raise UserError(
                f"Brian2 model '{self.model.name}': {role} names '{name}', which is not one of "
                f"its groups and synapses; expected one of {sorted(self.objects)}. Correct the "
                "name"
            )
        return self.objects[name]

    def clock(self, period_ms: float | None, description: str) -> Any:
        """Return the clock that ticks once a period."""
        import brian2

        steps = 1 if period_ms is None else whole_steps(self.model, period_ms, description)
        if steps not in self._clocks:
            dt = steps * self.model.dt_ms * brian2.ms
            self._clocks[steps] = brian2.Clock(dt, name=f"clock_of_{steps}_steps")
        return self._clocks[steps]

    def run(self, owner: Any, regularly: Regularly) -> None:
        """Have an object execute statements regularly."""
        clock = owner.clock
        if regularly.period_ms is not None:
            clock = self.clock(regularly.period_ms, f"period of '{regularly.name}'")
        owner.run_regularly(
            regularly.statements,
            clock=clock,
            when=regularly.when,
            order=regularly.order,
            name=regularly.name,
        )

    def _keep(self, item: Any) -> None:
        if item.name in self.objects or item.name in self.inputs:
            raise UserError(
                f"Brian2 model '{self.model.name}': two objects have the name '{item.name}'; "
                "expected different names. Rename one of them"
            )
        self.objects[item.name] = item

    def _group(self, group: Group) -> Any:
        import brian2

        options: dict[str, Any] = {"threshold": group.threshold, "reset": group.reset}
        if group.update is not None:
            # The description gives the update itself, in place of one that Brian2 derives.
            options["method"] = lambda *_, **__: group.update
        elif group.method is not None:
            options["method"] = group.method
        if group.refractory is not None:
            options["refractory"] = _convert_constant(group.refractory)
        neurons = brian2.NeuronGroup(
            group.size,
            group.equations,
            events=dict(group.events),
            namespace=self._known | _make_namespace(group.constants),
            clock=self.clock(group.period_ms, f"period of '{group.name}'"),
            name=group.name,
            **options,
        )
        for event, statements in group.on_event.items():
            neurons.run_on_event(event, statements, when="resets")
        for variable, value in group.start.items():
            setattr(neurons, variable, _convert_constant(value))
        for regularly in group.regularly:
            self.run(neurons, regularly)
        code_runners = {"threshold": neurons.thresholder, "reset": neurons.resetter}
        for action, (slot, order) in group.slots.items():
            code_runners[action]["spike"].when, code_runners[action]["spike"].order = slot, order
        return neurons

    def _synapses(self, synapses: Synapses) -> Any:
        import brian2

        options: dict[str, Any] = {}
        for key in ("on_pre", "on_post", "on_event", "method"):
            if (option := getattr(synapses, key)) is not None:
                options[key] = dict(option) if isinstance(option, Mapping) else option
        if synapses.delay is not None:
            options["delay"] = _convert_constant(synapses.delay)
        source = self.inputs.get(synapses.source)
        brian_synapses = brian2.Synapses(
            self.find(synapses.source, "source") if source is None else source,
            self.find(synapses.target, "target"),
            synapses.equations,
            namespace=self._known | _make_namespace(synapses.constants),
            clock=self.clock(synapses.period_ms, f"period of '{synapses.name}'"),
            name=synapses.name,
            **options,
        )
        brian_synapses.connect(**synapses.connect)
        for variable, value in synapses.start.items():
            setattr(brian_synapses, variable, _convert_constant(value))
        for regularly in synapses.regularly:
            self.run(brian_synapses, regularly)
        for pathway, (slot, order) in synapses.slots.items():
            pathway_code = getattr(brian_synapses, pathway)
            pathway_code.when, pathway_code.order = slot, order
        return brian_synapses


def _make_spike_monitors(brian_objects: _BrianObjects) -> dict[str, Any]:
    import brian2

    monitors = {}
    for name in brian_objects.model.record_spikes:
        lag = brian_objects.model.lag_variable.get(name)
        group, _, event = name.partition(".")
        # At the end of the step, when the statements after a spike have stored its lag.
        monitors[name] = brian2.EventMonitor(
            brian_objects.find(group, "record_spikes"),
            event or "spike",
            variables=[lag] if lag else None,
            when="end",
            name=f"{name.replace('.', '_')}_spikes_recorded",
        )
    return monitors


def _make_trace_monitors(brian_objects: _BrianObjects) -> dict[str, Any]:
    import brian2

    model, monitors = brian_objects.model, {}
    for monitor, (name, variable, sampling_ms) in model.record_traces.items():
        sampling_steps = whole_steps(model, sampling_ms, f"sampling of trace '{monitor}'")
        if steps_per_trial(model) % sampling_steps:
            raise UserError(
                f"Brian2 model '{model.name}': trace '{monitor}' is sampled every {sampling_ms} "
                f"ms; expected an interval that divides the trial of {model.trial_ms} ms. Change "
                "the sampling interval"
            )
        monitors[monitor] = brian2.StateMonitor(
            brian_objects.find(name, "record_traces"),
            variable,
            record=True,
            clock=brian_objects.clock(sampling_ms, f"sampling of trace '{monitor}'"),
            when="end",
            name=f"{monitor}_trace_recorded",
        )
    return monitors


def _make_table(table: Table) -> Any:
    import brian2

    return brian2.TimedArray(np.zeros(table.shape), dt=table.period_ms * brian2.ms, name=table.name)


def _make_namespace(constants: Mapping[str, Constant]) -> dict[str, Any]:
    return {name: _convert_constant(constant) for name, constant in constants.items()}


def _convert_constant(constant: Constant | str) -> Any:
    """Convert a constant to its form in Brian2."""
    import brian2

    if isinstance(constant, Quantity):
        return constant.value * getattr(brian2, constant.unit)
    if not isinstance(constant, Function):
        return constant
    function = brian2.Function(constant.python, arg_units=[1] * constant.n_arguments, return_unit=1)
    headers = {"headers": ["<cstdint>", "<cstring>", "<cmath>"]}
    function.implementations.add_implementation(
        "cpp", constant.cpp, name=constant.name, compiler_kwds=headers
    )
    return function


def synapses_of(objects_by_kind: Mapping[str, Any]) -> dict[str, Any]:
    """The objects that are synapses, by name."""
    import brian2

    return {
        name: item
        for name, item in objects_by_kind["objects"].items()
        if isinstance(item, brian2.Synapses)
    }
