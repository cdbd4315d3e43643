"""Scripts of Brian2 against the engine that `measure` uses, for every kind of node and option."""

import ast
import itertools
from collections import Counter

import numpy as np
import pytest
from made import scripts
from made.interpreted import in_brian
from made.nir_files import ONE, chain, lif, write

from whyspiking.contract.spikes import Spikes
from whyspiking.contract.types import Stimulus
from whyspiking.errors import UserError
from whyspiking.records import array_files
from whyspiking_exchange.nir import arranging, model, reading, script
from whyspiking_exchange.nir.layers import Readout
from whyspiking_exchange.nir.model import Steps

STEPS = 40
RASTER = (np.random.default_rng(1).random((3, STEPS, 4)) < 0.15).astype(np.uint8)
TAUS = np.array([0.004, 0.01, 0.02, 0.02, 0.03])
LEAKY = {"tau": 0.01 * ONE(5), "r": 2 * ONE(5), "v_leak": 0.1 * ONE(5)}
CUBA = {"tau_mem": TAUS, "tau_syn": 0.005 * ONE(5), "r": 4 * ONE(5), "v_leak": 0 * ONE(5)}


def between(node, *nodes, back=True):
    """Two layers of which the first is some nodes in a row, with synapses back into the first."""
    nodes = [node, *nodes]
    made, edges = chain(**{f"nn{k}": own for k, own in enumerate(nodes)})
    del made["1"]
    row = ["0", *(f"n{k}" for k in range(len(nodes))), "2"]
    edges = [("input", "0"), *itertools.pairwise(row), ("2", "3"), ("3", "output")]
    if back:
        made["back"] = ("Linear", {"weight": np.random.default_rng(2).normal(0, 1, (5, 5))})
        edges += [(row[-2], "back"), ("back", "n0")]
    return made, edges


def read_out(kind, values):
    """A last layer whose potentials are the output."""
    made, edges = chain(n3=(kind, values))
    return made, edges


THREE = {"tau": 0.01 * ONE(3), "r": ONE(3), "v_leak": ONE(3) * 0.2}
CUBA3 = {"tau_mem": 0.02 * ONE(3), "tau_syn": 0.004 * ONE(3), "r": ONE(3), "v_leak": 0 * ONE(3)}
THRESHOLD = ("Threshold", {"threshold": 0.6 * ONE(5)})
GRAPHS = {
    "LIF": between(lif(5, tau=TAUS, v_reset=0.2 * ONE(5))),
    "IF": between(("IF", {"r": ONE(5), "v_threshold": 20 * ONE(5)})),
    "CubaLIF": between(("CubaLIF", {**CUBA, "v_threshold": ONE(5)})),
    "LI, LI, Threshold": between(("LI", LEAKY), ("LI", {**LEAKY, "tau": TAUS}), THRESHOLD),
    "I, LI, Threshold": between(("I", {"r": 0.1 * ONE(5)}), ("LI", LEAKY), THRESHOLD),
    "LI, IF": between(("LI", LEAKY), ("IF", {"r": ONE(5), "v_threshold": 20 * ONE(5)})),
    "LI at the end": read_out("LI", THREE),
    "CubaLI at the end": read_out("CubaLI", CUBA3),
    "I at the end": read_out("I", {"r": 0.1 * ONE(3)}),
    "weights at the end": ({k: v for k, v in chain()[0].items() if k != "3"},
                           [("input", "0"), ("0", "1"), ("1", "2"), ("2", "output")]),
}  # fmt: skip
LATE = between(lif(5), back=False)
LATE[0]["d0"] = ("Delay", {"delay": np.array([0, 0.001, 0.004, 0.002])})
LATE[0]["d1"] = ("Delay", {"delay": 0.002})
LATE[0]["d2"] = ("Delay", {"delay": 0.001 * np.arange(5)})
LATE[0]["tap"] = ("Linear", {"weight": np.ones((5, 4))})
LATE[0]["back"] = ("Linear", {"weight": -np.ones((5, 5))})
LATE[1].remove(("0", "n0"))
LATE[1].extend([("0", "d2"), ("d2", "n0"), ("input", "d0"), ("d0", "tap"), ("tap", "n0")])
LATE[1].extend([("n0", "d1"), ("d1", "back"), ("back", "n0")])
GRAPHS["delays"] = LATE
for nodes, _ in GRAPHS.values():
    nodes["0"] = ("Affine", {**nodes["0"][1], "bias": np.linspace(-0.5, 0.5, 5)})


