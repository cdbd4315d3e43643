"""One folder a talk: README, talk.yaml, claims.yaml, and the modules that fulfil it.

A talk may import `training`, `brian`, `datasets`, `plots` and below, and no other talk.
The same names in every folder, or in its sub-folders: `task` (inputs and targets), `model`
(equations), `learning`, `exhibits` (arrays for figures), `measures`, `figures`; no training
reads `measures` and `exhibits`. At a glance: `load_replication` gives the implementation
of an experiment. Nothing here imports an engine: the talks' modules do.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import (
    Condition,
    ExperimentParameters,
    Network,
    Networks,
    Outcome,
    Params,
    Recording,
    Simulate,
    Task,
    Trials,
)
from whyspiking.errors import UserError
from whyspiking.training import controls

FUNCTIONS = tuple(name for name, _ in inspect.getmembers(Replication, inspect.isfunction))


def talk_module(talk: str, name: str = "") -> ModuleType:
    """A module of a talk's folder, or its `__init__.py`."""
    return importlib.import_module(".".join(filter(None, ("whyspiking.talks", talk, name))))


def read_parameters(plan: Mapping[str, Any]) -> ExperimentParameters:
    """The parameters in the plan of a job, in the class that its experiment declares."""
    return load_replication(plan["talk"], plan["experiment"]).parameters.from_plan(plan)


def as_declared(params: ExperimentParameters) -> Any:
    """Parameters in the class that their experiment declares."""
    return load_replication(params.talk, params.experiment).parameters.of(params)


def load_replication(talk: str, experiment: str) -> Replication[Any]:
    """The implementation of one experiment.

    Raises:
        UserError: If the talk has none.
    """
    module = talk_module(talk)
    if hasattr(module, "load_experiment"):
        return module.load_experiment(experiment)
    return _Dispatched(talk, experiment)


def module_of(talk: str, experiment: str) -> ModuleType:
    """The module that fulfils an experiment.

    Raises:
        UserError: If the talk names none.
    """
    known: Mapping[str, str] = talk_module(talk).EXPERIMENTS
    if experiment not in known:
        raise UserError(
            f"talks/{talk}/__init__.py: EXPERIMENTS has no '{experiment}'; expected one of "
            f"{', '.join(known)}. Add it with the name of the module that implements it."
        )
    return talk_module(talk, known[experiment])


class _Dispatched(Replication[Params]):
    parameters = Params

    def __init__(self, talk: str, experiment: str) -> None:
        self._module = module_of(talk, experiment)
        for name in FUNCTIONS:
            if hasattr(self._module, name) and name != "evaluate":
                setattr(self, name, getattr(self._module, name))

    def evaluate(
        self, params: Params, variant: str, network: Network, task: Task
    ) -> Outcome | None:
        if network.info.get("is") in controls.KINDS:
            return controls.evaluate(network, task)
        return self._module.evaluate(params, variant, network, task)

    def measures(
        self, params: Params, condition: Condition, recording: Recording, task: Task
    ) -> Mapping[str, float]:
        found = self._apart("measures", "measures")
        return found(params, condition, recording, task) if found else {}

    def control_decisions(
        self, params: Params, variant: str, network: Network, task: Task
    ) -> Trials | None:
        found = self._apart("measures", "control_decisions")
        return found(params, variant, network, task) if found else None

    def exhibits(
        self, params: Params, networks: Networks, simulate: Simulate, streams: Streams
    ) -> dict[str, NDArray]:
        found = self._apart("exhibits", "exhibits")
        return found(params, networks, simulate, streams) if found else {}

    def _apart(self, file: str, function: str) -> Callable[..., Any] | None:
        """A function out of `<file>_<module>.py` or `<file>.py` beside the experiment's module."""
        folder, _, own = self._module.__name__.rpartition(".")
        for name in (f"{file}_{own}", file):
            if importlib.util.find_spec(f"{folder}.{name}") is not None:
                found = getattr(importlib.import_module(f"{folder}.{name}"), function, None)
                if found is not None:
                    return found
        return None
