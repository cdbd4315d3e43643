"""Run a .nir file in Norse: `python norse_reader.py FILE.nir INPUTS.npz OUTPUTS.npz`.

Needs nir, nirtorch and norse and nothing of whyspiking, so that another interpreter can run it.
NIRTorch walks the graph. Neurons and synapses are what Norse's own importer makes of a node, and
for the two nodes it does not import (Norse 1.1: LI and Threshold), Norse's cells.
"""

import sys
from functools import partial

import nir
import nirtorch
import numpy as np
import torch
from norse.torch.functional.heaviside import heaviside
from norse.torch.module.leaky_integrator_box import LIBoxCell, LIBoxParameters
from norse.torch.utils.import_nir import _import_norse_module


class Threshold(torch.nn.Module):
    """Norse's step function, above a threshold per neuron."""

    def __init__(self, node):
        super().__init__()
        self.value = torch.as_tensor(node.threshold, dtype=torch.float32)

    def forward(self, x):
        return heaviside(x - self.value)


def leaky_integrator(node, dt):
    """A leaky integrator of unit resistance."""
    if not np.allclose(node.r, 1):
        raise ValueError("Norse's leaky integrators have unit resistance")
    tau = torch.as_tensor(node.tau, dtype=torch.float32)
    leak = torch.as_tensor(node.v_leak, dtype=torch.float32)
    return LIBoxCell(LIBoxParameters(tau_mem_inv=1 / tau, v_leak=leak), dt=dt)


def module(path, dt):
    """The graph in a file as a module of torch: (input, state) -> (output, state)."""
    own = partial(_import_norse_module, ignore_warnings=True, dt=dt)
    kinds = {kind: own for kind in (nir.Affine, nir.CubaLIF, nir.IF, nir.LIF, nir.Linear)}
    kinds |= {nir.LI: partial(leaky_integrator, dt=dt), nir.Threshold: Threshold}
    return nirtorch.nir_to_torch(nir.read(path), kinds)


def main(graph, inputs, outputs):
    """Run all trials of a file at once."""
    with np.load(inputs, allow_pickle=False) as file:
        x, dt = torch.zeros(*file["shape"]), float(file["step_ms"]) * 1e-3
        at = [file[key].astype(int) for key in ("trials", "steps", "channels")]
        x[tuple(map(torch.as_tensor, at))] = 1
    network, state, found = module(graph, dt), None, []
    with torch.no_grad():
        for step in range(x.shape[1]):
            out, state = network(x[:, step], state)
            found.append(out.numpy().astype(np.float32))
    np.savez_compressed(outputs, allow_pickle=False, outputs=np.stack(found, axis=1))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
