"""A spiking network in Brian2: 40 inputs, layers of 32, 12 neurons.

Made of ground-sound_trained.nir by `python -m whyspiking brian`.
Needs numpy and brian2; the weights are in the file of the same name with the suffix .weights.npz.

    python ground-sound_trained.py SAMPLES.npz        prints the decision of every sample
    python ground-sound_trained.py SAMPLES.npz 5      of the first five

SAMPLES.npz holds the input: `trials`, `steps` and `channels` of all spikes, one number a spike,
counted from 0, and `shape`, how many there are of each. With `choices`, the decisions that are
expected, the number of equal decisions is printed.

Decision: the output with the largest sum of its potential over the steps.

In a step layers take turns: spikes arrive, states advance, neurons fire and are reset. What a
layer sends to itself arrives in the next step. Samples run side by side: neuron k of sample s
is neuron s * N + k of a layer of N.
"""

import sys
from pathlib import Path

import numpy as np
from brian2 import (
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    defaultclock,
    ms,
    prefs,
)

# ---- parameters; those that differ between neurons, and all weights, are in ARRAYS ----

prefs.codegen.target = "numpy"  # "cython" is faster in long runs, and needs a C++ compiler
with np.load(Path(__file__).with_suffix(".weights.npz"), allow_pickle=False) as file:
    ARRAYS = dict(file)
SIDE_BY_SIDE = 200  # samples in one run
defaultclock.dt = 1.0 * ms  # a step
N_INPUT = 40

N_LAYER1 = 32
LAYER1 = {
    "r_membrane": 1.0,
    "v_leak_membrane": 0.0,
    "threshold_spikes": 1.0,
}

N_OUTPUT = 12
OUTPUT = {
    "tau": 20.504166493065892 * ms,
    "r": 1.0,
    "v_leak": 0.0,
}


def in_order(equations, variables, options):
    """Forward Euler, one equation after the other: each takes the new values of those above."""
    return "\n".join(f"{x} += dt * ({rate.code})" for x, rate in equations.diff_eq_expressions)


def neurons(name, size, equations, parameters, **spikes):
    """The neurons of a layer, in the slots of a step that are its own."""
    group = NeuronGroup(size, equations, method=in_order, namespace=parameters, name=name, **spikes)
    group.state_updater.when = f"{name}_advances"
    if "threshold" in spikes:
        group.thresholder["spike"].when = f"{name}_fires"
    if spikes.get("reset"):
        group.resetter["spike"].when = f"{name}_resets"
    return group


def connect(name, source, target, on_pre, when, n):
    """Synapses by weights (pre, post), in each of n samples; none where a weight is 0."""
    weights = ARRAYS[name]
    pre, post = np.nonzero(weights)
    sample = np.repeat(np.arange(n), len(pre))
    made = Synapses(source, target, "w : 1", on_pre=on_pre, name=name)
    made.pre.when = when
    made.connect(
        i=np.tile(pre, n) + sample * weights.shape[0],
        j=np.tile(post, n) + sample * weights.shape[1],
    )
    made.w = np.tile(weights[pre, post], n)
    return made


