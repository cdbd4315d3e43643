"""Files from elsewhere: what is read, and that whatever is wrong is one message."""

import itertools

import h5py
import numpy as np
import pytest
from made.nir_files import chain, lif, write

from whyspiking.errors import UserError
from whyspiking_exchange.nir import arranging, reading

LEAKY = {"tau": 0.01 * np.ones(5), "r": np.ones(5), "v_leak": np.zeros(5)}


def arranged(path, nodes, edges):
    return arranging.arranged(reading.read(write(path, nodes, edges)), "net")


def refused(path, match):
    with pytest.raises(UserError, match=match) as told:
        arranging.arranged(reading.read(path), "net")
    assert len(str(told.value).splitlines()) == 1
    assert "; expected" in str(told.value)


def test_a_chain_becomes_layers_in_order(tmp_path):
    nodes, edges = chain()
    found = arranged(tmp_path / "net.nir", nodes, edges[::-1])
    assert [(x.name, x.size, x.states[0].kind) for x in found.layers] == [
        ("layer1", 5, "LIF"),
        ("output", 3, "LIF"),
    ]
    assert [(s.pre, s.post, s.later) for s in found.synapses] == [
        ("input", "layer1", False),
        ("layer1", "output", False),
    ]
    np.testing.assert_array_equal(found.synapses[0].weights, nodes["0"][1]["weight"].T)
    assert found.gives_spikes and found.n_in == 4


