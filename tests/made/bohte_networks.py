"""Networks of bohte that are not trained, and their spikes in both engines."""

import jax
import numpy as np
from made.fulfilled import fulfilled

from whyspiking.contract.types import Network
from whyspiking.talks.bohte import brian_network, network, task


def network_of(params, cell, seed=5):
    """A network that is not trained, with biases of both signs."""
    rng = np.random.default_rng(seed)
    arrays = network.initial(params, cell, rng)
    for name in [name for name in arrays if name.startswith("b")]:
        arrays[name] = rng.normal(0.05, 0.2, arrays[name].shape).astype(np.float32)
    facts = {"adaptation": network.adaptation(params, cell), "resets": cell == network.RESETTING}
    return Network(arrays, {"cell": cell, **facts})


def same_in_both(params, net, test, machine):
    """Compare all spikes, and outputs to rounding; the share of steps with a spike."""
    recording = machine.run(test.stimulus, fulfilled(params).bind(params, net).values)
    x, cell = task.raster(params, test), net.info["cell"]
    with jax.enable_x64(True):
        fired = network.spikes(params, cell, net.arrays, x, np.float64)
        outputs = network.outputs(params, cell, net.arrays, x, np.float64)
    for k, layer in enumerate(fired):
        np.testing.assert_array_equal(brian_network.raster(params, recording, k), layer)
    np.testing.assert_allclose(brian_network.outputs(params, recording), outputs, atol=1e-9)
    return min(layer.mean() for layer in fired)
