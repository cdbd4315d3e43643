"""Train a network in snnTorch and export it.

    python snntorch_training.py SAMPLES.npz OUT.nir EPOCHS

Needs torch, snntorch, nir and nirtorch and nothing of whyspiking, so that another interpreter can
run it. SAMPLES.npz is what `python -m whyspiking samples` writes of a task whose inputs fire once.
Beside OUT.nir goes OUT.npz with decisions on the validation trials by snnTorch itself: steps of
1 ms, most output spikes.
"""

import sys

import nir
import numpy as np
import snntorch as snn
import torch
from snntorch import functional, utils
from snntorch.export_nir import export_to_nir

HIDDEN, BATCH = 30, 50


def raster(file, before=""):
    """Inputs (step, trial, channel) and classes (trial,); of training behind "train."."""
    n, n_steps, n_in = file[f"{before}shape"]
    x = torch.zeros(n_steps, n, n_in)
    x[tuple(file[f"{before}{key}"] for key in ("steps", "trials", "channels"))] = 1
    return x, torch.as_tensor(file[f"{before}targets"]).long()


def spikes(network, x):
    """Output spikes (step, trial, class)."""
    utils.reset(network)
    return torch.stack([network(now) for now in x])


def decided(out):
    """Most spikes; of several outputs the one that fired first; -1 where none fired."""
    counts = out.sum(0)
    first = torch.where(out.any(0), out.argmax(0), len(out))
    first = torch.where(counts == counts.max(1, keepdim=True).values, first, len(out))
    return np.where(counts.max(1).values > 0, first.argmin(1), -1)


def main(samples, out, epochs):
    """Train, export, and keep snnTorch's own decisions."""
    torch.manual_seed(0)
    with np.load(samples, allow_pickle=False) as file:
        (x, y), (x_val, y_val) = raster(file, "train."), raster(file)
    n_in, n_out = x.shape[2], int(y.max()) + 1
    # One number a layer would do for snnTorch; its own export wants one a neuron.
    network = torch.nn.Sequential(
        torch.nn.Linear(n_in, HIDDEN),
        snn.Leaky(beta=torch.full((HIDDEN,), 0.95), threshold=torch.ones(HIDDEN), init_hidden=True),
        torch.nn.Linear(HIDDEN, n_out),
        snn.Leaky(beta=torch.full((n_out,), 0.95), threshold=torch.ones(n_out), init_hidden=True),
    )
    with torch.no_grad():
        network[0].weight.mul_(4.0)
        network[2].weight.mul_(2.0)
    loss = functional.ce_count_loss()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    for epoch in range(epochs):
        for part in torch.randperm(x.shape[1]).split(BATCH):
            optimiser.zero_grad()
            value = loss(spikes(network, x[:, part]), y[part])
            value.backward()
            optimiser.step()
        rate.step()
        if epoch % 5 == 4:
            with torch.no_grad():
                right = (decided(spikes(network, x_val)) == y_val.numpy()).mean()
            print(epoch + 1, value.item(), float(right), flush=True)
    with torch.no_grad():
        choices = decided(spikes(network, x_val))
    utils.reset(network)
    nir.write(out, export_to_nir(network, x[0, 0]))
    np.savez_compressed(out.removesuffix(".nir") + ".npz", choices=choices, targets=y_val.numpy())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
