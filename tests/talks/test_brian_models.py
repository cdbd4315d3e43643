"""The Brian2 networks of all talks: whatever a description says, and every parameter that it reads,
decides which program is run."""

from dataclasses import replace

import pytest
from made.project import params_of

from whyspiking.brian import building
from whyspiking.contract.types import Params
from whyspiking.declared import registry
from whyspiking.talks import load_replication

SIMULATED = [
    (talk, experiment.name)
    for talk in registry.available()
    for experiment in registry.load_talk(talk).experiments.values()
    if experiment.simulated
]


OF_A_RUN = {
    "naud": {"p_start", "event_start_hz"},
    "neftci": {"counted_ms", "answer_ms"},
    "clopath": {"answer_ms"},
}
"""Parameters that are read for the number of trials or steps alone: what they decide, a schedule,
currents or spikes, is given to a run."""


class Spy(dict):
    """The values of parameters, which remembers those that were asked for."""

    def __init__(self, values):
        super().__init__(values)
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


def described(params: Params):
    return building._described(load_replication(params.talk, params.experiment).to_brian(params))


@pytest.mark.parametrize(("talk", "experiment"), SIMULATED)
def test_a_change_of_any_parameter_that_is_read_is_another_program(talk, experiment):
    params = params_of(talk, experiment)
    spy = Spy(params.values)
    known = described(replace(params, values=spy))
    numbers = {
        name: value
        for name, value in params.values.items()
        if name in spy.read and isinstance(value, int | float) and not isinstance(value, bool)
    }
    same = []
    for name, value in numbers.items():
        try:
            other = described(replace(params, values={**params.values, name: 2 * value + 1}))
        except Exception:  # refused, so no old program is run for it
            continue
        if other == known:
            same.append(name)
    assert not set(same) - OF_A_RUN.get(talk, set())


IZHIKEVICH = ("sine", "van_der_pol", "ode", "episode")
SHARED = [
    ("goeltz", "full", ("substrates", "few_spikes")),
    ("comsa", "full", ("mnist_slow", "released")),
    # Beyond smoke the song has more outputs, and a structure of its own.
    ("clopath", "smoke", (*IZHIKEVICH, "song", "points")),
    ("clopath", "default", IZHIKEVICH),
    ("clopath", "full", IZHIKEVICH),
]


@pytest.mark.parametrize(("talk", "scale", "experiments"), SHARED)
def test_experiments_of_equal_size_share_a_program(talk, scale, experiments):
    models = [load_replication(talk, e).to_brian(params_of(talk, e, scale)) for e in experiments]
    assert all(model == models[0] for model in models)
