"""Scripts of Brian2 that were written for a network: loaded, fed, and their spikes."""

import importlib.util
import warnings

import numpy as np

from whyspiking_exchange.export.networks import EVENTS


def load(path):
    """The script as a module; it runs interpreted."""
    import brian2

    brian2.set_device("runtime")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def simulate(module, samples):
    """`simulate` of a script, without the warnings of Brian2's parsers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return module.simulate(samples)


def samples_of(raster):
    """Input spikes of (trial, step, channel) as scripts take them."""
    found = dict(zip(EVENTS, np.nonzero(raster), strict=True))
    return {**found, "shape": np.array(np.shape(raster))}


def raster_of(spikes, shape):
    """Spikes of a layer as 0 and 1, (trial, step, neuron)."""
    raster = np.zeros(shape, np.uint8)
    raster[tuple(spikes)] = 1
    return raster
