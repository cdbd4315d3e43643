"""A network as it is run: layers in order, their states and synapses.

Within a step, spikes go through all layers; synapses of a layer onto itself act in the next step.
So do the readers that take steps (NIRTorch with Norse, snnTorch). Nodes that pass on potentials,
one to one (LI to Threshold), are states of one layer; chains of weights are multiplied out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

SPIKING = ("LIF", "CubaLIF", "IF", "Threshold")
VALUE = "Value"
"""A state that is its input of this step: where weights lead to the output of the graph."""
INPUT, OUTPUT = "input", "output"

type Matrix = NDArray[np.float64]


@dataclass
class State:
    """One node of a layer: a variable of every neuron, and how it changes.

    Attributes:
        node: Its name in the file.
        kind: Of NIR, or `VALUE`.
        parameters: By NIR's names, (neuron,) each; time constants in s of the graph.
        bias: Current in every step, (neuron,).
        onset: When in a trial it begins, (neuron,), in s of the graph; None: at the start.
        fed_by: States of the same layer whose values are added to its input.
    """

    node: str
    kind: str
    parameters: dict[str, Matrix]
    bias: Matrix
    onset: Matrix | None = None
    fed_by: list[int] = field(default_factory=list)


@dataclass
class Layer:
    """Neurons that share their states.

    Attributes:
        name: "layer1", "layer2", ... in the order in which they are run; the last is "output".
        size: Number of neurons.
        states: In the order in which they are updated.
    """

    name: str
    size: int
    states: list[State]

    @cached_property
    def spiking(self) -> int | None:
        """Which state fires; None where none does."""
        return next((k for k, s in enumerate(self.states) if s.kind in SPIKING), None)


@dataclass(frozen=True)
class Synapses:
    """Weights (pre, post) from the input or the spikes of a layer to a state of a layer.

    Delays have the same shape, in s of the graph; None: there are none.
    """

    pre: str
    post: str
    state: int
    weights: Matrix
    delays: Matrix | None = None

    @property
    def later(self) -> bool:
        """Whether they act in the next step: those of a layer onto itself."""
        return self.pre == self.post


@dataclass(frozen=True)
class Readout:
    """How decisions are read from what a graph gives.

    Attributes:
        name: One of `script.READOUTS`.
        start: First step that counts.
        stop: Step at which counting ends; None: with the trial.
        kept: Of an output that begins anew at `start`, what is left of it after a step: so much of
            what it had before is taken off. 0: it does not.
    """

    name: str
    start: int = 0
    stop: int | None = None
    kept: float = 0.0

    def window(self, output: Matrix) -> Matrix:
        """What counts of an output, (trial, step, output)."""
        counts = output[:, self.start : self.stop]
        if not self.kept:
            return counts
        left = self.kept ** np.arange(1, counts.shape[1] + 1)
        return counts - output[:, self.start - 1, None] * left[:, None]

    def decide(self, output: NDArray) -> NDArray:
        """Decisions as scripts take them: (trial,) or (trial, step), -1 where there is none.

        Args:
            output: What a graph gives, spikes as 0 and 1, or potentials: (trial, step, output).
        """
        counts = self.window(np.asarray(output, float))
        if self.name == "potential":
            return counts[:, :, 0]
        if self.name in OF_POTENTIALS:
            return OF_POTENTIALS[self.name](counts).argmax(axis=-1)
        first, total = first_step(counts), counts.sum(axis=1)
        if self.name == "count":
            fewer = total < total.max(axis=1, keepdims=True)
            first = np.where(fewer, counts.shape[1], first)
        return first_to_fire(first, counts.shape[1])


OF_POTENTIALS: Mapping[str, Callable[[Matrix], Matrix]] = {
    "max": lambda x: x.max(axis=1),
    "sum": lambda x: x.sum(axis=1),
    "last": lambda x: x[:, -1],
    "vote": lambda x: (x.argmax(axis=2)[:, :, None] == np.arange(x.shape[2])).sum(axis=1),
    "each": lambda x: x,
}
"""Readouts that take the largest -> of what, (trial, output) or (trial, step, output)."""


def first_step(outputs: NDArray) -> NDArray[np.int64]:
    """Step of the first spike of every neuron, (trial, neuron); the number of steps where none.

    Args:
        outputs: (trial, time, neuron), 0 or 1.
    """
    fired = np.asarray(outputs) > 0
    return np.where(fired.any(axis=1), fired.argmax(axis=1), fired.shape[1])


def first_to_fire(steps: NDArray, never: float) -> NDArray[np.int64]:
    """Class that fires first, the lower one in a tie, -1 where none fires; steps (trial, class)."""
    return np.where(steps.min(axis=1) < never, steps.argmin(axis=1), -1)


@dataclass(frozen=True)
class Layers:
    """A network as it is run.

    Attributes:
        n_in: Number of input channels.
        layers: In the order in which they are run.
        synapses: All of them.
        output: Which layer and state the graph gives; its spikes where the state fires.
    """

    n_in: int
    layers: Sequence[Layer]
    synapses: Sequence[Synapses]
    output: tuple[str, int]

    def layer(self, name: str) -> Layer:
        """The layer of a name."""
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.layer(self.output[0]).size

    @property
    def gives_spikes(self) -> bool:
        """Whether the output is spikes, else potentials."""
        name, state = self.output
        return self.layer(name).states[state].kind in SPIKING

    @property
    def hidden(self) -> list[Layer]:
        """Those that fire and are not the output."""
        return [x for x in self.layers if x.spiking is not None and x.name != self.output[0]]
