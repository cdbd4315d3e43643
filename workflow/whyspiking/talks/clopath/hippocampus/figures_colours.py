"""Colours of neurons by their phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cyclic(phase: NDArray, steps: int = 24) -> NDArray:
    """Colours around the circle, as names, that keep their contrast on light and dark pages."""
    import colorsys

    wheel = np.array(
        [_mid_luminance(colorsys.hls_to_rgb(k / steps, 0.5, 0.75)) for k in range(steps)]
    )
    turn = np.mod(phase, 2 * np.pi) / (2 * np.pi)
    return wheel[np.minimum((turn * steps).astype(int), steps - 1)]


def _mid_luminance(rgb: tuple[float, float, float]) -> str:
    """A colour brought to a relative luminance (WCAG) of about 0.18, between both pages."""
    colour = np.array(rgb)
    for _ in range(40):
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        luminance = float(linear @ [0.2126, 0.7152, 0.0722])
        if luminance > 0.2:
            colour = colour * 0.97
        elif luminance < 0.17:
            colour = 1 - (1 - colour) * 0.97
    red, green, blue = (round(255 * float(channel)) for channel in np.clip(colour, 0, 1))
    return f"#{red:02x}{green:02x}{blue:02x}"