def both(graph, steps, folder, readout=None):
    """Layers of a graph, its script as a module, and the engine's objects after a run.

    Interpreted, the engine does not drop what is under way at the end of a trial: with delays one
    trial is run.
    """
    found = arranging.arranged(reading.read(write(folder / "net.nir", *graph)))
    readout = readout or ("count" if found.gives_spikes else "max")
    text, arrays = script.script(found, steps, Readout(readout), file="net.nir", name="net.py")
    (folder / "net.py").write_text(text)
    array_files.save_arrays(arrays, folder / "net.weights.npz")
    raster = raster_for(found)
    made = model.brian_model(found, steps, STEPS * steps.step_ms, len(raster))
    stimulus = Stimulus({"input": Spikes.from_raster(raster, steps.step_ms)})
    parts = in_brian(made, stimulus, model.binding(found, steps).values, len(raster))
    return found, scripts.load(folder / "net.py"), parts


def raster_for(found):
    return RASTER[:1] if any(s.delays is not None for s in found.synapses) else RASTER


def compare(found, module, parts, step_ms):
    """All spikes equal, and potentials but for rounding; returns how many spikes."""
    raster, n = raster_for(found), 0
    spikes, output = scripts.simulate(module, scripts.samples_of(raster))
    for layer in found.layers:
        if layer.name not in spikes:
            continue
        monitor = parts["spike_monitors"][layer.name]
        when = np.rint(np.asarray(monitor.t) * 1e3 / step_ms).astype(int)
        theirs = (*np.divmod(when, STEPS), np.asarray(monitor.i))
        shape = (len(raster), STEPS, layer.size)
        own = scripts.raster_of(spikes[layer.name], shape)
        np.testing.assert_array_equal(own, scripts.raster_of(theirs, shape))
        n += int(own.sum())
    if not found.gives_spikes:
        trace = parts["trace_monitors"]["output"]
        values = np.asarray(getattr(trace, trace.record_variables[0]))
        expected = values.T.reshape(len(raster), STEPS, -1)
        assert np.ptp(expected) > 0.1
        np.testing.assert_allclose(output, expected, rtol=1e-9, atol=1e-12)
    return n


@pytest.mark.parametrize("kind", GRAPHS)
def test_a_script_fires_the_spikes_of_the_engine(kind, tmp_path):
    steps = Steps(2.0, 1.0, input_scale=1.5)
    n = compare(*both(GRAPHS[kind], steps, tmp_path), steps.step_ms)
    assert 20 < n < 0.9 * RASTER.shape[0] * STEPS * 8


