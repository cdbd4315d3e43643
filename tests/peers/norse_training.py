"""Train a network in Norse and export it.

    python norse_training.py SAMPLES.npz OUT.nir EPOCHS

As `snntorch_training.py` beside it, which reads the samples and counts the spikes: needs torch,
norse, snntorch, nir and nirtorch and nothing of whyspiking. Norse's own exporter divides its `dt`
by the inverse of a time constant, so that `dt=1` gives seconds.
"""

import sys

import nir
import numpy as np
import torch
from norse.torch import LIFBoxCell, LIFBoxParameters, SequentialState
from norse.torch.utils.export_nir import to_nir
from snntorch_training import BATCH, HIDDEN, decided, raster

TAU_S, STEP_S = 0.02, 1e-3
SHARE = STEP_S / TAU_S
"""Of its input that a neuron takes over in a step: what is drawn and learned is in such units."""


def neurons(n):
    """Leaky neurons that are reset to 0; the surrogate is one that heeds `alpha`."""
    given = {"tau_mem_inv": 1 / TAU_S, "v_th": 1.0, "v_leak": 0.0, "v_reset": 0.0}
    each = {key: torch.full((n,), value) for key, value in given.items()}
    return LIFBoxCell(LIFBoxParameters(**each, method="triangle", alpha=0.3), dt=STEP_S)


def spikes(network, x):
    """Output spikes (step, trial, class)."""
    state, found = None, []
    for now in x:
        out, state = network(now, state)
        found.append(out)
    return torch.stack(found)


def main(samples, out, epochs):
    """Train, export, and keep Norse's own decisions."""
    torch.manual_seed(0)
    with np.load(samples, allow_pickle=False) as file:
        (x, y), (x_val, y_val) = raster(file, "train."), raster(file)
    n_in, n_out = x.shape[2], int(y.max()) + 1
    into, read = torch.nn.Linear(n_in, HIDDEN), torch.nn.Linear(HIDDEN, n_out)
    with torch.no_grad():
        for layer, gain in ((into, 4.0), (read, 2.0)):
            layer.weight.mul_(gain / SHARE)
            layer.bias.div_(SHARE)
    network = SequentialState(into, neurons(HIDDEN), read, neurons(n_out))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2 / SHARE)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        for part in torch.randperm(x.shape[1]).split(BATCH):
            optimiser.zero_grad()
            counts = spikes(network, x[:, part]).sum(0)
            torch.nn.functional.cross_entropy(counts, y[part]).backward()
            optimiser.step()
        rate.step()
        with torch.no_grad():
            right = (decided(spikes(network, x_val)) == y_val.numpy()).mean()
        print(epoch + 1, float(right), flush=True)
    with torch.no_grad():
        choices = decided(spikes(network, x_val))
    nir.write(out, to_nir(network, x[0, 0], dt=1.0))
    np.savez_compressed(out.removesuffix(".nir") + ".npz", choices=choices, targets=y_val.numpy())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
