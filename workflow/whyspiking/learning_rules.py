"""What learning rules keep in memory (M1) and need to be told (M2), as the talks declare it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

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


@dataclass(frozen=True)
class Signal:
    """Something that a synapse must be told beyond the states of its two neurons.

    Attributes:
        what: In words.
        to: Who gets it: all of a layer the same (broadcast), each neuron or each synapse its own.
        online: Whether it is known in the step in which it is needed.
    """

    what: str
    to: Literal["layer", "neuron", "synapse"]
    online: bool


@dataclass(frozen=True)
class Check:
    """Where `learning_memory` was counted from array sizes, and the sizes there as expressions."""

    experiment: str
    variant: str
    sizes: Mapping[str, str]


@dataclass(frozen=True)
class Alignment:
    """Metrics that hold M3, cosine of the rule's update with the gradient, and its null.

    Attributes:
        experiment: Where it was measured.
        variant: On which network.
        where: Which weights, or which feedback.
        cosine: Name of the metric.
        permuted: Name of the metric with the labels permuted.
    """

    experiment: str
    variant: str
    where: str
    cosine: str
    permuted: str


@dataclass(frozen=True)
class Rule:
    """One learning rule of a talk.

    Attributes:
        name: In words.
        applies: Experiment and variant of the networks that learn by it.
        synapse: M1, numbers per synapse beside the weight, as an expression in N, T, K (neurons of
            the layer, steps of a trial, outputs).
        neuron: The same per neuron, beside its state.
        shared: The same for all.
        what: What these numbers are.
        signals: M2.
        check: Where M1 is checked, if the code counts what it keeps.
        alignment: M3, where the rule and the gradient are compared.
    """

    name: str
    applies: tuple[tuple[str, str], ...]
    synapse: str
    neuron: str
    shared: str
    what: str
    signals: tuple[Signal, ...]
    check: Check | None = None
    alignment: tuple[Alignment, ...] = ()

    @property
    def places(self) -> set[tuple[str, str]]:
        """All experiments and variants that it names."""
        found = {*self.applies, *((a.experiment, a.variant) for a in self.alignment)}
        return (
            found if self.check is None else {*found, (self.check.experiment, self.check.variant)}
        )

    @property
    def online(self) -> bool:
        """Whether all its signals are known in the step in which they are needed."""
        return all(signal.online for signal in self.signals)

    @property
    def synapse_specific(self) -> int:
        """Number of signals that differ between the synapses of a neuron."""
        return sum(signal.to == "synapse" for signal in self.signals)

    @property
    def local(self) -> bool:
        """Online, no signal of a single synapse, and nothing kept that grows with the layer."""
        return self.online and not self.synapse_specific and not self.grows_with("N")

    def grows_with(self, name: Literal["N", "T"]) -> bool:
        """Whether a synapse, a neuron or the common store keeps more where N or T is larger."""
        sizes = {"N": SHORT, "T": SHORT, "K": 1}
        larger = {**sizes, name: LONG}
        return any(
            evaluate(numbers, larger) > evaluate(numbers, sizes)
            for numbers in (self.synapse, self.neuron, self.shared)
        )

    def numbers(self, sizes: Mapping[str, float]) -> float:
        """All numbers kept by a layer of N neurons with S synapses.

        Args:
            sizes: S, N, T and K.
        """
        per_synapse, per_neuron, shared = (
            evaluate(numbers, sizes) for numbers in (self.synapse, self.neuron, self.shared)
        )
        return sizes["S"] * per_synapse + sizes["N"] * per_neuron + shared


def from_entry(entry: Mapping[str, Any]) -> Rule:
    """A rule as talk.yaml describes it."""
    check = None
    if "check" in entry:
        sizes = {name: entry["check"][name] for name in "SNTK"}
        check = Check(*_place(entry["check"]["of"]), sizes)
    return Rule(
        name=entry["rule"],
        applies=tuple(map(_place, entry["applies"])),
        signals=tuple(Signal(s["what"], s["to"], s["online"]) for s in entry["signals"]),
        check=check,
        alignment=tuple(
            Alignment(*_place(a["of"]), a["where"], a["cosine"], a["permuted"])
            for a in entry.get("alignment", ())
        ),
        **entry["memory"],
    )


def _place(name: str) -> tuple[str, str]:
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
            f"learning: cannot work out '{expression}' ({error}); use numbers, + - * / ** and the "
            f"names {sorted(names)}"
        ) from None


def _value(node: ast.expr, names: Mapping[str, Any]) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
        return OPERATIONS[type(node.op)](_value(node.left, names), _value(node.right, names))
    raise TypeError(f"{type(node).__name__} is not allowed")
