"""A graph as layers in the order in which they are run: what its nodes and edges come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from whyspiking.errors import UserError
from whyspiking.nir.graph import Graph
from whyspiking.nir.layers import (
    INPUT,
    OUTPUT,
    SPIKING,
    VALUE,
    Layer,
    Layers,
    Matrix,
    State,
    Synapses,
)
from whyspiking.nir.reading import LARGEST_ARRAY, NEURONS, SYNAPSES

MOST_NEURONS = 20_000
"""Of one layer."""


def arranged(graph: Graph, where: str = "the graph") -> Layers:
    """The layers of a graph.

    Args:
        graph: As `reading.read` gives it.
        where: What messages call it.

    Raises:
        UserError: If sizes do not fit, or there are loops or paths that cannot be run here.
    """
    try:
        return _Arranging(graph, where).layers()
    except RecursionError:
        raise UserError(
            f"{where}: too many nodes of weights in a row; expected a few; multiply them out"
        ) from None


@dataclass
class _Sum:
    """What reaches a node: a bias, and weights (post, pre) by source; None: one to one."""

    bias: Matrix | None = None
    terms: dict[str, Matrix | None] = field(default_factory=dict)


class _Arranging:
    def __init__(self, graph: Graph, where: str) -> None:
        self.where = where
        self.nodes: Mapping[str, tuple[str, dict[str, Any]]] = graph.nodes
        self.before: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for a, b in dict.fromkeys(graph.edges):
            self.before[b].append(a)
        self.sums: dict[str, _Sum] = {}
        self.made = 0
        self.input = self._only("Input")
        self.end = self._only("Output")
        self.neurons = [name for name, (kind, _) in self.nodes.items() if kind in NEURONS]
        self.into = {name: self._into(name, ()) for name in [*self.neurons, self.end]}
        self.sizes = self._sizes()

    def wrong(self, what: str, expected: str, remedy: str) -> UserError:
        return UserError(f"{self.where}: {what}; expected {expected}; {remedy}")

    def kind(self, name: str) -> str:
        return self.nodes[name][0]

    def _only(self, kind: str) -> str:
        found = [name for name, (own, _) in self.nodes.items() if own == kind]
        if len(found) != 1:
            raise self.wrong(
                f"it has {len(found)} nodes of type {kind}", "one", "join or remove the others"
            )
        return found[0]

    # ---- weights ----

    def _into(self, name: str, on_the_way: tuple[str, ...]) -> _Sum:
        """What reaches a node from input and neurons, all weights on the way multiplied out."""
        total = _Sum()
        for before in self.before[name]:
            part = self._out_of(before, (*on_the_way, name))
            total.bias = _added(total.bias, part.bias) if part.bias is not None else total.bias
            for source, weights in part.terms.items():
                if source in total.terms:
                    weights = self._both(total.terms[source], weights, source)
                total.terms[source] = weights
        return total

    def _both(self, one: Matrix | None, other: Matrix | None, source: str) -> Matrix:
        """Two paths from one source."""
        sizes = [len(w) for w in (one, other) if w is not None]
        if not sizes:
            raise self.wrong(
                f"two edges lead from '{source}' to one node", "one", "remove the other"
            )
        eye = self._diagonal(np.ones(sizes[0]), source)
        first, second = (eye if w is None else w for w in (one, other))
        if first.shape != second.shape:
            raise self.wrong(
                f"two paths from '{source}' have weights {first.shape} and {second.shape}",
                "equal shapes",
                "correct the sizes",
            )
        return first + second

    def _out_of(self, name: str, on_the_way: tuple[str, ...]) -> _Sum:
        kind, values = self.nodes[name]
        if kind in NEURONS or kind == "Input":
            return _Sum(None, {name: None})
        if kind == "Output":
            raise self.wrong(f"an edge leaves output '{name}'", "none", "remove it")
        if name in on_the_way:
            raise self.wrong(
                f"a loop through '{name}' has no neuron in it", "a neuron there", "remove an edge"
            )
        if name not in self.sums:
            self.sums[name] = self._through(name, values, self._into(name, on_the_way))
        return self.sums[name]

    def _through(self, name: str, values: Mapping[str, Matrix], given: _Sum) -> _Sum:
        """What leaves a node of weights, or one that only passes on."""
        if self.kind(name) not in SYNAPSES:
            return given
        scaled = self.kind(name) == "Scale"
        weights = self._diagonal(values["scale"], name) if scaled else values["weight"]
        if weights.ndim != 2:
            raise self.wrong(
                f"weights of '{name}' have shape {weights.shape}",
                "two axes, (post, pre)",
                "export a Linear or Affine node",
            )
        found = _Sum(values.get("bias"))
        if found.bias is not None:
            found.bias = np.ravel(found.bias)
            if found.bias.size not in (1, len(weights)):
                raise self.misfit(name, "bias", found.bias.size, len(weights))
            found.bias = np.broadcast_to(found.bias, len(weights)).copy()
        if given.bias is not None:
            if given.bias.size != weights.shape[1]:
                raise self.misfit(name, "inputs", weights.shape[1], given.bias.size)
            found.bias = _added(found.bias, weights @ given.bias)
        for source, first in given.terms.items():
            if first is not None and len(first) != weights.shape[1]:
                raise self.misfit(name, "inputs", weights.shape[1], len(first))
            if first is not None:
                self._count(len(weights) * first.shape[1], name)
            found.terms[source] = weights if first is None else weights @ first
        return found

    def _diagonal(self, values: Matrix, name: str) -> Matrix:
        self._count(np.size(values) ** 2, name)
        return np.diag(np.ravel(values))

    def _count(self, n: int, name: str) -> None:
        """Refuse files that are small and make much."""
        self.made += n
        if self.made > 2 * LARGEST_ARRAY:
            raise self.wrong(
                f"weights up to '{name}' come to {self.made} numbers when multiplied out",
                f"at most {2 * LARGEST_ARRAY}",
                "use fewer neurons, or fewer nodes in a row",
            )

    def misfit(self, name: str, what: str, found: int, expected: int) -> UserError:
        return self.wrong(
            f"node '{name}' has {found} {what}",
            f"{expected}, as what it is connected with",
            "correct it",
        )

    # ---- sizes ----

    def _sizes(self) -> dict[str, int]:
        """Number of neurons of every node; libraries may write one number for all of them."""
        sizes = {self.input: int(self.nodes[self.input][1]["size"])}
        for _ in range(len(self.neurons) + 1):
            for name in self.neurons:
                own = [np.size(v) for v in self.nodes[name][1].values() if np.size(v) > 1]
                own += [
                    sizes[source] if weights is None else len(weights)
                    for source, weights in self.into[name].terms.items()
                    if weights is not None or source in sizes
                ]
                bias = self.into[name].bias
                own += [] if bias is None else [bias.size]
                if own:
                    if min(own) != max(own):
                        raise self.misfit(name, "neurons", max(own), min(own))
                    sizes[name] = own[0]
        for name in self.neurons:
            if name not in sizes:
                sizes[name] = max(1, *(np.size(v) for v in self.nodes[name][1].values()))
            if sizes[name] > MOST_NEURONS:
                raise self.wrong(
                    f"'{name}' has {sizes[name]} neurons", f"at most {MOST_NEURONS}", "use fewer"
                )
        for name, into in self.into.items():
            for source, weights in into.terms.items():
                if weights is not None and weights.shape[1] != sizes[source]:
                    raise self.misfit(
                        name, f"inputs from '{source}'", weights.shape[1], sizes[source]
                    )
        return sizes

    # ---- layers ----

    def layers(self) -> Layers:
        groups = self._groups()
        of_node = {name: k for k, group in enumerate(groups) for name in group}
        end = self.into[self.end]
        direct = [s for s, w in end.terms.items() if w is None]
        if not end.terms or self.input in end.terms:
            raise self.wrong("its output comes from no neuron", "neurons before it", "add them")
        if direct and (len(end.terms) > 1 or end.bias is not None):
            raise self.wrong("several things are added up in its output", "one node", "add weights")
        told = [s for s, w in end.terms.items() if w is not None and self.kind(s) not in SPIKING]
        if told:
            raise self._no_potentials(told[0], self.end)
        after: dict[int, set[int]] = {k: set() for k in range(len(groups))}
        for name in self.neurons:
            for source in self.into[name].terms:
                if source in of_node and of_node[source] != of_node[name]:
                    after[of_node[name]].add(of_node[source])
        try:
            order = list(TopologicalSorter(after).static_order())
        except CycleError as error:
            through = ", ".join(f"'{groups[k][0]}'" for k in error.args[1][1:])
            raise self.wrong(
                f"there is a loop through {through}",
                "layers one after the other, and synapses of a layer onto itself",
                "which of several layers comes first in a step, NIR leaves open",
            ) from None
        found, places = [], {}
        for number, k in enumerate(order, 1):
            last = bool(direct) and direct[0] in groups[k]
            name = OUTPUT if last else f"layer{number}"
            found.append(Layer(name, self.sizes[groups[k][0]], self._states(groups[k])))
            places |= {node: (name, i) for i, node in enumerate(groups[k])}
        synapses = [s for name in self.neurons for s in self._synapses(name, places[name], places)]
        if direct:
            output = places[direct[0]]
        else:
            size = self._outputs(end)
            bias = np.zeros(size) if end.bias is None else end.bias
            found.append(Layer(OUTPUT, size, [State(self.end, VALUE, {}, bias)]))
            output = (OUTPUT, 0)
            synapses += self._synapses(self.end, output, places)
        self._check_used(found, synapses, output)
        return Layers(self.sizes[self.input], found, synapses, output)

    def _outputs(self, end: _Sum) -> int:
        sizes = {len(w) for w in end.terms.values() if w is not None}
        if len(sizes) != 1:
            raise self.wrong(f"its outputs come in sizes {sorted(sizes)}", "one", "correct it")
        return sizes.pop()

    def _groups(self) -> list[list[str]]:
        """Nodes that pass potentials on to each other, in the order of their updates."""
        fed = {
            name: [
                s for s in self.into[name].terms if s != self.input and self.kind(s) not in SPIKING
            ]
            for name in self.neurons
        }
        together = {name: {name} for name in self.neurons}
        for name, sources in fed.items():
            for source in sources:
                if self.into[name].terms[source] is not None:
                    raise self._no_potentials(source, name)
                joined = together[name] | together[source]
                for member in joined:
                    together[member] = joined
        groups: list[list[str]] = []
        for name in self.neurons:
            if any(name in group for group in groups):
                continue
            try:
                order = TopologicalSorter({m: fed[m] for m in self.neurons if m in together[name]})
                groups.append(list(order.static_order()))
            except CycleError:
                raise self.wrong(
                    f"potentials run in a circle through '{name}'",
                    "a spike or a Threshold in between",
                    "close the circle with spikes",
                ) from None
            firing = [m for m in groups[-1] if self.kind(m) in SPIKING]
            if len(firing) > 1:
                raise self.wrong(
                    f"'{firing[0]}' and '{firing[1]}' fire on one potential",
                    "one of them",
                    "split it",
                )
        return groups

    def _no_potentials(self, source: str, name: str) -> UserError:
        return self.wrong(
            f"potentials of '{source}' go through weights to '{name}'",
            "spikes before weights",
            "put the weights before the leaky integrators, which comes to the same",
        )

    def _states(self, group: Sequence[str]) -> list[State]:
        states = []
        for name in group:
            (kind, values), n, bias = self.nodes[name], self.sizes[name], self.into[name].bias
            own = {key: np.broadcast_to(np.ravel(v), n).copy() for key, v in values.items()}
            sources = [s for s in self.into[name].terms if s in group]
            fed_by = [group.index(s) for s in sources if self.kind(s) not in SPIKING]
            states.append(State(name, kind, own, np.zeros(n) if bias is None else bias, fed_by))
        return states

    def _synapses(
        self, name: str, place: tuple[str, int], places: Mapping[str, tuple[str, int]]
    ) -> list[Synapses]:
        found = []
        for source, weights in self.into[name].terms.items():
            if source != self.input and self.kind(source) not in SPIKING:
                continue
            if weights is None:
                weights = self._diagonal(np.ones(self.sizes[source]), source)
            pre = INPUT if source == self.input else places[source][0]
            found.append(Synapses(pre, *place, np.ascontiguousarray(weights.T)))
        return found

    def _check_used(
        self, found: Sequence[Layer], synapses: Sequence[Synapses], output: tuple[str, int]
    ) -> None:
        """Refuse what the reading of the graph would silently leave out."""
        feeding = {s.pre for s in synapses if not s.later}
        for layer in found:
            if layer.name != output[0] and layer.name not in feeding:
                raise self.wrong(
                    f"'{layer.states[-1].node}' leads nowhere", "a way to the output", "remove it"
                )
        if INPUT not in feeding:
            raise self.wrong("its input reaches no neuron", "a way there", "add an edge")


def _added(one: Matrix | None, other: Matrix) -> Matrix:
    return other if one is None else one + other
