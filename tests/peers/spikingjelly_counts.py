"""Operation counters of SpikingJelly: `python spikingjelly_counts.py IN.npz OUT.json`.

IN holds inputs (trial, time, channel), w_hidden, w_output (pre, post) and threshold; neurons add up
their input and are reset to 0. Needs torch and spikingjelly, nothing of whyspiking. Counts are
those of all trials together; `energy` is SpikingJelly's estimate in pJ for 8-bit operations. Spikes
of the hidden layer go to OUT's neighbour OUT.npz, so that both sides count the same spikes.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from spikingjelly.activation_based import functional, neuron, op_counter


def main(source, target):
    with np.load(source, allow_pickle=False) as file:
        inputs = torch.as_tensor(file["inputs"]).float()
        layers = [file["w_hidden"], file["w_output"]]
        threshold = float(file["threshold"])
    parts = []
    for w in layers:
        linear = torch.nn.Linear(*w.shape, bias=False)
        linear.weight.data = torch.as_tensor(w.T.copy()).float()
        parts += [linear, neuron.IFNode(v_threshold=threshold, v_reset=0.0)]
    network, hidden = torch.nn.Sequential(*parts).eval(), []
    parts[1].register_forward_hook(lambda *args: hidden.append(args[2].numpy().astype(np.uint8)))

    def run(inputs):
        functional.reset_net(network)
        for now in inputs.unbind(1):
            network(now)

    whole = torch.nn.Module()
    whole.network, whole.forward = network, run
    config = op_counter.SimpleEnergyConfig(cost_config=op_counter.SimpleEnergyCostConfig.int8())
    with torch.no_grad():
        report = op_counter.estimate_simple_energy(whole, inputs, config=config)
    found = {"counts": report.counts, "energy": report.breakdown_pj}
    Path(target).write_text(json.dumps(found))
    np.savez(f"{target}.npz", allow_pickle=False, hidden=np.stack(hidden[-inputs.shape[1] :], 1))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
