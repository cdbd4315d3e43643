"""The event camera pixel by pixel in Python: readable, and slow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from whyspiking.datasets.event_camera import Camera, Chance, Events, Path2D, events_of


def reference(camera: Camera, path: Path2D, image: NDArray, chance: Chance) -> Events:
    """What `watch` records of one image."""
    side = camera.side
    on, off = camera.on.ravel(), camera.off.ravel()
    dark = np.zeros((image.shape[0] + 2 * side,) * 2, np.float32)
    dark[side : side + image.shape[0], side : side + image.shape[0]] = image

    def look(step: int) -> NDArray[np.float64]:
        x, y = path.x[step], path.y[step]
        left, top = np.floor(x), np.floor(y)
        fx, fy = x - left, y - top
        row, column = side - int(top), side - int(left)

        def cut(down: int, right: int) -> NDArray:
            return dark[row - down :, column - right :][:side, :side]

        near = (1 - fx) * (1 - fy) * cut(0, 0) + fx * (1 - fy) * cut(0, 1)
        far = (1 - fx) * fy * cut(1, 0) + fx * fy * cut(1, 1)
        return np.log((near + far + np.float32(camera.floor)).astype(float)).ravel()

    before = look(0)
    level = before + chance.start[0]
    last = np.full(side**2, -1e18)
    found = [(int(t), int(a)) for t, a in zip(chance.noise_us, chance.noise_address, strict=True)]
    for step in range(path.x.size - 1):
        now = look(step + 1)
        for pixel in np.flatnonzero((now - level >= on) | (level - now >= off)):
            rises = now[pixel] > before[pixel]
            threshold = on[pixel] if rises else -off[pixel]
            while (now[pixel] - level[pixel]) / threshold >= 1:
                level[pixel] += threshold
                part = (level[pixel] - before[pixel]) / (now[pixel] - before[pixel])
                at = (step + np.clip(part, 0, 1)) * path.step_us
                if at - last[pixel] >= camera.refractory_us:
                    last[pixel] = at
                    found.append((int(at), 2 * int(pixel) + int(rises)))
        before = now
    times, address = np.array(sorted(found), np.int64).reshape(-1, 2).T
    return events_of(times, address, np.array([0, len(found)]), side)
