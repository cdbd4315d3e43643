"""From a description to Brian2's objects: inputs, groups, synapses, resets of trials, monitors."""

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
            "are not recorded. Add them to record_spikes"
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
    """Make Brian2's objects: inputs, groups, synapses, resets, monitors.

    Returns:
        The network, and its parts: "inputs", "objects", "spike_monitors", "trace_monitors", each a
        dict by name.

    Raises:
        UserError: If a name is given twice, or stands for nothing.
    """
    import brian2

    brian2.defaultclock.dt = model.dt_ms * brian2.ms
    parts = _Parts(model)
    for name, code in model.reset.items():
        # Before everything else that a model runs at the start of a step.
        start = Regularly(f"{name}_trial_start", code, order=-1000, period_ms=model.trial_ms)
        parts.run(parts.find(name, "reset"), start)
    monitors = {"spike_monitors": _spike_monitors(parts), "trace_monitors": _trace_monitors(parts)}
    everything = (parts.inputs, parts.objects, *monitors.values())
    network = brian2.Network(*(x for made in everything for x in made.values()), name="network")
    network.schedule = list(model.schedule)
    return network, {"inputs": parts.inputs, "objects": parts.objects, **monitors}


class _Parts:
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
        self._known = {table.name: _table(table) for table in model.tables}
        self._known |= _names(model.constants)
        self.objects: dict[str, Any] = {}
        for group in model.groups:
            self._keep(self._group(group))
        for borrower, lender in model.borrowed.items():
            owner, _, variable = lender.partition(".")
            own, _, name = borrower.partition(".")
            found = self.find(owner, "borrowed")
            self.inputs[own].variables.add_reference(name, found, variable)
        for synapses in model.synapses:
            self._keep(self._synapses(synapses))

    def find(self, name: str, what: str) -> Any:
        """An object by name; `what` names it."""
        if name not in self.objects:
            raise UserError(
                f"Brian2 model '{self.model.name}': {what} names '{name}', which is not one of "
                f"its groups and synapses; expected one of {sorted(self.objects)}. Correct the "
                "name"
            )
        return self.objects[name]

    def clock(self, period_ms: float | None, what: str) -> Any:
        """The clock that ticks once a period."""
        import brian2

        steps = 1 if period_ms is None else whole_steps(self.model, period_ms, what)
        if steps not in self._clocks:
            dt = steps * self.model.dt_ms * brian2.ms
            self._clocks[steps] = brian2.Clock(dt, name=f"clock_of_{steps}_steps")
        return self._clocks[steps]

    def run(self, owner: Any, regularly: Regularly) -> None:
        """Have an object execute statements regularly."""
        own = owner.clock
        if regularly.period_ms is not None:
            own = self.clock(regularly.period_ms, f"period of '{regularly.name}'")
        owner.run_regularly(
            regularly.statements,
            clock=own,
            when=regularly.when,
            order=regularly.order,
            name=regularly.name,
        )

    def _keep(self, made: Any) -> None:
        if made.name in self.objects or made.name in self.inputs:
            raise UserError(
                f"Brian2 model '{self.model.name}': two objects have the name '{made.name}'; "
                "expected different names. Rename one of them"
            )
        self.objects[made.name] = made

    def _group(self, group: Group) -> Any:
        import brian2

        options: dict[str, Any] = {"threshold": group.threshold, "reset": group.reset}
        if group.update is not None:
            options["method"] = lambda *_, **__: group.update
        elif group.method is not None:
            options["method"] = group.method
        if group.refractory is not None:
            options["refractory"] = _brian2(group.refractory)
        made = brian2.NeuronGroup(
            group.size,
            group.equations,
            events=dict(group.events),
            namespace=self._known | _names(group.constants),
            clock=self.clock(group.period_ms, f"period of '{group.name}'"),
            name=group.name,
            **options,
        )
        for event, statements in group.on_event.items():
            made.run_on_event(event, statements, when="resets")
        for variable, value in group.start.items():
            setattr(made, variable, _brian2(value))
        for regularly in group.regularly:
            self.run(made, regularly)
        acts = {"threshold": made.thresholder, "reset": made.resetter}
        for act, (when, order) in group.slots.items():
            acts[act]["spike"].when, acts[act]["spike"].order = when, order
        return made

    def _synapses(self, synapses: Synapses) -> Any:
        import brian2

        options: dict[str, Any] = {}
        for key in ("on_pre", "on_post", "on_event", "method"):
            if (given := getattr(synapses, key)) is not None:
                options[key] = dict(given) if isinstance(given, Mapping) else given
        if synapses.delay is not None:
            options["delay"] = _brian2(synapses.delay)
        source = self.inputs.get(synapses.source)
        made = brian2.Synapses(
            self.find(synapses.source, "source") if source is None else source,
            self.find(synapses.target, "target"),
            synapses.equations,
            namespace=self._known | _names(synapses.constants),
            clock=self.clock(synapses.period_ms, f"period of '{synapses.name}'"),
            name=synapses.name,
            **options,
        )
        made.connect(**synapses.connect)
        for variable, value in synapses.start.items():
            setattr(made, variable, _brian2(value))
        for regularly in synapses.regularly:
            self.run(made, regularly)
        for pathway, (when, order) in synapses.slots.items():
            found = getattr(made, pathway)
            found.when, found.order = when, order
        return made


