"""A .nir file (HDF5) as a `Graph`, read as what it is: a file from elsewhere.

Nothing is trusted and nothing of it is executed: only groups, numbers and texts that lie in the
file itself are read, each after a look at its size, by a process of its own with little time and
memory, as damaged files can hang or crash HDF5. Graphs within the graph, as snnTorch writes layers
with synapses back, are taken apart: their nodes are called "outer.inner".
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from whyspiking.errors import UserError
from whyspiking.records.array_files import load_arrays, save_arrays
from whyspiking_exchange.nir.graph import Graph

NEURONS: Mapping[str, tuple[str, ...]] = {
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold"),
    "IF": ("r", "v_threshold"),
    "LI": ("tau", "r", "v_leak"),
    "CubaLI": ("tau_mem", "tau_syn", "r", "v_leak"),
    "I": ("r",),
    "Threshold": ("threshold",),
}
"""Nodes with one state or threshold per neuron -> what they must give of each."""
OPTIONAL: Mapping[str, Mapping[str, float]] = {
    "LIF": {"v_reset": 0.0},
    "IF": {"v_reset": 0.0},
    "CubaLIF": {"v_reset": 0.0, "w_in": 1.0},
    "CubaLI": {"w_in": 1.0},
}
"""What they may leave out, and what then holds by NIR's definition."""
SYNAPSES: Mapping[str, tuple[str, ...]] = {
    "Linear": ("weight",),
    "Affine": ("weight", "bias"),
    "Scale": ("scale",),
    "Delay": ("delay",),
}
"""Nodes between neurons -> what they must give."""
KNOWN = (*NEURONS, *SYNAPSES, "Input", "Output", "Flatten", "NIRGraph")
PASS = "Pass"
"""What only passes on what it gets; several axes of channels are one here, in C order."""
LARGEST_FILE = 256 * 2**20
"""Bytes."""
LARGEST_ARRAY = 20_000_000
"""Numbers of one array; those of all arrays together may be twice as many."""
LARGEST_GRAPH = 500
"""Nodes, those of graphs within included."""
DEEPEST = 4
"""Graphs within graphs."""
LONGEST_NAME = 200
LONGEST_S = 1e6
"""Of a time constant or delay: eleven days, in which no trial decays."""
FILTERS = (1, 2, 3, 32000)
"""HDF5's codes of deflate, shuffle, checksum, lzf: built in, no code of others."""


