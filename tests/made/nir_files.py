"""NIR graphs as files, written with h5py alone, so that they can be wrong."""

from pathlib import Path

import h5py
import numpy as np

ONE = np.ones


def write(path: Path, nodes: dict, edges: list) -> Path:
    """Write nodes, name -> (kind, parameters or a pair of nodes and edges within), and edges."""
    with h5py.File(path, "w") as file:
        file["version"] = "1.0.8"
        _graph(file.create_group("node"), nodes, edges)
    return path


def _graph(group, nodes, edges):
    group["type"] = "NIRGraph"
    group["edges"] = np.array(edges, dtype=h5py.string_dtype())
    inside = group.create_group("nodes")
    for name, (kind, values) in nodes.items():
        node = inside.create_group(name)
        if kind == "NIRGraph":
            _graph(node, *values)
            continue
        node["type"] = kind
        for key, value in values.items():
            packed = {"compression": "gzip"} if np.ndim(value) else {}
            node.create_dataset(key, data=value, **packed)


def lif(n: int, **changed) -> tuple[str, dict]:
    """A layer of LIF neurons with tau 10 ms, threshold 1."""
    values = {"tau": 0.01 * ONE(n), "r": ONE(n), "v_leak": 0 * ONE(n), "v_threshold": ONE(n)}
    return "LIF", {**values, **changed}


def chain(n_in: int = 4, n_hidden: int = 5, n_out: int = 3, **changed) -> tuple[dict, list]:
    """Two layers of LIF neurons, as snnTorch names them; `changed` replaces nodes."""
    rng = np.random.default_rng(0)
    nodes = {
        "input": ("Input", {"shape": np.array([n_in])}),
        "0": ("Affine", {"weight": 8 * rng.random((n_hidden, n_in)), "bias": np.zeros(n_hidden)}),
        "1": lif(n_hidden),
        "2": ("Linear", {"weight": 8 * rng.random((n_out, n_hidden))}),
        "3": lif(n_out),
        "output": ("Output", {"shape": np.array([n_out])}),
    }
    nodes |= {name.removeprefix("n"): node for name, node in changed.items()}
    return nodes, [("input", "0"), ("0", "1"), ("1", "2"), ("2", "3"), ("3", "output")]
