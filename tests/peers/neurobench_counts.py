"""Metrics of NeuroBench for a network of two layers: `python neurobench_counts.py IN.npz OUT.json`.

IN holds inputs (trial, time, channel), w_hidden, w_output (pre, post) and threshold. Neurons add up
their input and fire once. Needs neurobench and torch, nothing of whyspiking. Spikes of the hidden
layer go to OUT's neighbour OUT.npz, so that both sides count the same spikes.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint
from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
from neurobench.models import TorchModel


class Once(torch.nn.Module):
    """Integrate-and-fire neurons without leak that fire once."""

    def __init__(self, n, threshold):
        super().__init__()
        self.register_buffer("threshold", torch.full((n,), threshold))
        self.v = self.fired = None

    def forward(self, x):
        v = x if self.v is None else self.v + x
        spikes = (v > self.threshold).float()
        if self.fired is not None:
            spikes = spikes * (1 - self.fired)
        self.v = v
        self.fired = spikes if self.fired is None else self.fired + spikes
        return spikes


class Network(torch.nn.Module):
    """Two layers, step by step."""

    def __init__(self, layers, threshold):
        super().__init__()
        self.synapses = torch.nn.ModuleList()
        self.neurons = torch.nn.ModuleList()
        for w in layers:
            linear = torch.nn.Linear(*w.shape, bias=False)
            linear.weight.data = torch.as_tensor(w.T.copy()).float()
            self.synapses.append(linear)
            self.neurons.append(Once(w.shape[1], threshold))
        self.hidden = []

    def forward(self, x):
        for neurons in self.neurons:
            neurons.v = neurons.fired = None
        last = []
        for step in range(x.shape[1]):
            now = x[:, step]
            for k, (linear, neurons) in enumerate(zip(self.synapses, self.neurons, strict=True)):
                now = neurons(linear(now))
                if k == 0:
                    self.hidden.append(now.numpy().astype(np.uint8))
            last.append(now)
        return torch.stack(last, dim=1).sum(dim=1).argmax(dim=1)


def main(source, target):
    with np.load(source, allow_pickle=False) as file:
        inputs = torch.as_tensor(file["inputs"]).float()
        layers = [file["w_hidden"], file["w_output"]]
        threshold = float(file["threshold"])
    network = Network(layers, threshold)
    model = TorchModel(network)
    model.add_activation_module(Once)
    data = torch.utils.data.TensorDataset(inputs, torch.zeros(len(inputs), dtype=torch.long))
    loader = torch.utils.data.DataLoader(data, batch_size=len(inputs))
    metrics = [[Footprint, ConnectionSparsity], [ActivationSparsity, SynapticOperations]]
    with torch.no_grad():
        found = Benchmark(model, loader, [], [], metrics).run(quiet=True)
    Path(target).write_text(json.dumps(found))
    np.savez(target + ".npz", allow_pickle=False, hidden=np.stack(network.hidden, axis=1))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(*sys.argv[1:])
