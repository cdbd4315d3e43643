"""What the authors' slow network wants to see."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from whyspiking.plots.figures import Plate, heat_map, need


def wanted(arrays: Mapping[str, NDArray]) -> Plate:
    """One start moved towards every digit, and the mean change over starts and seeds."""
    start, inputs, change, read = need(arrays, "start", "input", "change", "read", of="ideal")
    n_classes, side = len(change), round(change.shape[1] ** 0.5)
    plate = Plate(2.1)
    axes = plate.panels(2, n_classes + 1)
    heat_map(axes[0, 0], start[0].reshape(side, side), 0, 1, "gray_r")
    axes[0, 0].set_title("start", fontsize=9)
    axes[1, 0].axis("off")
    axes[1, 0].text(0, 0.4, "mean\nchange;\nread as it", fontsize=9, va="center")
    reach = float(np.percentile(np.abs(change), 99.5))
    for digit in range(n_classes):
        top, bottom = axes[:, digit + 1]
        heat_map(top, inputs[digit].reshape(side, side), 0, 1, "gray_r")
        heat_map(bottom, change[digit].reshape(side, side), -reach, reach, "RdBu_r")
        top.set_title(f"{digit}", fontsize=10)
        bottom.set_xlabel(f"{100 * read[digit]:.0f} %", fontsize=9)
    told = ", ".join(f"{digit}: {share:.2f}" for digit, share in enumerate(read))
    return plate.says(
        "What the authors' slow network wants to see. Top: one start, the mean of a few training "
        "images, and the same after its spike times were moved so that one digit's output fires "
        "earlier; dark pixels fire early. Bottom: mean change over starts and seeds, red "
        "pixels earlier, blue ones later. Below: share that a ReLU network, trained apart, reads "
        "as that digit; guessing has 10 %.",
        f"Read as wanted, by digit: {told}; mean {read.mean():.2f}.",
        exhibits="ideal",
    )
