"""Layers as a script of Brian2 that stands by itself: equations, parameters and weights to edit.

What it does in a step is what `model` says; samples run side by side, so that steps of one trial
are enough for many. Equations are Brian2's own, one a state, and are advanced one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import jinja2
import numpy as np
from numpy.typing import NDArray

from whyspiking.errors import UserError
from whyspiking_exchange.nir import model
from whyspiking_exchange.nir.layers import INPUT, VALUE, Layer, Layers, Readout, Synapses
from whyspiking_exchange.nir.model import Steps

_FIRST = [
    "n_steps = output.shape[1]",
    "first = np.where(output.any(axis=1), output.argmax(axis=1), n_steps)",
]
_VOTES = "votes = output.argmax(axis=2)[:, :, None] == np.arange(N_OUTPUT)"
READOUTS: Mapping[str, tuple[str, Sequence[str]]] = {
    "count": (
        "the output with most spikes, of several the one that fired first; -1 where none fires",
        [
            *_FIRST,
            "counts = output.sum(axis=1)",
            "most = counts == counts.max(axis=1, keepdims=True)",
            "winner = np.where(most, first, n_steps).argmin(axis=1)",
            "return np.where(counts.any(axis=1), winner, -1)",
        ],
    ),
    "first": (
        "the output that fires first, of several the lower one; -1 where none fires",
        [*_FIRST, "return np.where(first.min(axis=1) < n_steps, first.argmin(axis=1), -1)"],
    ),
    "max": (
        "the output with the highest potential at any time",
        ["return output.max(axis=1).argmax(axis=1)"],
    ),
    "sum": (
        "the output with the largest sum of its potential over the steps",
        ["return output.sum(axis=1).argmax(axis=1)"],
    ),
    "last": (
        "the output with the highest potential at the end",
        ["return output[:, -1].argmax(axis=1)"],
    ),
    "vote": (
        "the output with the highest potential in most steps",
        [_VOTES, "return votes.sum(axis=1).argmax(axis=1)"],
    ),
    "each": (
        "in every step the output with the highest potential",
        ["return output.argmax(axis=2)"],
    ),
    "potential": (
        "none: the potential of the first output in every step",
        ["return output[:, :, 0]"],
    ),
}
"""What decides -> how it is told, and the code for `output`, (sample, step, output)."""
OF_SPIKES = ("count", "first")
LARGEST_RUN = 2_000_000
"""Synapses of all samples that run side by side."""
MOST_SAMPLES = 200


def script(
    layers: Layers, steps: Steps, readout: Readout, *, file: str, name: str
) -> tuple[str, dict[str, NDArray]]:
    """A network as a script and the arrays that lie beside it.

    Args:
        layers: The network.
        steps: What its file leaves open.
        readout: How decisions are read.
        file: Where the network comes from, for the reader.
        name: How the script will be called.

    Raises:
        UserError: If a node takes part in what Brian2's equations cannot say in this order, or the
            readout is for another output.
    """
    check_readout(readout.name, layers, file, READOUTS)
    arrays: dict[str, NDArray] = {}
    written = [_Section(layers, layer, steps, arrays) for layer in layers.layers]
    sizes = [layer.size for layer in layers.layers]
    n_synapses = sum(int(np.count_nonzero(s.weights)) for s in layers.synapses)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("whyspiking_exchange.nir", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    text = environment.get_template("script.py.j2").render(
        title=f"A spiking network in Brian2: {layers.n_in} inputs, layers of "
        f"{', '.join(map(str, sizes))} neurons.",
        file=_plain(file),
        script=_plain(name),
        says=says(readout),
        gives="True where it fires" if layers.gives_spikes else "potentials",
        gives_spikes=layers.gives_spikes,
        output_variable=f"v{_suffixes(layers.layer(layers.output[0]))[layers.output[1]]}",
        delays=any(s.delays is not None for s in layers.synapses),
        together=max(1, min(MOST_SAMPLES, LARGEST_RUN // max(1, n_synapses))),
        step_ms=repr(float(steps.step_ms)),
        n_in=layers.n_in,
        layers=written,
        method="in_order" if steps.solver == "euler" else '"exact"',
        window=f"{readout.start}:{'' if readout.stop is None else readout.stop}",
        start=readout.start,
        kept=readout.kept,
        decide=READOUTS[readout.name][1],
    )
    return text, arrays


def says(readout: Readout) -> str:
    """A readout in words."""
    told = READOUTS[readout.name][0]
    if readout.start or readout.stop is not None:
        until = "the end" if readout.stop is None else f"step {readout.stop}"
        told += f"; steps from {readout.start} to {until} count"
    return told + ", with what is left of before taken off" * bool(readout.kept)


def check_readout(name: str, layers: Layers, file: str, known: Iterable[str]) -> None:
    """Refuse a readout that is for another output.

    Raises:
        UserError: Naming those of the known ones that are for this one.
    """
    if (name in OF_SPIKES) != layers.gives_spikes:
        fitting = [r for r in known if (r in OF_SPIKES) == layers.gives_spikes]
        gives = "spikes" if layers.gives_spikes else "potentials"
        raise UserError(
            f"{file}: its output is {gives}, but the readout is '{name}'; expected one of "
            f"{', '.join(fitting)}; correct --readout"
        )


def _plain(text: str) -> str:
    """A text that cannot end a string or a comment of the script."""
    return re.sub(r"[^\w .,()+-]", "_", text)


class _Section:
    """What the template takes for a layer: its names, equations and statements."""

    def __init__(
        self, layers: Layers, layer: Layer, steps: Steps, arrays: dict[str, NDArray]
    ) -> None:
        self.layers, self.layer, self.steps, self.arrays = layers, layer, steps, arrays
        self.suffixes = _suffixes(layer)
        self.name, self.size = layer.name, layer.size
        kinds = [f"{s.kind} '{_plain(s.node)}'" for s in layer.states if s.kind != VALUE]
        self.says = f"{layer.size} neurons, {', '.join(kinds) or 'the sum of what arrives'}"
        self.parameters: dict[str, str] = {}
        self.equations: list[str] = []
        self.spikes: dict[str, str] = {}
        self.statements: list[str] = []
        self.synapses: list[dict[str, str]] = []
        self.arriving = [s for s in layers.synapses if s.post == layer.name]
        starts = []
        for k, state in enumerate(self.layer.states):
            names = self._parameters(k)
            self._state(k, names)
            if np.any(state.parameters.get("v_leak", 0)):
                starts.append(f'{self.name}.v{self.suffixes[k]} = "{names["v_leak"]}"')
        self._spikes()
        self.statements += starts
        if self.arriving:
            states = sorted({s.state for s in self.arriving})
            cleared = "\\n".join(f"I{self.suffixes[k]} = 0" for k in states)
            self._regularly(cleared, f"{self.name}_resets")
        for synapses in self.arriving:
            self._connect(synapses)
        self._record()

    def _parameters(self, k: int) -> dict[str, str]:
        """Names in the script by those of NIR; values above the equations, or in the arrays."""
        names = {}
        state = self.layer.states[k]
        for key, values in model.numbers(state, self.steps).items():
            if key in ("bias", "onset") and not state.bias.any():
                continue
            if not np.isfinite(values).all():
                raise UserError(
                    f"node '{state.node}': {key} is not finite in steps of "
                    f"{self.steps.graph_step_ms:g} ms of the file; correct --graph-step-ms"
                )
            name, time = f"{key}{self.suffixes[k]}", key.startswith(("tau", "onset"))
            names[key] = name
            if key == "onset":  # in steps; half of one before the step that it names
                values = (values - 0.5) * self.steps.step_ms
            unit = " * ms" if time else ""
            if (values == values[0]).all():
                self.parameters[name] = f"{float(values[0])!r}{unit}"
                continue
            at = f"{self.name}.{name}"
            self.arrays[at] = values
            self.equations.append(f"{name} : {'second' if time else '1'} (constant)")
            self.statements.append(f'{at} = np.tile(ARRAYS["{at}"], n){unit}')
        return names

    def _state(self, k: int, names: Mapping[str, str]) -> None:
        """The equations of a state, for the input that reaches it."""
        state, end = self.layer.states[k], self.suffixes[k]
        parts = [f"v{self.suffixes[j]}" for j in state.fed_by]
        parts += [f"I{end}"] if any(s.state == k for s in self.arriving) else []
        if "bias" in names and state.onset is not None:
            parts.append(f"bias_now{end}")
            flows = f"{names['bias']} * int(t > {names['onset']})"
            self.equations.append(f"bias_now{end} = {flows} : 1 (constant over dt)")
        elif "bias" in names:
            parts.append(names["bias"])
        fed = " + ".join(parts) or "0"
        kind, v, i = state.kind, f"v{end}", f"i_syn{end}"
        own = f"{v} : 1"
        if kind in ("Threshold", VALUE):
            own = f"{v} = {fed} : 1"
        elif kind in ("IF", "I"):
            step = "" if self.steps.solver == "euler" else f"{self.steps.graph_step_ms * 1e-3!r} * "
            self._adds(k, f"{v} += {step}{names['r']} * ({fed})")
        else:
            self._in_order(k)
            cuba = kind.startswith("Cuba")
            tau = names["tau_mem" if cuba else "tau"]
            into = f"{names['r']} * " + (i if cuba else f"({fed})")
            own = f"d{v}/dt = ({names['v_leak']} - {v} + {into}) / {tau} : 1"
            if cuba:
                rate = f"({names['w_in']} * ({fed}) - {i}) / {names['tau_syn']}"
                self.equations.append(f"d{i}/dt = {rate} : 1")
        self.equations.append(own)
        if any(s.state == k for s in self.arriving):
            self.equations.append(f"I{end} : 1  # what arrives in a step")

    def _adds(self, k: int, statement: str) -> None:
        """A state without leak adds its input once a step, before or after the others advance."""
        state = self.layer.states[k]
        after = [s.node for s in self.layer.states if k in s.fed_by]
        before = [self.layer.states[j] for j in state.fed_by]
        if after and any(s.kind not in ("IF", "I") for s in before):
            raise self._no_order(state.node, after[0])
        order = -1 if after else 1
        self._regularly(statement, f"{self.name}_advances", order)

    def _in_order(self, k: int) -> None:
        """Refuse what Brian2's exact solution would take together, and the engine one by one."""
        state = self.layer.states[k]
        if self.steps.solver == "euler":
            return
        if fed := [self.layer.states[j].node for j in state.fed_by]:
            raise self._no_order(fed[0], state.node)
        mem, syn = (state.parameters.get(key, np.zeros(1)) for key in ("tau_mem", "tau_syn"))
        if state.kind.startswith("Cuba") and (abs(syn - mem) < 1e-6 * mem).any():
            raise UserError(
                f"node '{state.node}': tau_syn equals tau_mem, and Brian2's exact solution "
                "divides by 0 then; expected two different time constants, or --solver euler. "
                "Change one of them"
            )

    def _no_order(self, first: str, then: str) -> UserError:
        return UserError(
            f"node '{first}' passes its potential on to '{then}', and a script cannot compute "
            "these nodes in this order; expected --solver euler, and leaky nodes only. Change "
            "the solver or the nodes, or run the file with `measure`"
        )

    def _regularly(self, statement: str, when: str, order: int = 0) -> None:
        more = f", order={order}" if order else ""
        self.statements.append(f'{self.name}.run_regularly("{statement}", when="{when}"{more})')

    def _spikes(self) -> None:
        """When neurons fire, and what follows."""
        k = self.layer.spiking
        if k is None:
            return
        end, kind = self.suffixes[k], self.layer.states[k].kind
        limit = ("threshold" if kind == "Threshold" else "v_threshold") + end
        self.spikes["threshold"] = f"v{end} > {limit}"
        if kind == "Threshold":
            self.spikes["reset"] = ""
            return
        self.spikes["reset"] = {
            "value": f"v{end} = v_reset{end}",
            "subtract": f"v{end} -= {limit}",
            "later": f"later = {limit}",
        }[self.steps.reset]
        if self.steps.reset == "later":
            self.equations.append("later : 1  # is taken off at the next step")
            self._regularly(f"v{end} -= later\\nlater = 0", f"{self.name}_advances", 2)

    def _connect(self, synapses: Synapses) -> None:
        weights, end = synapses.weights, self.suffixes[synapses.state]
        if synapses.pre == INPUT:
            weights = weights * self.steps.input_scale
        name = f"{synapses.pre}_to_{self.name}{end}"
        if name in self.arrays:
            name += f"_{sum(key.startswith(name) for key in self.arrays)}"
        self.arrays[name] = weights
        if synapses.delays is not None:
            late = model.late_steps(synapses.delays, self.steps)
            self.arrays[f"{name}.delay"] = late * self.steps.step_ms
        self.synapses.append(
            {
                "name": name,
                "source": "inputs" if synapses.pre == INPUT else synapses.pre,
                "on_pre": f"I{end}_post += w",
                "when": "later" if synapses.later else f"{self.name}_input",
            }
        )

    def _record(self) -> None:
        output, state = self.layers.output
        made = f"SpikeMonitor({self.name})"
        if self.name == output and not self.layers.gives_spikes:
            v = f"v{self.suffixes[state]}"
            made = f'StateMonitor({self.name}, "{v}", record=True, when="{output}_fires")'
        self.statements.append(f'recorded["{self.name}"] = {made}')


def _suffixes(layer: Layer) -> list[str]:
    """What tells the variables of a layer's states apart: nothing, or the names of the nodes."""
    if len(layer.states) == 1:
        return [""]
    names = [re.sub(r"\W+", "_", s.node, flags=re.ASCII).strip("_")[:30] for s in layer.states]
    usable = [
        re.fullmatch(r"[A-Za-z0-9]\w*", x) and not x.endswith(("_pre", "_post")) for x in names
    ]
    # `v` of a node leak_out would be called what `v_leak` of a node out is.
    alike = len(set(names)) < len(names) or any(x.endswith(f"_{y}") for x in names for y in names)
    if not all(usable) or alike or {"pre", "post"} & set(names):
        names = [f"state{k}" for k in range(len(names))]
    return [f"_{x}" for x in names]
