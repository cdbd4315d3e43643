"""A .nir file (HDF5) as a `Graph`, read as what it is: a file from elsewhere.

The package nir reads it, after a look at all of it: nothing is trusted and nothing of it is
executed, only groups, numbers and texts that lie in the file itself are read, in a bounded number
and size. Damaged files can hang or crash HDF5 all the same: `arranging.read` tries them
first in a process of its own. Graphs within the graph, as snnTorch writes layers with synapses
back, are taken apart: their nodes are called "outer.inner".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np

from whyspiking.errors import UserError
from whyspiking_exchange.nir.graph import Graph

NEURONS: Mapping[str, tuple[str, ...]] = {
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
    "CubaLIF": ("tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    "IF": ("r", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "CubaLI": ("tau_mem", "tau_syn", "r", "v_leak", "w_in"),
    "I": ("r",),
    "Threshold": ("threshold",),
}
"""Nodes with one state or threshold per neuron -> what they have of each."""
SYNAPSES: Mapping[str, tuple[str, ...]] = {
    "Linear": ("weight",),
    "Affine": ("weight", "bias"),
    "Scale": ("scale",),
    "Delay": ("delay",),
}
"""Nodes between neurons -> what they have."""
PARAMETERS = {**NEURONS, **SYNAPSES}
KNOWN = (*PARAMETERS, "Input", "Output", "Flatten", "NIRGraph")
TIMES = ("tau", "delay")
"""What parameters are called that are in seconds."""
TEXTS = ("type", "edges", "version")
PASS = "Pass"
"""What only passes on what it gets; several axes of channels are one here, in C order."""
LARGEST_FILE = 256 * 2**20
"""Bytes."""
LARGEST_ARRAY = 20_000_000
"""Numbers of one array; those of all arrays together may be twice as many."""
LARGEST_GRAPH = 500
"""Nodes, those of graphs within included."""
MOST_PARTS = 20 * LARGEST_GRAPH
"""Groups and arrays of a file: about six make a node."""
DEEPEST = 12
"""Groups within groups: four graphs within graphs, and what belongs to their nodes."""
LONGEST_NAME = 200
LONGEST_S = 1e6
"""Of a time constant or delay: eleven days, in which no trial decays."""
FILTERS = (1, 2, 3, 32000)
"""HDF5's codes of deflate, shuffle, checksum, lzf: built in, no code of others."""


def read(path: Path) -> Graph:
    """The graph in a .nir file, all arrays checked to be finite numbers.

    Raises:
        UserError: If the file is missing, no HDF5, cut short, too large, or no graph of nodes that
            are known here.
    """
    path, graph = Path(path), Graph()
    try:
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise UserError(
                f"{path}: the file has {size} bytes; expected at most {LARGEST_FILE}. Check "
                "that it contains only one network"
            )
        with h5py.File(path, "r") as file:
            _Look(path).at(file)
        _add(nir.read(path, type_check=False), "", graph, path)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: cannot be read ({error.strerror}); expected a .nir file; correct the path"
        ) from None
    except Exception as error:  # what a damaged file makes of HDF5 and of nir has many names
        said = " ".join(f"{error or type(error).__name__}".split())[:120]
        raise UserError(
            f"{path}: the file is not readable as HDF5 or as NIR ({said}); expected a complete "
            "file as nir.write makes it. Export the network again"
        ) from None
    return graph


