"""A Brian2 model run without compiling, for tests that look at its objects."""

import warnings

import numpy as np


def in_brian(model, stimulus, values, n_trials: int):
    """Run a model interpreted, without compiling; returns its objects and monitors."""
    import brian2

    from whyspiking.brian import assembling

    brian2.set_device("runtime")
    brian2.prefs.codegen.target = "numpy"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Brian2's parsers, no news here
        network, parts = assembling.assemble(model)
        for name, spikes in stimulus.spikes.items():
            when = spikes.times_ms + spikes.trials * model.trial_ms
            parts["inputs"][name].set_spikes(spikes.units, when * brian2.ms)
        for key, value in values.items():
            owner, _, variable = key.rpartition(".")
            target = parts["objects"][owner].variables[variable]
            target.get_value()[:] = np.ravel(value)
        for name, array in stimulus.arrays.items():
            holders = (each.namespace for each in parts["objects"].values())
            table = next(held[name].values for held in holders if name in (held or {}))
            rows = array.reshape(-1, array.shape[-1])
            table[: len(rows)] = rows
        network.run(n_trials * model.trial_ms * brian2.ms, namespace={})
    return parts


def fired(monitor, dt_ms: float, n_steps: int, n: int):
    """Spikes as 0 and 1, (step, neuron)."""
    raster = np.zeros((n_steps, n))
    raster[np.rint(np.asarray(monitor.t) * 1e3 / dt_ms).astype(int), np.asarray(monitor.i)] = 1
    return raster