def test_a_graph_within_is_a_layer_with_synapses_onto_itself(tmp_path):
    """As snnTorch writes RLeaky."""
    w = np.arange(25.0).reshape(5, 5)
    inside = {
        "input": ("Input", {"shape": np.array([5])}),
        "lif": lif(5),
        "w_rec": ("Linear", {"weight": w}),
        "output": ("Output", {"shape": np.array([5])}),
    }
    wires = [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")]
    nodes, edges = chain(n1=("NIRGraph", (inside, wires)))
    found = arranged(tmp_path / "net.nir", nodes, edges)
    later = [s for s in found.synapses if s.later]
    assert len(found.layers) == 2 and len(later) == 1
    np.testing.assert_array_equal(later[0].weights, w.T)


def test_one_number_stands_for_all_neurons(tmp_path):
    one = {key: np.array(float(values[0])) for key, values in lif(1)[1].items()}
    nodes, edges = chain(n1=("LIF", {**one, "tau": np.array(0.02)}))
    found = arranged(tmp_path / "net.nir", nodes, edges)
    np.testing.assert_array_equal(found.layers[0].states[0].parameters["tau"], np.full(5, 0.02))


def test_weights_in_a_row_are_multiplied_out(tmp_path):
    nodes, edges = chain()
    nodes["more"] = ("Affine", {"weight": 2 * np.eye(3), "bias": np.array([1.0, 2.0, 3.0])})
    edges = [("2", "more") if e == ("2", "3") else e for e in edges] + [("more", "3")]
    found = arranged(tmp_path / "net.nir", nodes, edges)
    np.testing.assert_allclose(found.synapses[1].weights, 2 * nodes["2"][1]["weight"].T)
    np.testing.assert_array_equal(found.layers[1].states[0].bias, [1, 2, 3])


def test_potentials_passed_on_one_to_one_are_states_of_one_layer(tmp_path):
    """LI, Threshold, and what each spike takes off again: an adaptive neuron, as NIR can say it."""
    nodes, edges = chain(n1=("Threshold", {"threshold": np.ones(5)}))
    nodes |= {
        "membrane": ("LI", LEAKY),
        "adaptation": ("LI", {**LEAKY, "tau": 0.2 * np.ones(5)}),
        "taken": ("Scale", {"scale": -np.ones(5)}),
    }
    edges.remove(("0", "1"))
    edges += [("0", "membrane"), ("membrane", "1"), ("1", "taken"), ("taken", "adaptation")]
    found = arranged(tmp_path / "net.nir", nodes, [*edges, ("adaptation", "1")])
    first = found.layers[0]
    assert sorted(s.node for s in first.states[:2]) == ["adaptation", "membrane"]
    assert first.states[2].kind == "Threshold" and sorted(first.states[2].fed_by) == [0, 1]
    later = [s for s in found.synapses if s.later]
    assert [first.states[s.state].node for s in later] == ["adaptation"]


GRAPHS = {
    "potentials through weights": (
        {"n1": ("LI", LEAKY)}, [], "potentials of '1' reach '.*' through weights"
    ),
    "potentials through delays": (
        {
            "n1": ("LI", LEAKY), "n2": ("Delay", {"delay": 0.003 * np.ones(5)}), "n3": lif(5),
            "noutput": ("Output", {"shape": np.array([5])}),
        }, [], "potentials of '1' reach '.*' through weights or d",
    ),
    "unknown node": ({"n1": ("ALIF", {})}, [], "type 'ALIF'"),
    "convolution": ({"n0": ("Conv2d", {"weight": np.ones((2, 1, 3, 3))})}, [], "type 'Conv2d'"),
    "negative delay": (
        {"nlate": ("Delay", {"delay": -np.ones(4)})}, [("input", "late"), ("late", "0")], "'delay'"
    ),
    "delays of other neurons": (
        {"nlate": ("Delay", {"delay": np.ones(3)})}, [("1", "late"), ("late", "2")], "5 inputs|3"
    ),
    "delayed output": (
        {"n2": ("Delay", {"delay": np.ones(5)}), "n3": ("Delay", {"delay": 1.0})}, [], "is delayed"
    ),
    "nan weights": ({"n2": ("Linear", {"weight": np.full((3, 5), np.nan)})}, [], "not finite"),
    "no weights": ({"n2": ("Linear", {})}, [], "argument: 'weight'"),
    "weights of text": ({"n2": ("Linear", {"weight": "all"})}, [], "no numbers"),
    "three axes": ({"n2": ("Linear", {"weight": np.ones((3, 5, 1))})}, [], "two axes"),
    "wrong size": ({"n1": lif(6)}, [], "6 neurons"),
    "wrong input": ({"ninput": ("Input", {"shape": np.array([7])})}, [], "'input'"),
    "negative tau": ({"n1": lif(5, tau=-np.ones(5))}, [], "'tau' of node '1'"),
    "tau beyond all time": ({"n1": lif(5, tau=1e300 * np.ones(5))}, [], "'tau' of node '1'"),
    "loop of two layers": ({"nback": ("Linear", {"weight": np.ones((5, 3))})},
                           [("3", "back"), ("back", "1")], "loop through"),
    "loop of weights": ({"nback": ("Linear", {"weight": np.ones((3, 3))})},
                        [("2", "back"), ("back", "2")], "no neuron in it"),
    "edge to nowhere": ({}, [("3", "4")], "names '4'"),
    "dead end": ({"nmore": lif(3)}, [("2", "more")], "has no path to the output"),
    "two outputs": ({"nend": ("Output", {"shape": np.array([3])})}, [], "2 nodes of type Output"),
    "neurons of two sizes": ({"n1": lif(5, tau=np.ones(4))}, [], "the same shape"),
    "huge input": ({"ninput": ("Input", {"shape": np.array([10**12])})}, [], "shape"),
}  # fmt: skip


@pytest.mark.parametrize("kind", GRAPHS)
def test_graphs_that_cannot_be_run_are_refused(kind, tmp_path):
    changed, more, match = GRAPHS[kind]
    nodes, edges = chain(**changed)
    refused(write(tmp_path / "net.nir", nodes, [*edges, *more]), match)


def test_delays_between_weights_must_be_one(tmp_path):
    """Weights after them add up what comes at several times, which no pair of neurons has."""
    nodes, edges = chain()
    edges = [e for e in edges if e != ("2", "3")]
    nodes["more"] = ("Linear", {"weight": np.eye(3)})
    edges += [("2", "late"), ("late", "more"), ("more", "3")]
    nodes["late"] = ("Delay", {"delay": 0.001 * np.arange(3)})
    refused(write(tmp_path / "net.nir", nodes, edges), "weights 'more' add signals")
    nodes["late"] = ("Delay", {"delay": np.array(0.002)})
    found = arranged(tmp_path / "net.nir", nodes, edges)
    np.testing.assert_array_equal(found.synapses[1].delays, np.full((5, 3), 0.002))


def test_paths_of_several_delays_are_several_synapses(tmp_path):
    """A convolution over time: a Delay for each tap."""
    nodes, edges = chain()
    for k in (1, 2):
        nodes[f"late{k}"] = ("Delay", {"delay": 0.001 * k * np.ones(4)})
        nodes[f"tap{k}"] = ("Linear", {"weight": k * np.ones((5, 4))})
        edges += [("input", f"late{k}"), (f"late{k}", f"tap{k}"), (f"tap{k}", "1")]
    found = arranged(tmp_path / "net.nir", nodes, edges)
    into = [s for s in found.synapses if s.pre == "input"]
    late = sorted(0.0 if s.delays is None else s.delays.max() for s in into)
    assert late == [0.0, 0.001, 0.002]


def diamonds(path, n):
    """A file in which every further two Delays double the ways to the first layer."""
    nodes, edges = chain()
    levels = [["input"], *([f"d{k}a", f"d{k}b"] for k in range(n)), ["0"]]
    nodes |= {d: ("Delay", {"delay": 0.001 * int(d[1:-1])}) for two in levels[1:-1] for d in two}
    found = [(a, b) for one, two in itertools.pairwise(levels) for a in one for b in two]
    return write(path, nodes, [*edges[1:], *found])


@pytest.mark.parametrize("n", [18, 60])
def test_delays_side_by_side_are_counted_where_the_file_is_read(n, tmp_path):
    """A file of 36 nodes held a command for minutes, and in the process of the user."""
    with pytest.raises(
        UserError, match=r"more than 1000 paths .*expected fewer; replace consecutive Delay"
    ):
        arranging.read(diamonds(tmp_path / "net.nir", n), seconds=20)
    few = reading.read(diamonds(tmp_path / "few.nir", 4))
    assert [s.pre for s in arranging.arranged(few).synapses].count("input") == 16


def test_small_files_that_make_much_are_refused(tmp_path):
    nodes, edges = chain(n0=("Scale", {"scale": np.ones(10**6)}))
    refused(write(tmp_path / "net.nir", nodes, edges), "when they are multiplied")
    nodes, edges = chain()
    row = [f"s{k}" for k in range(400)]
    nodes |= {name: ("Scale", {"scale": np.ones(3)}) for name in row}
    edges = [e for e in edges if e != ("2", "3")]
    edges += itertools.pairwise(["2", *row, "3"])
    path = write(tmp_path / "net.nir", nodes, edges)
    try:
        assert len(arranging.arranged(reading.read(path)).layers) == 2
    except UserError as error:
        assert "in a row" in str(error)


def test_files_that_are_no_hdf5_are_refused(tmp_path):
    path = tmp_path / "net.nir"
    refused(path, "cannot be read")
    path.write_bytes(b"")
    refused(path, "not readable as HDF5")
    path.write_text("{}")
    refused(path, "not readable as HDF5")


def test_a_file_cut_short_is_refused(tmp_path):
    whole = write(tmp_path / "net.nir", *chain()).read_bytes()
    for share in (0.1, 0.5, 0.9, 0.99):
        (tmp_path / "cut.nir").write_bytes(whole[: int(share * len(whole))])
        refused(tmp_path / "cut.nir", "not readable as HDF5")


def test_a_file_is_tried_in_a_process_of_its_own(tmp_path):
    found = arranging.read(write(tmp_path / "net.nir", *chain()))
    assert [layer.size for layer in found.layers] == [5, 3]
    with pytest.raises(UserError, match="cannot be read"):
        arranging.read(tmp_path / "none.nir")


@pytest.mark.parametrize("seed", [0, 1, 33])
def test_damage_anywhere_is_one_message_or_a_graph(seed, tmp_path):
    """Seed 33 makes HDF5 run in a circle."""
    raw = bytearray(write(tmp_path / "net.nir", *chain()).read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(len(raw), size=60):
        raw[at] = rng.integers(256)
    (tmp_path / "bad.nir").write_bytes(raw)
    try:
        arranging.read(tmp_path / "bad.nir", seconds=2)
    except UserError as error:
        assert len(str(error).splitlines()) == 1


def edited(path, change):
    write(path, *chain())
    with h5py.File(path, "a") as file:
        change(file["node"])
    return path


def bomb(node):
    """An array of 8 TB that takes no place in the file."""
    del node["nodes/2/weight"]
    node["nodes/2"].create_dataset("weight", (10**6, 10**6), "f8", chunks=(1000, 1000))


def outside(node):
    del node["nodes/2/weight"]
    node["nodes/2"].create_dataset(
        "weight", (3, 5), "f8", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)]
    )


def linked(node):
    del node["nodes/2"]
    node["nodes/2"] = h5py.ExternalLink("/tmp/other.nir", "/node")


def itself(node):
    """A graph that holds itself."""
    del node["nodes/2"]
    node["nodes/2"] = node


def many_times(node):
    """A small file of groups each of which holds the next one a hundred times."""
    inside = node["nodes/2"]
    for _ in range(3):
        outside = node["nodes"].create_group(f"g{id(inside)}")
        for k in range(100):
            outside[str(k)] = inside
        inside = outside


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (many_times, "too many"),
        (bomb, "has shape"),
        (outside, "another file"),
        (linked, "link"),
        (itself, "deep"),
    ],
)
def test_hostile_files_are_refused(change, match, tmp_path):
    refused(edited(tmp_path / "net.nir", change), match)
