"""What learning rules keep in memory (M1) and need to be told (M2), as the talks declare it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from whyspiking.declared.strict_yaml import Block, Listed, MayLack, Some
from whyspiking.errors import UserError

LONG, SHORT = 1000, 10
"""Durations of a trial, or sizes of a layer, between which growth shows."""
OPERATIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
NETWORK = "[a-z0-9_]+/[a-z0-9_]+"
Trained = Annotated[str, Field(pattern=f"^{NETWORK}$")]
"""A trained network: "experiment/variant"."""
Numbers = Annotated[str, Field(pattern="^[0-9NTK */+()-]+$")]
"""An expression in N, T and K: neurons of the layer, steps of a trial, outputs."""


class Signal(Block):
    """Something that a synapse must be told beyond the states of its two neurons.

    Attributes:
        description: In words.
        recipient: Who gets it: all of a layer the same (broadcast), each neuron or each synapse
            its own.
        online: Whether it is known in the step in which it is needed.
    """

    description: str = Field(min_length=5)
    recipient: Literal["layer", "neuron", "synapse"]
    online: bool


class Check(Block):
    """Where `learning_memory` is what `memory` says, with S synapses.

    The sizes there are expressions in the parameters of the experiment.

    Attributes:
        network: "experiment/variant".
        S: Synapses.
        N: Neurons.
        T: Time steps.
        K: Outputs.
    """

    network: Trained
    S: str
    N: str
    T: str
    K: str

    @property
    def experiment(self) -> str:
        """Where it was measured."""
        return split(self.network)[0]

    @property
    def variant(self) -> str:
        """On which network."""
        return split(self.network)[1]

    @property
    def sizes(self) -> dict[str, str]:
        """The expressions, by name."""
        return {"S": self.S, "N": self.N, "T": self.T, "K": self.K}


class Memory(Block):
    """M1, numbers that a rule keeps beside weights, neurons' states and the optimiser.

    Attributes:
        synapse: Per synapse.
        neuron: Per neuron.
        shared: For all.
        description: What these numbers are.
    """

    synapse: Numbers
    neuron: Numbers
    shared: Numbers
    description: str = Field(min_length=5)


class Rule(Block):
    """One learning rule of a talk.

    Attributes:
        learning_rule: Its name, in words; of a rule that is read, the attribute `name`.
        networks: Those that learn by it.
        memory: M1.
        signals: M2.
        check: Where M1 is checked, if the code counts what it keeps.
    """

    name: str = Field(alias="learning_rule", min_length=5)
    networks: Some[Trained]
    memory: Memory
    signals: Listed[Signal]
    check: MayLack[Check] = None

    @property
    def learners(self) -> tuple[tuple[str, str], ...]:
        """Experiment and variant of the networks that learn by it."""
        return tuple(split(name) for name in self.networks)

    @property
    def places(self) -> set[tuple[str, str]]:
        """All experiments and variants that it names."""
        checked = {(self.check.experiment, self.check.variant)} if self.check else set()
        return {*self.learners, *checked}

    @property
    def online(self) -> bool:
        """Whether all its signals are known in the step in which they are needed."""
        return all(signal.online for signal in self.signals)

    @property
    def local(self) -> bool:
        """Online, no signal of a single synapse, and nothing kept that grows with the layer."""
        to_synapses = any(signal.recipient == "synapse" for signal in self.signals)
        return self.online and not to_synapses and not self.grows_with("N")

    def grows_with(self, name: Literal["N", "T"]) -> bool:
        """Whether a synapse, a neuron or the common store keeps more where N or T is larger."""
        sizes = {"N": SHORT, "T": SHORT, "K": 1}
        larger = {**sizes, name: LONG}
        return any(
            evaluate(numbers, larger) > evaluate(numbers, sizes)
            for numbers in (self.memory.synapse, self.memory.neuron, self.memory.shared)
        )

    def numbers(self, sizes: Mapping[str, float]) -> float:
        """All numbers kept by a layer of N neurons with S synapses.

        Args:
            sizes: S, N, T and K.
        """
        kept = self.memory
        per_synapse, per_neuron, shared = (
            evaluate(numbers, sizes) for numbers in (kept.synapse, kept.neuron, kept.shared)
        )
        return sizes["S"] * per_synapse + sizes["N"] * per_neuron + shared


def split(name: str) -> tuple[str, str]:
    """Experiment and variant of "experiment/variant"."""
    experiment, _, variant = name.partition("/")
    return experiment, variant


def evaluate(expression: str, names: Mapping[str, Any]) -> float:
    """The value of an arithmetic expression: numbers, names, + - * / **, brackets.

    Args:
        expression: For instance "2 * T".
        names: Values of the names.

    Raises:
        UserError: If it holds anything else, or an unknown name.
    """
    try:
        return float(_value(ast.parse(expression, mode="eval").body, names))
    except (SyntaxError, KeyError, TypeError) as error:
        raise UserError(
            f"learning: the expression '{expression}' cannot be evaluated ({error}). Use numbers, "
            f"+ - * / ** and the names {sorted(names)}"
        ) from None


def _value(node: ast.expr, names: Mapping[str, Any]) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        return OPERATIONS[type(node.op)](_value(node.left, names), _value(node.right, names))
    raise TypeError(f"{type(node).__name__} is not allowed")
