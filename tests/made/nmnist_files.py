"""Recordings of an event camera written as N-MNIST writes them."""

import numpy as np


def encode(events, recording):
    """One recording in the file format that `nmnist.decode` reads, as bytes."""
    part = slice(int(events.start[recording]), int(events.start[recording + 1]))
    word = events.on[part].astype(np.uint32) << 23 | events.t_us[part].astype(np.uint32)
    columns = [events.x[part], events.y[part], word >> 16, word >> 8 & 0xFF, word & 0xFF]
    return np.stack(columns, axis=1).astype(np.uint8).tobytes()