def read(path: Path, seconds: int = 60, by: str = __name__) -> Graph:
    """The graph in a .nir file, all arrays checked to be finite numbers.

    Args:
        path: The file.
        seconds: CPU time that reading may take.
        by: Module whose `main` the process runs; another one may look further at the graph.

    Raises:
        UserError: If the file is missing, no HDF5, cut short, too large, or no graph of nodes that
            are known here.
    """
    with tempfile.TemporaryDirectory(prefix="whyspiking-") as folder:
        out = Path(folder) / "graph.npz"
        words = [sys.executable, "-m", by, str(path), str(out), str(seconds)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode == REFUSED:
            raise UserError(done.stderr.strip())
        if done.returncode:
            raise UserError(
                f"{path}: HDF5 hangs, crashes or asks for too much memory when it reads it; "
                "expected a whole file as nir.write makes it; export the network again"
            )
        return _unpacked(out)


REFUSED = 3
"""Exit status of the process that reads, where it has a message."""
MOST_MEMORY = 4 * 2**30
"""Of that process, in bytes."""


def main(
    path: str, out: str, seconds: str, *, look: Callable[[Graph, str], Any] | None = None
) -> int:
    """What the process does that reads, and looks at the graph."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    try:
        graph = read_here(Path(path))
        if look is not None:
            look(graph, path)
        _pack(graph, Path(out))
    except UserError as error:
        print(error, file=sys.stderr)
        return REFUSED
    return 0


def _pack(graph: Graph, path: Path) -> None:
    told: dict[str, Any] = {"edges": graph.edges, "nodes": {}}
    arrays: dict[str, NDArray] = {}
    for name, (kind, values) in graph.nodes.items():
        keys = {key: f"a{len(arrays) + k}" for k, key in enumerate(values)}
        arrays |= {keys[key]: np.asarray(value) for key, value in values.items()}
        told["nodes"][name] = [kind, keys]
    save_arrays({"told": np.array(json.dumps(told)), **arrays}, path)


def _unpacked(path: Path) -> Graph:
    arrays = load_arrays(path)
    told = json.loads(str(arrays["told"]))
    graph = Graph(edges=[(a, b) for a, b in told["edges"]])
    for name, (kind, keys) in told["nodes"].items():
        graph.add(name, kind, **{key: arrays[at] for key, at in keys.items()})
    return graph


def read_here(path: Path) -> Graph:
    """As `read`, in this process."""
    path = Path(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); expected a .nir file; correct the path"
        ) from None
    if size > LARGEST_FILE:
        raise UserError(
            f"{path}: {size} bytes; expected at most {LARGEST_FILE}; is this one network?"
        )
    try:
        with h5py.File(path, "r") as file:
            return _Reader(path).graph(file)
    except UserError:
        raise
    # What a damaged file makes of HDF5 has many names.
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError) as error:
        said = " ".join(str(error).split())[:120]
        raise UserError(
            f"{path}: not readable as HDF5 ({said}); expected a whole file as nir.write makes it; "
            "export the network again"
        ) from None


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.numbers = 0
        self.graph_of_all = Graph()

    def graph(self, file: h5py.File) -> Graph:
        top = self._group(file, "node")
        if self._text(top, "type", "node") != "NIRGraph":
            raise self.wrong("its outermost node is no NIRGraph", "a graph", "export the network")
        self._walk(top, "", 0)
        return self.graph_of_all

    def wrong(self, what: str, expected: str, remedy: str) -> UserError:
        return UserError(f"{self.path}: {what}; expected {expected}; {remedy}")

    # ---- the tree ----

    def _walk(self, group: h5py.Group, prefix: str, depth: int) -> None:
        """Add all nodes of a graph, and its edges, under names that begin with `prefix`."""
        if depth > DEEPEST:
            raise self.wrong(
                f"graphs lie more than {DEEPEST} deep in each other",
                "layers in a row",
                "flatten the network before it is exported",
            )
        inner = set()
        for name, node in self._members(self._group(group, "nodes")):
            kind = self._text(node, "type", f"node '{prefix}{name}'")
            full = prefix + name
            if kind not in KNOWN:
                raise self.wrong(
                    f"node '{full}' is of type '{kind}', which cannot be run here",
                    f"one of {', '.join(sorted(KNOWN))}",
                    "docs/exchange.md tells why, and what can stand in its place",
                )
            if len(self.graph_of_all.nodes) >= LARGEST_GRAPH:
                raise self.wrong(f"more than {LARGEST_GRAPH} nodes", "fewer", "merge layers")
            if kind == "NIRGraph":
                inner.add(name)
                self._walk(node, f"{full}.", depth + 1)
            else:
                known = self._parameters(node, kind, full)
                # The ends of a graph within only pass on.
                inside = depth and kind in ("Input", "Output")
                self.graph_of_all.add(full, PASS if inside or kind == "Flatten" else kind, **known)
        for before, after in self._edges(group, prefix):
            # The edges of a graph within go to and from its own input and output.
            source = f"{prefix}{before}" + (".output" if before in inner else "")
            target = f"{prefix}{after}" + (".input" if after in inner else "")
            for end in (source, target):
                if end not in self.graph_of_all.nodes:
                    raise self.wrong(
                        f"an edge names '{end}', which is no node of it",
                        f"one of {', '.join(list(self.graph_of_all.nodes)[:8])}",
                        "export the network again",
                    )
            self.graph_of_all.connect(source, target)

    def _members(self, group: h5py.Group) -> Iterator[tuple[str, h5py.Group]]:
        if len(group) > LARGEST_GRAPH:
            raise self.wrong(
                f"a graph of {len(group)} nodes", f"up to {LARGEST_GRAPH}", "merge layers"
            )
        for name in map(str, group):
            yield self._name(name), self._group(group, name)

    def _name(self, name: str) -> str:
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise self.wrong(
                f"a node has the name {name[:40]!r}", "a short one that can be printed", "rename it"
            )
        return name

    def _group(self, group: h5py.Group, name: str) -> h5py.Group:
        found = self._own(group, name)
        if not isinstance(found, h5py.Group):
            raise self.wrong(f"'{group.name}/{name}' is no group", "a group", "export it again")
        return found

    def _own(self, group: h5py.Group, name: str) -> Any:
        """What lies under a name in the file itself: links lead elsewhere, or in circles."""
        if name not in group:
            raise self.wrong(
                f"'{name}' is missing in '{group.name}'", "it there", "export the network again"
            )
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise self.wrong(
                f"'{group.name}/{name}' is a link to elsewhere", "the data themselves", "copy them"
            )
        return group[name]

    # ---- what nodes hold ----

    def _parameters(self, node: h5py.Group, kind: str, name: str) -> dict[str, Any]:
        keys = [*NEURONS.get(kind, ()), *SYNAPSES.get(kind, ())]
        found: dict[str, Any] = {key: self._array(node, key, name) for key in keys}
        for key, default in OPTIONAL.get(kind, {}).items():
            found[key] = self._array(node, key, name) if key in node else np.array(default)
        if kind in ("Input", "Output"):
            found["size"] = self._size(node, kind, name)
        if "delay" in found and not ((found["delay"] >= 0) & (found["delay"] <= LONGEST_S)).all():
            raise self.wrong(
                f"'delay' of node '{name}' is not from 0 to {LONGEST_S:g} everywhere",
                "delays in seconds",
                "correct the network and export it again",
            )
        for key, values in found.items():
            if key.startswith("tau") and not ((values > 0) & (values <= LONGEST_S)).all():
                raise self.wrong(
                    f"'{key}' of node '{name}' is not above 0 and at most {LONGEST_S:g} everywhere",
                    "time constants in seconds",
                    "correct the network and export it again",
                )
        return found

    def _size(self, node: h5py.Group, kind: str, name: str) -> int:
        """Channels of an input or output; several axes are counted as one."""
        shape = self._array(node, "shape", name)
        sizes = [int(x) for x in shape.ravel()]
        n = math.prod(sizes)
        if not sizes or min(sizes) < 1 or n > LARGEST_ARRAY:
            raise self.wrong(
                f"{kind.lower()} '{name}' has shape {sizes[:6]}",
                "a number of channels",
                "correct it",
            )
        return n

    def _edges(self, group: h5py.Group, prefix: str) -> list[tuple[str, str]]:
        data = self._own(group, "edges")
        where = f"edges of '{prefix or 'the graph'}'"
        if not isinstance(data, h5py.Dataset) or data.ndim != 2 or data.shape[1] != 2:
            raise self.wrong(f"{where} are no pairs", "pairs of names", "export it again")
        if data.shape[0] > 4 * LARGEST_GRAPH:
            raise self.wrong(
                f"{data.shape[0]} {where}", f"up to {4 * LARGEST_GRAPH}", "merge layers"
            )
        self._check_stored(data, where)
        if h5py.check_string_dtype(data.dtype) is None and data.dtype.kind != "S":
            raise self.wrong(f"{where} are no texts", "names of nodes", "export it again")
        if data.dtype.itemsize > 4 * LONGEST_NAME:
            raise self.wrong(f"{where} have too long names", "short ones", "rename the nodes")
        pairs = [[x.decode("utf-8", "replace") for x in row] for row in data[()]]
        return [(self._name(a), self._name(b)) for a, b in pairs]

    def _text(self, node: h5py.Group, key: str, where: str) -> str:
        data = self._own(node, key)
        is_text = isinstance(data, h5py.Dataset) and data.shape == ()
        if not is_text or (h5py.check_string_dtype(data.dtype) is None and data.dtype.kind != "S"):
            raise self.wrong(f"'{key}' of {where} is no text", "a name", "export it again")
        self._check_stored(data, where)
        if data.dtype.itemsize > 4 * LONGEST_NAME:
            raise self.wrong(f"'{key}' of {where} is too long", "a name", "export it again")
        return data[()].decode("utf-8", "replace")[:LONGEST_NAME]

    def _array(self, node: h5py.Group, key: str, name: str) -> NDArray[np.float64]:
        where = f"'{key}' of node '{name}'"
        data = self._own(node, key)
        if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "fiub":
            raise self.wrong(f"{where} holds no numbers", "an array of numbers", "export it again")
        if data.shape is None:
            raise self.wrong(f"{where} is empty", "an array of numbers", "export it again")
        n = math.prod(data.shape)
        self.numbers += n
        if n > LARGEST_ARRAY or self.numbers > 2 * LARGEST_ARRAY:
            raise self.wrong(
                f"{where} has shape {data.shape}",
                f"at most {LARGEST_ARRAY} numbers, and twice as many in all",
                "is this one network?",
            )
        self._check_stored(data, where)
        values = np.asarray(data[()], np.float64)
        if n == 0 or not np.isfinite(values).all():
            bad = "no numbers" if n == 0 else "numbers that are not finite (nan or inf)"
            raise self.wrong(f"{where} has {bad}", "finite numbers", "export a trained network")
        return values

    def _check_stored(self, data: h5py.Dataset, where: str) -> None:
        """Refuse what makes HDF5 open other files, load code, or unpack far more than was said."""
        plist = data.id.get_create_plist()
        used = [plist.get_filter(k)[0] for k in range(plist.get_nfilters())]
        if data.is_virtual or data.external or any(code not in FILTERS for code in used):
            raise self.wrong(
                f"{where} lies in another file or is packed by a filter of its own",
                "data in this file, plain or packed by gzip or lzf",
                "export it again",
            )
        if data.chunks is not None and math.prod(data.chunks) > LARGEST_ARRAY:
            raise self.wrong(
                f"{where} has chunks of {data.chunks}", "smaller ones", "export it again"
            )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
