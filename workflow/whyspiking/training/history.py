"""What every training does beside learning: order the samples, note what it measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, SupportsFloat

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass
class History:
    """Rows of `Network.history`: one per (epoch, metric)."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def note(self, epoch: float, **values: SupportsFloat) -> None:
        """What was measured in one epoch: metric -> value."""
        self.rows += [{"epoch": epoch, "metric": k, "value": float(v)} for k, v in values.items()]

    def values(self, metric: str) -> list[float]:
        """A metric over all epochs."""
        return [row["value"] for row in self.rows if row["metric"] == metric]

    def mean(self, metric: str) -> float:
        """Mean of a metric over all epochs."""
        return float(np.mean(self.values(metric)))

    def info(self, engine: str) -> dict[str, Any]:
        """For `Network.info`: the engine, how many epochs it took and their mean length in s."""
        seconds = self.values("epoch_seconds")
        return {"engine": engine, "epochs": len(seconds), "epoch_seconds": float(np.mean(seconds))}


def batches(n_samples: int, batch: int, shuffle: Generator) -> NDArray[np.int64]:
    """Samples of one epoch in random order, (step, batch); an incomplete last batch is left out."""
    n_steps = n_samples // batch
    return shuffle.permutation(n_samples)[: n_steps * batch].reshape(n_steps, batch)