def build(n):
    """The network for n samples, its input, and what it records of each layer."""
    inputs = SpikeGeneratorGroup(n * N_INPUT, [], [] * ms, name="inputs")
    network, recorded = Network(inputs), {}
    network.schedule = ["start", "groups", "thresholds", "synapses"]

    # ---- layer1: 32 neurons, LI 'membrane', Threshold 'spikes' ----
    layer1 = neurons(
        "layer1",
        n * N_LAYER1,
        """
        tau_membrane : second (constant)
        bias_membrane : 1 (constant)
        dv_membrane/dt = (v_leak_membrane - v_membrane + r_membrane * (I_membrane + bias_membrane)) / tau_membrane : 1
        I_membrane : 1  # what arrives in a step
        v_spikes = v_membrane : 1
        """,
        LAYER1,
        threshold="v_spikes > threshold_spikes",
        reset="",
    )
    layer1.tau_membrane = np.tile(ARRAYS["layer1.tau_membrane"], n) * ms
    layer1.bias_membrane = np.tile(ARRAYS["layer1.bias_membrane"], n)
    layer1.run_regularly("I_membrane = 0", when="layer1_resets")
    recorded["layer1"] = SpikeMonitor(layer1)
    network.add(layer1, recorded["layer1"])
    made = connect("input_to_layer1_membrane", inputs, layer1, "I_membrane_post += w", "layer1_input", n)
    network.add(made)
    made = connect("layer1_to_layer1_membrane", layer1, layer1, "I_membrane_post += w", "later", n)
    network.add(made)
    network.schedule += [f"layer1_{act}" for act in ("input", "advances", "fires", "resets")]

    # ---- output: 12 neurons, LI 'classes' ----
    output = neurons(
        "output",
        n * N_OUTPUT,
        """
        bias : 1 (constant)
        dv/dt = (v_leak - v + r * (I + bias)) / tau : 1
        I : 1  # what arrives in a step
        """,
        OUTPUT,
    )
    output.bias = np.tile(ARRAYS["output.bias"], n)
    output.run_regularly("I = 0", when="output_resets")
    recorded["output"] = StateMonitor(output, "v", record=True, when="output_fires")
    network.add(output, recorded["output"])
    made = connect("layer1_to_output", layer1, output, "I_post += w", "output_input", n)
    network.add(made)
    network.schedule += [f"output_{act}" for act in ("input", "advances", "fires", "resets")]

    network.schedule += ["later", "resets", "end"]
    return network, inputs, recorded


def simulate(samples):
    """Run all samples.

    Returns:
        Per layer that fires `trials`, `steps` and `neurons` of its spikes; and the output,
        (sample, step, neuron): potentials.
    """
    n_samples, n_steps, _ = map(int, samples["shape"])
    trials, steps, channels = (
        np.asarray(samples[key], int) for key in ("trials", "steps", "channels")
    )
    n = min(SIDE_BY_SIDE, n_samples)
    network, inputs, recorded = build(n)
    network.store()
    spikes, outputs = {name: [] for name in recorded}, []
    for start in range(0, n_samples, n):
        network.restore()
        now = (trials >= start) & (trials < min(start + n, n_samples))
        inputs.set_spikes(
            (trials[now] - start) * N_INPUT + channels[now], steps[now] * defaultclock.dt
        )
        network.run(n_steps * defaultclock.dt)
        for name, monitor in recorded.items():
            if name == "output":
                potentials = monitor.v
                outputs.append(potentials.reshape(n, N_OUTPUT, n_steps).transpose(0, 2, 1))
                continue
            sample, neuron = np.divmod(np.array(monitor.i), monitor.source.N // n)
            step = np.rint(np.array(monitor.t / defaultclock.dt)).astype(int)
            spikes[name].append((sample + start, step, neuron))
    spikes = {name: np.hstack(found) for name, found in spikes.items() if found}
    return spikes, np.concatenate(outputs)[:n_samples]


def decide(output):
    """The output with the largest sum of its potential over the steps."""
    output = output[:, 0:]
    return output.sum(axis=1).argmax(axis=1)


def main(file, first=None):
    """Print decisions."""
    with np.load(file, allow_pickle=False) as given:
        samples = dict(given)
    if samples["shape"][2] != N_INPUT:
        sys.exit(f"{file}: {samples['shape'][2]} channels; expected {N_INPUT}")
    if first is not None:
        samples["shape"][0] = min(int(first), samples["shape"][0])
    decisions = decide(simulate(samples)[1])
    for k, decision in enumerate(decisions):
        print(f"sample {k}: {decision}")
    if "choices" in samples:
        expected = samples["choices"][: len(decisions)]
        far = 0.01 * np.ptp(expected) if expected.dtype.kind == "f" else 0
        print(f"as expected: {np.mean(np.abs(decisions - expected) <= far):.1%}")


if __name__ == "__main__":
    main(*sys.argv[1:])
