"""What tonic reads: `python tonic_events.py FOLDER OUT.npz`, with SHD/ and Test/ in FOLDER.

tonic wants the archives to lie beside the unpacked files, and 10,000 files of N-MNIST: empty
archives do, and the number is lowered here.
"""

import sys
from pathlib import Path

import numpy as np
import tonic


class NMNIST(tonic.datasets.NMNIST):
    """The same with fewer recordings."""

    def _check_exists(self):
        return True


def columns(events, names):
    return np.stack([np.asarray(events[name], np.int64) for name in names], axis=1)


def main(folder, target):
    folder = Path(folder)
    found = {}
    if (folder / "SHD").is_dir():
        spoken = tonic.datasets.SHD(str(folder), train=True)
        events, label = spoken[3]
        found |= {
            "spoken": columns(events, ("t", "x")),
            "label": label,
            "n": len(spoken),
            "speakers": spoken.speaker,
        }
        frames = tonic.transforms.ToFrame(
            sensor_size=spoken.sensor_size, time_window=100_000, include_incomplete=True
        )
        found["frames"] = frames(events).sum()
    if (folder / "NMNIST").is_dir():
        digits = NMNIST(str(folder), train=False)
        events, label = digits[1]
        found |= {"digits": columns(events, ("t", "x", "y", "p")), "digit": label, "m": len(digits)}
    np.savez(target, allow_pickle=False, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
