"""Networks of snnTorch with random weights, exported: `python snntorch_layers.py FOLDER`.

Needs torch, snntorch, nir and nirtorch, nothing of whyspiking. Every kind gives KIND.nir and
KIND.npz with `inputs` and `outputs`, (trial, step, channel), 0 or 1.
"""

import sys
from pathlib import Path

import nir
import numpy as np
import snntorch as snn
import torch
from snntorch import utils
from snntorch.export_nir import export_to_nir

N_IN, N, N_OUT, STEPS, TRIALS = 4, 12, 3, 80, 50


def options(n, **more):
    """What all layers of n neurons have."""
    return {"threshold": torch.ones(n), "init_hidden": True, **more}


def layers(n):
    """Kind -> a layer of n neurons."""
    beta = torch.full((n,), 0.9)
    return {
        "later": snn.Leaky(beta, **options(n)),
        "zero": snn.Leaky(beta, **options(n, reset_mechanism="zero")),
        "recurrent": snn.RLeaky(beta, linear_features=n, **options(n)),
        "current": snn.Synaptic(torch.full((n,), 0.7), beta, **options(n)),
    }


def main(folder):
    """Write all of them."""
    torch.manual_seed(1)
    inputs = (torch.rand(STEPS, TRIALS, N_IN) < 0.2).float()
    for kind, layer in layers(N).items():
        last = layers(N_OUT)["zero" if kind == "zero" else "later"]
        parts = [torch.nn.Linear(N_IN, N), layer, torch.nn.Linear(N, N_OUT), last]
        network = torch.nn.Sequential(*parts)
        with torch.no_grad():
            parts[0].weight.mul_(6)
            parts[2].weight.mul_(6)
            outputs = torch.stack([network(x) for x in inputs])
        utils.reset(network)
        nir.write(folder / f"{kind}.nir", export_to_nir(network, inputs[0, 0]))
        found = {"inputs": inputs, "outputs": outputs}
        found = {key: value.numpy().transpose(1, 0, 2) for key, value in found.items()}
        np.savez_compressed(folder / f"{kind}.npz", allow_pickle=False, **found)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