def _spike_monitors(parts: _Parts) -> dict[str, Any]:
    import brian2

    made = {}
    for name in parts.model.record_spikes:
        lag = parts.model.lag_variable.get(name)
        group, _, event = name.partition(".")
        # At the end of the step, when the statements after a spike have stored its lag.
        made[name] = brian2.EventMonitor(
            parts.find(group, "record_spikes"),
            event or "spike",
            variables=[lag] if lag else None,
            when="end",
            name=f"{name.replace('.', '_')}_spikes_recorded",
        )
    return made


def _trace_monitors(parts: _Parts) -> dict[str, Any]:
    import brian2

    model, made = parts.model, {}
    for monitor, (name, variable, sampling_ms) in model.record_traces.items():
        every = whole_steps(model, sampling_ms, f"sampling of trace '{monitor}'")
        if steps_per_trial(model) % every:
            raise UserError(
                f"Brian2 model '{model.name}': trace '{monitor}' is sampled every {sampling_ms} "
                f"ms; expected an interval that divides the trial of {model.trial_ms} ms. Change "
                "the sampling interval"
            )
        made[monitor] = brian2.StateMonitor(
            parts.find(name, "record_traces"),
            variable,
            record=True,
            clock=parts.clock(sampling_ms, f"sampling of trace '{monitor}'"),
            when="end",
            name=f"{monitor}_trace_recorded",
        )
    return made


def _table(table: Table) -> Any:
    import brian2

    return brian2.TimedArray(np.zeros(table.shape), dt=table.period_ms * brian2.ms, name=table.name)


def _names(constants: Mapping[str, Constant]) -> dict[str, Any]:
    return {name: _brian2(constant) for name, constant in constants.items()}


def _brian2(constant: Constant | str) -> Any:
    """What Brian2 knows a constant as."""
    import brian2

    if isinstance(constant, Quantity):
        return constant.value * getattr(brian2, constant.unit)
    if not isinstance(constant, Function):
        return constant
    made = brian2.Function(constant.python, arg_units=[1] * constant.n_arguments, return_unit=1)
    headers = {"headers": ["<cstdint>", "<cstring>", "<cmath>"]}
    made.implementations.add_implementation(
        "cpp", constant.cpp, name=constant.name, compiler_kwds=headers
    )
    return made


def synapses_of(parts: Mapping[str, Any]) -> dict[str, Any]:
    """The objects that are synapses, by name."""
    import brian2

    return {
        name: item for name, item in parts["objects"].items() if isinstance(item, brian2.Synapses)
    }
