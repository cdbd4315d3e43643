"""A network as a graph of NIR nodes, and how time constants are written for a reader's solver.

NIR (Pedersen et al. 2024, Nature Communications 15:8122, doi 10.1038/s41467-024-52259-9) defines
neurons in continuous time and leaves the steps to the reader. Readers differ: Norse and snnTorch
take forward Euler steps, in which a spike is a current of height 1 that lasts one step. A `Clock`
says for which steps and which solver a graph is written. With `euler`, constants are such that
Euler steps of that length give what the exact solution gives at the end of every step.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray

from whyspiking.contract.spikes import Spikes
from whyspiking.errors import UserError
from whyspiking.records import whole_files

NEVER = 1e9
"""How far below rest, in thresholds, a neuron is put that shall not fire again."""


LAYOUT = "1.0.8"
"""Version of the package nir that lays files out as `write` does."""
SMALL = 64
"""Arrays of so few numbers are not packed: that takes more room than they do."""


class NotExpressible(UserError):
    """NIR has no node for what a network does; the message says what."""


@dataclass(frozen=True)
class Clock:
    """For which reader a graph is written.

    Attributes:
        step_ms: Length of a step in ms.
        solver: "euler" for forward Euler steps, "exact" for the physical constants.
        one_spike: How neurons that fire once are kept silent afterwards: "reset", a reset far below
            rest, as NIR defines it; "inhibition", a synapse onto itself as well, for readers that
            reset to 0 whatever the file says (Norse 1.1, snnTorch 1.0, sinabs 2.0).
    """

    step_ms: float
    solver: Literal["euler", "exact"] = "euler"
    one_spike: Literal["reset", "inhibition"] = "inhibition"

    @property
    def step(self) -> float:
        """Length of a step in s."""
        return self.step_ms * 1e-3

    def keep(self, tau_ms: Any) -> NDArray[np.float64]:
        """What is left of a state after one step, exp(-dt / tau)."""
        return np.exp(-self.step_ms / np.asarray(tau_ms, np.float64))

    def tau(self, tau_ms: Any) -> NDArray[np.float64]:
        """A time constant in s as the solver needs it."""
        if self.solver == "exact":
            return np.asarray(tau_ms, np.float64) * 1e-3
        return self.step / (1 - self.keep(tau_ms))

    def steps(self, duration_ms: float) -> int:
        """Number of steps of a trial."""
        return round(duration_ms / self.step_ms)


@dataclass
class Graph:
    """Nodes by name, each a kind of NIR and its parameters, and the edges between them."""

    nodes: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, kind: str, **parameters: Any) -> str:
        """Add a node; returns its name."""
        if name in self.nodes:
            raise ValueError(f"two nodes have the name {name}")
        self.nodes[name] = (kind, parameters)
        return name

    def connect(self, *names: str) -> None:
        """Connect nodes in a row."""
        self.edges += list(itertools.pairwise(names))

    def input(self, n: int) -> str:
        """The only input, with n channels."""
        return self.add("input", "Input", shape=np.array([n]))

    def output(self, n: int) -> str:
        """The only output, with n channels."""
        return self.add("output", "Output", shape=np.array([n]))

    def linear(self, name: str, weights: NDArray, bias: NDArray | None = None) -> str:
        """Synapses (pre, post), with a current per step for every target where there is a bias."""
        w = np.ascontiguousarray(np.asarray(weights, np.float32).T)
        if bias is None:
            return self.add(name, "Linear", weight=w)
        return self.add(name, "Affine", weight=w, bias=np.asarray(bias, np.float32))

    def leaky(self, name: str, tau_ms: NDArray, clock: Clock) -> str:
        """Leaky integrators, v <- a v + (1 - a) I with a = exp(-dt / tau), one tau per neuron."""
        one = np.ones(len(tau_ms))
        return self.add(name, "LI", tau=clock.tau(tau_ms), r=one, v_leak=0 * one)

    def threshold(self, name: str, values: NDArray) -> str:
        """Spikes where the input exceeds the values."""
        return self.add(name, "Threshold", threshold=np.asarray(values, np.float64))

    def recurrent(
        self,
        before: str,
        w_in: NDArray,
        w_back: NDArray,
        clock: Clock,
        *,
        tau_ms: NDArray,
        threshold: float,
        bias: NDArray | None = None,
        end: str = "",
    ) -> str:
        """Leaky integrators with a threshold, and synapses back; returns what fires.

        A spike takes the threshold off its own membrane one step later and unscaled, which is no
        reset of a NIR neuron: the synapses back do it.

        Args:
            before: What feeds them.
            w_in: Weights from there, (pre, post).
            w_back: Weights among them, (pre, post).
            clock: For which reader.
            tau_ms: (neuron,).
            threshold: Of all.
            bias: Current per step, (neuron,).
            end: Of the names of the nodes.
        """
        membrane = self.leaky(f"membrane{end}", tau_ms, clock)
        fire = self.threshold(f"spikes{end}", np.full(len(tau_ms), float(threshold)))
        taken = np.diag(threshold / (1 - clock.keep(tau_ms)))
        self.connect(before, self.linear(f"into{end}", w_in, bias), membrane, fire)
        self.connect(fire, self.linear(f"back{end}", w_back - taken), membrane)
        return fire

    def once(self, name: str, n: int, clock: Clock, by: float) -> None:
        """Keep neurons that fire once silent: a synapse of each onto itself, if that is asked."""
        if clock.one_spike == "inhibition":
            again = self.linear(f"{name}_again", -by * NEVER * np.eye(n))
            self.connect(name, again, name)

    def current_based(
        self, name: str, n: int, clock: Clock, *, tau_m_ms: float, tau_s_ms: float, threshold: float
    ) -> str:
        """Neurons that fire once, tau_m V' = -V + x, tau_s x' = -x, x += w at an input spike.

        With `euler` the potential at the end of every step is the exact one if spikes come at its
        start: input and membrane are scaled by what Euler steps get wrong.
        """
        a_m, a_s = (float(clock.keep(tau)) for tau in (tau_m_ms, tau_s_ms))
        if tau_m_ms == tau_s_ms:
            gain = clock.step_ms / tau_m_ms * a_m
        else:
            gain = (a_s - a_m) * tau_s_ms / (tau_s_ms - tau_m_ms)
        tau_m, tau_s = (float(clock.tau(tau)) for tau in (tau_m_ms, tau_s_ms))
        euler = clock.solver == "euler"
        r = gain / ((1 - a_m) * a_s) if euler else 1.0
        w_in = (a_s if euler else 1.0) * tau_s / clock.step
        ones = np.ones(n)
        self.add(
            name,
            "CubaLIF",
            tau_mem=tau_m * ones,
            tau_syn=tau_s * ones,
            r=r * ones,
            v_leak=0 * ones,
            v_threshold=threshold * ones,
            v_reset=-NEVER * threshold * ones,
            w_in=w_in * ones,
        )
        self.once(name, n, clock, threshold)
        return name

    def integrate_and_fire(self, name: str, n: int, clock: Clock, *, threshold: float) -> str:
        """Neurons without leak that fire once, V += w at an input spike."""
        ones = np.ones(n)
        # Readers that take steps add the input once per step and know no other resistance than 1.
        r = 1.0 if clock.solver == "euler" else 1 / clock.step
        self.add(
            name, "IF", r=r * ones, v_threshold=threshold * ones, v_reset=-NEVER * threshold * ones
        )
        self.once(name, n, clock, threshold)
        return name


def first_spike_graph(
    clock: Clock,
    w_hidden: NDArray,
    w_output: NDArray,
    w_direct: NDArray | None,
    *,
    threshold: float,
    tau_m_ms: float,
    tau_s_ms: float,
) -> Graph:
    """A first-spike network of current-based neurons.

    Args:
        clock: For which reader.
        w_hidden: (input, hidden); bias spikes or pulses are inputs like others.
        w_output: (hidden, class).
        w_direct: (input, class) from inputs that reach the outputs too, or None.
        threshold: Of all neurons.
        tau_m_ms: Membrane time constant.
        tau_s_ms: Synaptic time constant.
    """
    constants = {"tau_m_ms": tau_m_ms, "tau_s_ms": tau_s_ms, "threshold": threshold}
    graph = Graph()
    nodes = [graph.input(len(w_hidden))]
    for name, w in (("hidden", w_hidden), ("classes", w_output)):
        nodes += [
            graph.linear(f"to_{name}", w),
            graph.current_based(name, w.shape[1], clock, **constants),
        ]
    graph.connect(*nodes, graph.output(w_output.shape[1]))
    if w_direct is not None:
        graph.connect("input", graph.linear("direct", w_direct), "classes")
    return graph


def write(graph: Graph, path: Path, bits: int = 24) -> None:
    """Write a graph as a .nir file (HDF5) that the package nir reads, whole or not at all.

    Args:
        graph: The network.
        path: The file.
        bits: Significant bits of weights; 24, those of float32, leave them as they are, fewer pack
            better.
    """
    text = h5py.string_dtype()
    with whole_files.replacing(path) as partial, h5py.File(partial, "w", libver="v110") as file:
        file["version"] = LAYOUT
        whole = file.create_group("node")
        whole["type"] = "NIRGraph"
        whole.create_dataset("edges", data=np.array(graph.edges, dtype=text))
        for name, (kind, values) in graph.nodes.items():
            node = whole.create_group(f"nodes/{name}")
            node["type"] = kind
            for key, exact in values.items():
                numbers = _rounded(exact, bits) if exact.dtype == np.float32 else exact
                packed = {"compression": "gzip", "shuffle": True} if numbers.size > SMALL else {}
                node.create_dataset(key, data=numbers, **packed)


def _rounded(values: NDArray[np.float32], bits: int) -> NDArray[np.float32]:
    """Numbers with so many significant bits."""
    share, power = np.frexp(values)
    return np.ldexp(np.rint(np.ldexp(share, bits)), power - bits).astype(np.float32)


def raster(times_ms: NDArray, clock: Clock, n_steps: int) -> NDArray[np.uint8]:
    """One spike per channel on steps, (trial, time, channel); a step holds [k dt, (k+1) dt).

    Args:
        times_ms: (trial, channel), inf where silent.
        clock: Length of a step.
        n_steps: Number of steps; later spikes are dropped.
    """
    trains = Spikes.from_first_spikes(times_ms, n_steps * clock.step_ms)
    return trains.raster(trains.steps(clock.step_ms), n_steps).astype(np.uint8)
