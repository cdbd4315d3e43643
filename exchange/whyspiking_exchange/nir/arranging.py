"""A graph as layers in the order in which they are run: what its nodes and edges come to."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from whyspiking.errors import UserError
from whyspiking_exchange.nir import reading
from whyspiking_exchange.nir.graph import Graph
from whyspiking_exchange.nir.layers import (
    INPUT,
    OUTPUT,
    SPIKING,
    VALUE,
    Layer,
    Layers,
    State,
    Synapses,
)
from whyspiking_exchange.nir.paths import CONSTANT, Matrix, Path, Paths
from whyspiking_exchange.nir.reading import LARGEST_ARRAY, NEURONS, SYNAPSES

MOST_NEURONS = 20_000
"""Of one layer."""
MOST_PATHS = 1000
"""That reach one node, each with its delays: a small file can make as many as it likes."""
REFUSED = 3
"""Exit status of the process that tries a file, where it has a message."""
MOST_MEMORY = 4 * 2**30
"""Of that process, in bytes."""


def read(path: FilePath, seconds: int = 60) -> Layers:
    """The layers in a .nir file, which a process of its own reads first, for it may hang or crash.

    Args:
        path: The file.
        seconds: CPU time that this process may take.

    Raises:
        UserError: If the file is missing, damaged or hostile, or holds nothing that can be run.
    """
    words = [sys.executable, "-m", __name__, str(path), str(seconds)]
    tried = subprocess.run(words, capture_output=True, text=True, check=False)
    if tried.returncode == REFUSED:
        raise UserError(tried.stderr.strip())
    if tried.returncode:
        raise UserError(
            f"{path}: HDF5 hangs, crashes or needs too much memory when it reads this file; "
            "expected a complete file as nir.write makes it. Export the network again"
        )
    return arranged(reading.read(path), str(path))


def main(path: str, seconds: str) -> int:
    """What that process does."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        arranged(reading.read(FilePath(path)), path)
    except UserError as error:
        print(error, file=sys.stderr)
        return REFUSED
    return 0


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
            f"{where}: the file has too many weight nodes in a row; expected a few. Multiply "
            "their matrices and write one node"
        ) from None


