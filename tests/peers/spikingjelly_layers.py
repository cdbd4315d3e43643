"""Networks of SpikingJelly with random weights, exported: `python spikingjelly_layers.py FOLDER`.

Needs torch, spikingjelly, nir and nirtorch, nothing of whyspiking. Every kind gives KIND.nir and
KIND.npz with `inputs` and `outputs`, (trial, step, channel), 0 or 1.
"""

import sys
from pathlib import Path

import nir
import numpy as np
import torch
from spikingjelly.activation_based import functional, neuron
from spikingjelly.activation_based.nir_exchange import export_to_nir

N_IN, N, N_OUT, STEPS, TRIALS = 4, 12, 3, 80, 50
KINDS = {"decayed": (True, 80.0), "whole": (False, 4.0)}
"""Whether an input is divided by tau, and how much larger weights are than torch draws them."""


def main(folder):
    """Write all of them."""
    torch.manual_seed(1)
    inputs = (torch.rand(STEPS, TRIALS, N_IN) < 0.2).float()
    for kind, (decay_input, gain) in KINDS.items():
        parts = [torch.nn.Linear(N_IN, N), torch.nn.Linear(N, N_OUT)]
        with torch.no_grad():
            for part in parts:
                part.weight.mul_(gain)
        cells = [neuron.LIFNode(tau=20.0, decay_input=decay_input) for _ in parts]
        network = torch.nn.Sequential(parts[0], cells[0], parts[1], cells[1])
        with torch.no_grad():
            outputs = torch.stack([network(now) for now in inputs])
        functional.reset_net(network)
        found = {"inputs": inputs, "outputs": outputs}
        found = {key: value.numpy().transpose(1, 0, 2) for key, value in found.items()}
        nir.write(folder / f"{kind}.nir", export_to_nir(network, inputs[0, :1]))
        np.savez_compressed(folder / f"{kind}.npz", allow_pickle=False, **found)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