class _Look:
    """Looks at all of a file before the package nir reads it, which trusts it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.numbers = self.parts = 0

    def at(self, group: h5py.Group, depth: int = 0) -> None:
        """Refuse links, names, sizes and kinds of nodes that are not to be read."""
        for name in map(str, group):
            where = f"'{group.name}/{name[:40]}'"
            self.parts += 1
            if depth > DEEPEST or self.parts > MOST_PARTS:
                raise _wrong(
                    self.path,
                    f"{where} is nested too deeply, or the file has too many entries",
                    "less",
                )
            if len(name) > LONGEST_NAME or not name.isprintable():
                raise _wrong(self.path, f"a node has the name {name[:40]!r}", "a short plain one")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _wrong(
                    self.path, f"{where} is a link to another place", "the data themselves"
                )
            part = group[name]
            if isinstance(part, h5py.Group):
                self.at(part, depth + 1)
            else:
                self.data(part, name, where)

    def data(self, data: Any, name: str, where: str) -> None:
        """Refuse what opens other files, loads code, or unpacks to far more than was said."""
        if not isinstance(data, h5py.Dataset) or data.shape is None:
            raise _wrong(self.path, f"{where} is empty", "an array of numbers")
        text = h5py.check_string_dtype(data.dtype) is not None
        if data.dtype.kind not in "fiub" and not (
            text and (name in TEXTS or "/metadata/" in where)
        ):
            raise _wrong(self.path, f"{where} holds no numbers", "an array of numbers")
        n = math.prod(data.shape) * max(1, data.dtype.itemsize // 8)
        self.numbers += n
        if n > LARGEST_ARRAY or self.numbers > 2 * LARGEST_ARRAY:
            most = f"at most {LARGEST_ARRAY} numbers, and at most twice as many in the whole file"
            raise _wrong(self.path, f"{where} has shape {data.shape}", most)
        plist = data.id.get_create_plist()
        used = [plist.get_filter(k)[0] for k in range(plist.get_nfilters())]
        if data.is_virtual or data.external or any(code not in FILTERS for code in used):
            what = (
                f"{where} is stored in another file or compressed with a filter that is not allowed"
            )
            raise _wrong(
                self.path, what, "data in this file, uncompressed or compressed with gzip or lzf"
            )
        if data.chunks is not None and math.prod(data.chunks) > LARGEST_ARRAY:
            raise _wrong(self.path, f"{where} has chunks of {data.chunks}", "smaller ones")
        if name == "type" and "/metadata/" not in where and (kind := data.asstr()[()]) not in KNOWN:
            node = where.removeprefix("'/node/nodes/").removesuffix("/type'")
            what = f"node '{node.replace('/nodes/', '.')}' is of type '{kind[:40]}'"
            known = f"one of {', '.join(sorted(KNOWN))}"
            raise _wrong(
                self.path, what, f"{known} (docs/exchange.md lists replacements for other types)"
            )


def _wrong(path: Path, what: str, expected: str) -> UserError:
    return UserError(
        f"{path}: {what}; expected {expected}; correct the network and export it again"
    )


def _add(part: nir.NIRGraph, prefix: str, graph: Graph, path: Path) -> None:
    """Add all nodes of a graph, and its edges, under names that begin with `prefix`."""
    inner = {name for name, node in part.nodes.items() if isinstance(node, nir.NIRGraph)}
    for name, node in part.nodes.items():
        kind, full = type(node).__name__, prefix + name
        if len(graph.nodes) >= LARGEST_GRAPH:
            raise _wrong(path, f"more than {LARGEST_GRAPH} nodes", "fewer")
        if isinstance(node, nir.NIRGraph):
            _add(node, f"{full}.", graph, path)
            continue
        told = PARAMETERS.get(kind, ())
        values: dict[str, Any] = {key: np.asarray(getattr(node, key), float) for key in told}
        for key, value in values.items():
            if value.size == 0 or not np.isfinite(value).all():
                raise _wrong(
                    path, f"'{key}' of node '{full}' has numbers that are not finite", "numbers"
                )
            least = 0 if key == "delay" else np.nextafter(0, 1)
            if key.startswith(TIMES) and not ((value >= least) & (value <= LONGEST_S)).all():
                times = f"seconds, above 0 (a delay: from 0 on) and at most {LONGEST_S:g}"
                raise _wrong(path, f"'{key}' of node '{full}' is out of range", times)
        if kind in ("Input", "Output"):
            shape = node.input_type["input"] if kind == "Input" else node.output_type["output"]
            sizes = [int(x) for x in np.ravel(shape)]
            values["size"] = math.prod(sizes)
            if not sizes or min(sizes) < 1 or values["size"] > LARGEST_ARRAY:
                raise _wrong(
                    path, f"{kind.lower()} '{full}' has shape {sizes[:6]}", "a number of channels"
                )
        # Ends of a graph within only pass on.
        passes = kind == "Flatten" or (prefix and kind in ("Input", "Output"))
        graph.add(full, PASS if passes else kind, **values)
    for before, after in part.edges:
        # Edges of a graph within go to and from its own input and output.
        ends = (
            f"{prefix}{before}" + ".output" * (before in inner),
            f"{prefix}{after}" + ".input" * (after in inner),
        )
        if missing := [end for end in ends if end not in graph.nodes]:
            some = ", ".join(list(graph.nodes)[:8])
            raise _wrong(path, f"an edge names '{missing[0]}', which is no node", f"one of {some}")
        graph.connect(*ends)
