"""Networks of Norse with random weights, exported: `python norse_layers.py FOLDER`.

Needs torch, norse, nir and nirtorch, nothing of whyspiking. Every kind gives KIND.nir and KIND.npz
with `inputs` and `outputs`, (trial, step, channel), 0 or 1. `default` is `box` as Norse 1.1 exports
it unless told its step: time constants are a thousandth of what they are.
"""

import sys
from pathlib import Path

import nir
import numpy as np
import torch
from norse.torch import (
    LIFBoxCell,
    LIFBoxParameters,
    LIFCell,
    LIFParameters,
    SequentialState,
)
from norse.torch.utils.export_nir import to_nir

N_IN, N, N_OUT, STEPS, TRIALS = 4, 12, 3, 80, 50


def box(n):
    """Neurons without synaptic currents: an input moves the membrane."""
    each = {"tau_mem_inv": 50.0, "v_th": 1.0, "v_leak": 0.0, "v_reset": 0.0}
    return LIFBoxCell(LIFBoxParameters(**{k: torch.full((n,), x) for k, x in each.items()}))


def current(n):
    """Neurons with synaptic currents, to which an input is added whole."""
    each = {"tau_syn_inv": 200.0, "tau_mem_inv": 50.0, "v_th": 1.0, "v_leak": 0.0, "v_reset": 0.0}
    return LIFCell(LIFParameters(**{k: torch.full((n,), x) for k, x in each.items()}))


def main(folder):
    """Write all of them."""
    torch.manual_seed(1)
    inputs = (torch.rand(STEPS, TRIALS, N_IN) < 0.2).float()
    for kind, cells, gain in (("box", box, 120.0), ("current", current, 40.0)):
        parts = [torch.nn.Linear(N_IN, N), cells(N), torch.nn.Linear(N, N_OUT), cells(N_OUT)]
        with torch.no_grad():
            for part in (parts[0], parts[2]):
                part.weight.mul_(gain)
        network, state, outputs = SequentialState(*parts), None, []
        with torch.no_grad():
            for now in inputs:
                out, state = network(now, state)
                outputs.append(out)
        found = {"inputs": inputs, "outputs": torch.stack(outputs)}
        found = {key: value.numpy().transpose(1, 0, 2) for key, value in found.items()}
        for name, told in {kind: {"dt": 1.0}, **({"default": {}} if kind == "box" else {})}.items():
            nir.write(folder / f"{name}.nir", to_nir(network, inputs[0, 0], **told))
            np.savez_compressed(folder / f"{name}.npz", allow_pickle=False, **found)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