class _Arranging:
    def __init__(self, graph: Graph, where: str) -> None:
        self.where = where
        self.nodes: Mapping[str, tuple[str, dict[str, Any]]] = graph.nodes
        self.before: dict[str, list[str]] = {name: [] for name in graph.nodes}
        for a, b in dict.fromkeys(graph.edges):
            self.before[b].append(a)
        self.leaving: dict[str, Paths] = {}
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

    def _into(self, name: str, on_the_way: tuple[str, ...]) -> Paths:
        """What reaches a node, all weights on the way multiplied out."""
        found: Paths = []
        for before in self.before[name]:
            found += self._out_of(before, (*on_the_way, name))
            if len(found) > MOST_PATHS:
                raise self.wrong(
                    f"more than {MOST_PATHS} paths lead to '{name}'",
                    "fewer",
                    "replace consecutive Delay nodes by one Delay, and put neurons between "
                    "the other nodes",
                )
        return found

    def _out_of(self, name: str, on_the_way: tuple[str, ...]) -> Paths:
        kind, values = self.nodes[name]
        if kind in NEURONS or kind == "Input":
            return [(name, Path(None))]
        if kind == "Output":
            raise self.wrong(f"an edge leaves output '{name}'", "none", "remove it")
        if name in on_the_way:
            raise self.wrong(
                f"a loop through '{name}' has no neuron in it", "a neuron there", "remove an edge"
            )
        if name not in self.leaving:
            self.leaving[name] = self._through(name, values, self._into(name, on_the_way))
        return self.leaving[name]

    def _through(self, name: str, values: Mapping[str, Matrix], given: Paths) -> Paths:
        """What leaves a node of weights, or one that only passes on."""
        if self.kind(name) not in SYNAPSES:
            return given
        if self.kind(name) == "Delay":
            return self._delayed(name, np.ravel(values["delay"]), given)
        scaled = self.kind(name) == "Scale"
        weights = self._diagonal(values["scale"], name) if scaled else values["weight"]
        if weights.ndim != 2:
            raise self.wrong(
                f"weights of '{name}' have shape {weights.shape}",
                "two axes, (post, pre)",
                "export a Linear or Affine node",
            )
        found: Paths = []
        if "bias" in values:
            bias = np.ravel(values["bias"])
            if bias.size not in (1, len(weights)):
                raise self.misfit(name, "bias", bias.size, len(weights))
            found.append((CONSTANT, Path(np.broadcast_to(bias, len(weights))[:, None])))
        for source, path in given:
            first, delays = path.weights, path.delays
            if path.size not in (0, weights.shape[1]):
                raise self.misfit(name, "inputs", weights.shape[1], path.size)
            if first is not None:
                self._count(len(weights) * first.shape[1], name)
                if delays is not None and np.ptp(delays, axis=0).any():
                    raise self.wrong(
                        f"weights '{name}' add signals that arrive from one source with "
                        "different delays",
                        "delays that differ only before all weights, or after them",
                        "put the Delay behind these weights, or write one path for each delay",
                    )
                delays = None if delays is None else delays[0]
            made = weights if first is None else weights @ first
            late = None if delays is None else np.broadcast_to(delays, made.shape)
            found.append((source, Path(made, late)))
        return found

    def _delayed(self, name: str, delays: Matrix, given: Paths) -> Paths:
        """What leaves a Delay."""
        for _, path in given:
            if delays.size > 1 and path.size not in (0, delays.size):
                raise self.misfit(name, "delays", delays.size, path.size)
            self._count(delays.size if path.weights is None else path.weights.size, name)
        return [(source, path.late(delays)) for source, path in given]

    def _flowing(self, name: str, n: int) -> tuple[Matrix, Matrix | None]:
        """Bias of a node, and when it begins to flow in s, (neuron,); None: at the start."""
        bias, onsets = np.zeros(n), []
        for source, path in self.into[name]:
            if source == CONSTANT and path.weights is not None:
                bias = bias + path.weights[:, 0]
                onsets.append(None if path.delays is None else path.delays[:, 0].copy())
        if any(not np.array_equal(onsets[0], onset) for onset in onsets):
            raise self.wrong(
                f"biases reach '{name}' through several delays", "one", "put biases behind them"
            )
        return bias, onsets[0] if onsets else None

    def _diagonal(self, values: Matrix, name: str) -> Matrix:
        self._count(np.size(values) ** 2, name)
        return np.diag(np.ravel(values))

    def _count(self, n: int, name: str) -> None:
        """Refuse files that are small and make much."""
        self.made += n
        if self.made > 2 * LARGEST_ARRAY:
            raise self.wrong(
                f"the weight matrices up to '{name}' have {self.made} numbers when they are "
                "multiplied",
                f"at most {2 * LARGEST_ARRAY}",
                "use fewer neurons, or fewer nodes in a row",
            )

    def misfit(self, name: str, what: str, found: int, expected: int) -> UserError:
        return self.wrong(
            f"node '{name}' has {found} {what}",
            f"{expected}, as many as the node that it is connected with",
            "correct it",
        )

    # ---- sizes ----

    def _sizes(self) -> dict[str, int]:
        """Number of neurons of every node; libraries may write one number for all of them."""
        sizes = {CONSTANT: 1, self.input: int(self.nodes[self.input][1]["size"])}
        for _ in range(len(self.neurons) + 1):
            for name in self.neurons:
                own = [np.size(v) for v in self.nodes[name][1].values() if np.size(v) > 1]
                own += [path.size or sizes.get(source, 0) for source, path in self.into[name]]
                if own := [n for n in own if n]:
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
            for source, path in into:
                n = path.size if path.weights is None else path.weights.shape[1]
                if n not in (0, sizes[source]):
                    raise self.misfit(name, f"inputs from '{source}'", n, sizes[source])
        return sizes

    # ---- layers ----

    def layers(self) -> Layers:
        groups = self._groups()
        of_node = {name: k for k, group in enumerate(groups) for name in group}
        end = self.into[self.end]
        direct = [s for s, path in end if path.weights is None]
        if not self._sources(self.end) or self.input in self._sources(self.end):
            raise self.wrong(
                "no neuron reaches its output", "neurons before the output", "add them"
            )
        if direct and len(end) > 1:
            raise self.wrong("several nodes are added in its output", "one node", "add weights")
        if direct and end[0][1].delays is not None:
            raise self.wrong(
                "its output is delayed", "neurons or weights there", "remove the Delay"
            )
        if not direct and (silent := self._potentials(self.end)):
            raise self._no_potentials(silent[0], self.end)
        after: dict[int, set[int]] = {k: set() for k in range(len(groups))}
        for name in self.neurons:
            for source in self._sources(name):
                if source in of_node and of_node[source] != of_node[name]:
                    after[of_node[name]].add(of_node[source])
        try:
            order = list(TopologicalSorter(after).static_order())
        except CycleError as error:
            through = ", ".join(f"'{groups[k][0]}'" for k in error.args[1][1:])
            raise self.wrong(
                f"there is a loop through {through}",
                "layers one after the other, and synapses of a layer onto itself",
                "remove the loop, because NIR does not define which of several layers is "
                "updated first in a time step",
            ) from None
        found, places = [], {}
        for number, k in enumerate(order, 1):
            last = bool(direct) and direct[0] in groups[k]
            name = OUTPUT if last else f"layer{number}"
            states = [self._state(node, groups[k]) for node in groups[k]]
            found.append(Layer(name, self.sizes[groups[k][0]], states))
            places |= {node: (name, i) for i, node in enumerate(groups[k])}
        synapses = [s for name in self.neurons for s in self._synapses(name, places[name], places)]
        if direct:
            output = places[direct[0]]
        else:
            sizes = {path.size for _, path in end}
            if len(sizes) != 1:
                raise self.wrong(f"its outputs have the sizes {sorted(sizes)}", "one", "correct it")
            size = sizes.pop()
            state = State(self.end, VALUE, {}, *self._flowing(self.end, size))
            found.append(Layer(OUTPUT, size, [state]))
            output = (OUTPUT, 0)
            synapses += self._synapses(self.end, output, places)
        self._check_used(found, synapses, output)
        return Layers(self.sizes[self.input], found, synapses, output)

    def _groups(self) -> list[list[str]]:
        """Nodes that pass potentials on to each other, in the order of their updates."""
        fed = {name: self._potentials(name) for name in self.neurons}
        together = {name: {name} for name in self.neurons}
        for name, sources in fed.items():
            for source in sources:
                paths = [path for of, path in self.into[name] if of == source]
                if len(paths) > 1 or paths[0].weights is not None or paths[0].delays is not None:
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
                    f"potentials form a loop through '{name}'",
                    "spiking neurons or a Threshold in the loop",
                    "transmit spikes in the loop",
                ) from None
            firing = [m for m in groups[-1] if self.kind(m) in SPIKING]
            if len(firing) > 1:
                raise self.wrong(
                    f"'{firing[0]}' and '{firing[1]}' read the same potential",
                    "one of them",
                    "give each of them a leaky integrator",
                )
        return groups

    def _sources(self, name: str) -> list[str]:
        """Input and neurons that reach a node, each once."""
        return list(dict.fromkeys(source for source, _ in self.into[name] if source != CONSTANT))

    def _potentials(self, name: str) -> list[str]:
        """Those of them that do not fire."""
        return [s for s in self._sources(name) if self.kind(s) not in (*SPIKING, "Input")]

    def _no_potentials(self, source: str, name: str) -> UserError:
        return self.wrong(
            f"potentials of '{source}' reach '{name}' through weights or delays, or on two paths",
            "spikes before them",
            "put the weights before the leaky integrators, which is equivalent",
        )

    def _state(self, name: str, group: Sequence[str]) -> State:
        (kind, values), n = self.nodes[name], self.sizes[name]
        own = {key: np.broadcast_to(np.ravel(v), n).copy() for key, v in values.items()}
        fed_by = [group.index(source) for source in self._potentials(name)]
        return State(name, kind, own, *self._flowing(name, n), fed_by)

    def _synapses(
        self, name: str, place: tuple[str, int], places: Mapping[str, tuple[str, int]]
    ) -> list[Synapses]:
        found, others = [], (CONSTANT, *self._potentials(name))
        for source, path in self.into[name]:
            if source in others:
                continue
            weights, delays = path.weights, path.delays
            if weights is None:
                weights = self._diagonal(np.ones(self.sizes[source]), source)
            if delays is not None:
                delays = np.broadcast_to(delays, weights.shape).T.copy()
            pre = INPUT if source == self.input else places[source][0]
            found.append(Synapses(pre, *place, np.ascontiguousarray(weights.T), delays))
        return found

    def _check_used(
        self, found: Sequence[Layer], synapses: Sequence[Synapses], output: tuple[str, int]
    ) -> None:
        """Refuse what the reading of the graph would silently leave out."""
        feeding = {s.pre for s in synapses if not s.later}
        for layer in found:
            if layer.name != output[0] and layer.name not in feeding:
                raise self.wrong(
                    f"'{layer.states[-1].node}' has no path to the output",
                    "a path to the output",
                    "remove it",
                )
        if INPUT not in feeding:
            raise self.wrong(
                "its input reaches no neuron", "a path from the input to a neuron", "add an edge"
            )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
