"""Measure a training step in another library: `python peers.py snntorch|norse SIZES BATCH STEPS`.

Feed-forward leaky integrate-and-fire layers of the given sizes (JSON), cross-entropy of a readout
summed over time, back-propagation through time, on one thread; prints {"seconds": ...}. Needs the
library and torch, nothing of whyspiking.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import itertools
import json
import sys
import time
import timeit
from typing import Any

DENSITY, CLASSES, REPEATS = 0.05, 10, 3


def main(library: str, sizes: list[int], batch: int, n_steps: int) -> dict[str, Any]:
    """Measure CPU seconds of one step, the least of several."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    spikes = (torch.rand(n_steps, batch, sizes[0]) < DENSITY).float()
    labels = torch.randint(0, CLASSES, (batch,))
    linears = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    readout = torch.nn.Linear(sizes[-1], CLASSES)
    if library == "snntorch":
        snntorch = importlib.import_module("snntorch")
        cells = [snntorch.Leaky(beta=0.8) for _ in linears]
        initial_states = [cell.init_leaky() for cell in cells]
    else:
        norse = importlib.import_module("norse.torch")
        cells = [norse.LIFBoxCell() for _ in linears]
        initial_states = [None] * len(cells)
    modules = [*linears, readout]

    def step() -> None:
        for module in modules:
            module.zero_grad()
        states, summed_outputs = list(initial_states), 0.0
        for activity in spikes:
            for i_layer, (linear, cell) in enumerate(zip(linears, cells, strict=True)):
                activity, states[i_layer] = cell(linear(activity), states[i_layer])
            summed_outputs = summed_outputs + readout(activity)
        torch.nn.functional.cross_entropy(summed_outputs, labels).backward()

    step()
    cpu_seconds = timeit.repeat(step, timer=time.process_time, number=1, repeat=REPEATS)
    version = importlib.metadata.version(library)
    return {"seconds": min(cpu_seconds), "note": f"{library} {version}, torch {torch.__version__}"}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.loads(sys.argv[2]), *map(int, sys.argv[3:]))))