OPTIONS = {
    "subtract": ("LIF", Steps(1.0, 1.0, reset="subtract")),
    "later": ("LIF", Steps(1.0, 1.0, reset="later")),
    "later, of IF after LI": ("LI, IF", Steps(1.0, 1.0, reset="later")),
    "jump": ("CubaLIF", Steps(1.0, 1.0, current="jump", input_scale=0.3)),
    "exact": ("LIF", Steps(1.0, 1.0, "exact")),
    "exact, with a current": ("CubaLIF", Steps(1.0, 1.0, "exact")),
    "exact, with delays": ("delays", Steps(1.0, 1.0, "exact")),
    "exact, without leak": ("IF", Steps(1.0, 500.0, "exact")),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_what_a_file_leaves_open_is_as_in_the_engine(kind, tmp_path):
    graph, steps = OPTIONS[kind]
    if kind == "exact, with a current":  # equal time constants are refused
        nodes, edges = GRAPHS[graph]
        nodes = {**nodes, "n0": ("CubaLIF", {**nodes["n0"][1], "tau_syn": 0.006 * ONE(5)})}
        made = (nodes, edges)
    else:
        made = GRAPHS[graph]
    assert compare(*both(made, steps, tmp_path), steps.step_ms) > 20


REFUSED = {
    "another readout": ("LIF", Steps(1.0, 1.0), "max", "output is spikes.*count, first"),
    "a chain, exactly": (
        "LI, LI, Threshold", Steps(1.0, 1.0, "exact"), None, "'n0' passes .* 'n1'.*--solver euler"
    ),
    "equal time constants, exactly": (
        "CubaLIF", Steps(1.0, 1.0, "exact"), None, "'n0': tau_syn equals tau_mem.*--solver euler"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_script_cannot_say_names_node_and_remedy(kind, tmp_path):
    graph, steps, readout, match = REFUSED[kind]
    nodes, edges = GRAPHS[graph]
    if graph == "CubaLIF":
        nodes = {**nodes, "n0": ("CubaLIF", {**nodes["n0"][1], "tau_syn": TAUS})}
    with pytest.raises(UserError, match=match) as told:
        both((nodes, edges), steps, tmp_path, readout)
    assert len(str(told.value).splitlines()) == 1 and not (tmp_path / "net.py").exists()


def code(graph, folder, file="net.nir"):
    """What a script does: without its comments and docstrings."""
    found = arranging.arranged(reading.read(write(folder / "net.nir", *graph)))
    text, _ = script.script(found, Steps(1.0, 1.0), Readout("count"), file=file, name="net.py")
    tree = ast.parse(text)
    tree.body = tree.body[1:]
    return tree


def renamed(kind, name):
    """A graph whose first neurons have another name."""
    nodes, edges = GRAPHS[kind]
    new = {name if k == "n0" else k: v for k, v in nodes.items()}
    return new, [tuple(name if x == "n0" else x for x in pair) for pair in edges]


@pytest.mark.parametrize(
    "name", ['""" import os """', "'); import os; ('", "# } ) \\", "ms", "v_pre", "{{ 1 }}"]
)
def test_names_in_a_file_cannot_become_code(name, tmp_path):
    plain = code(GRAPHS["LIF"], tmp_path)
    assert ast.dump(code(renamed("LIF", name), tmp_path, name)) == ast.dump(plain)
    # Of layers with several states they are parts of names.
    graph = renamed("LI, LI, Threshold", name)
    trees = code(graph, tmp_path), code(GRAPHS["LI, LI, Threshold"], tmp_path)
    kinds = [Counter(type(x).__name__ for x in ast.walk(tree)) for tree in trees]
    assert kinds[0] == kinds[1]
    compare(*both(graph, Steps(1.0, 1.0), tmp_path), 1.0)


@pytest.mark.parametrize(
    ("before", "after"),
    [("leak_out", "out"), ("leak_leak", "leak"), ("threshold_z", "z"), ("x", "leak_x")],
)
def test_names_of_two_nodes_make_no_variable_twice(before, after, tmp_path):
    """As the potential `v` of node leak_out and the leak `v_leak` of node out once were."""
    nodes, edges = between(("LI", LEAKY), lif(5, v_leak=0.2 * ONE(5)))
    names = {"n0": before, "n1": after}
    graph = (
        {names.get(k, k): node for k, node in nodes.items()},
        [tuple(names.get(k, k) for k in pair) for pair in edges],
    )
    assert compare(*both(graph, Steps(1.0, 1.0), tmp_path), 1.0) > 20


def test_decisions_by_all_readouts(tmp_path):
    _, module, _ = both(GRAPHS["LIF"], Steps(1.0, 1.0), tmp_path)
    fired = np.zeros((3, 4, 3), bool)
    fired[0, 0, 1] = fired[0, 1:3, 0] = fired[1, 1, 2] = True
    trace = np.array([[[0.0, 5.0, 1.0], [3.0, 0.0, 3.0], [3.0, 0.0, 4.0]]])
    expected = {
        "count": [0, 2, -1], "first": [1, 2, -1], "max": [1], "sum": [2], "last": [2],
        "vote": [0], "each": [[1, 0, 2]], "potential": [[0.0, 3.0, 3.0]],
    }  # fmt: skip
    assert set(expected) == set(script.READOUTS)
    for name, choices in expected.items():
        lines = "\n    ".join(script.READOUTS[name][1])
        space = {"np": np, "N_OUTPUT": 3}
        exec(f"def decide(output):\n    {lines}", space)
        given = fired if name in script.OF_SPIKES else trace
        assert space["decide"](given).tolist() == choices, name
        assert Readout(name).decide(given).tolist() == choices, name
    assert module.decide(fired).tolist() == expected["count"]
