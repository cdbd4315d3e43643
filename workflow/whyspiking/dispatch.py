"""From an experiment of a talk to the module of its folder that fulfils it.

Nothing here imports an engine: the modules of talks do so where they need one.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from numpy.typing import NDArray

from whyspiking.contract import Condition, Network, Outcome, Params, Progress, Recording, Task
from whyspiking.errors import UserError
from whyspiking.randomness import Streams
from whyspiking.registry import Experiment
from whyspiking.talk_contract import Replication

FUNCTIONS = tuple(name for name, _ in inspect.getmembers(Replication, inspect.isfunction))


def talk_module(talk: str, name: str = "") -> ModuleType:
    """A module of a talk's folder, or its `__init__.py`."""
    return importlib.import_module(".".join(filter(None, ("whyspiking.replications", talk, name))))


def module_of(talk: str, experiment: str) -> ModuleType:
    """The module that fulfils an experiment.

    Raises:
        UserError: If the talk names none.
    """
    known: Mapping[str, str] = talk_module(talk).EXPERIMENTS
    if experiment not in known:
        raise UserError(
            f"replications/{talk}/__init__.py: EXPERIMENTS has no '{experiment}'; expected one of "
            f"{', '.join(known)}. Add it with the name of the module that fulfils it."
        )
    return talk_module(talk, known[experiment])


def replication_of(experiment: Experiment) -> Replication:
    """All functions of the contract for one experiment.

    Those that its module does not export do what `Replication` says, and variants that talk.yaml
    declares whole are trained and evaluated here.
    """
    return _Dispatched(experiment)


class _Dispatched(Replication):
    def __init__(self, experiment: Experiment) -> None:
        self._talk, self._variants = experiment.talk, experiment.variants
        self._module = module_of(experiment.talk, experiment.name)
        for name in FUNCTIONS:
            if hasattr(self._module, name) and name not in ("train", "evaluate"):
                setattr(self, name, getattr(self._module, name))

    def train(
        self,
        params: Params,
        variant: str,
        streams: Streams,
        parents: Mapping[str, Network],
        progress: Progress,
    ) -> Network:
        described = self._variants[variant]
        # Of another size there is no such network: that one is trained.
        if described.as_is and parents:
            (parent,) = parents.values()
            progress(1.0, "the network of another experiment, as it is")
            return parent.again()
        if described.relu is not None:
            from whyspiking import controls

            return controls.train_declared(described.relu, self, params, streams, progress)
        return self._module.train(params, variant, streams, parents, progress)

    def evaluate(
        self, params: Params, variant: str, network: Network, task: Task
    ) -> Outcome | None:
        if self._variants[variant].relu is not None:
            from whyspiking import controls

            return controls.evaluate(network, task)
        return self._module.evaluate(params, variant, network, task)

    def measures(
        self, params: Params, condition: Condition, recording: Recording, task: Task
    ) -> Mapping[str, float]:
        found = self._apart("measures")
        return found(params, condition, recording, task) if found else {}

    def exhibits(
        self,
        params: Params,
        networks: Mapping[tuple[str, int], Network],
        simulate: Callable[[Network, Task], Recording],
        streams: Streams,
    ) -> dict[str, NDArray]:
        found = self._apart("exhibits")
        return found(params, networks, simulate, streams) if found else {}

    def _apart(self, name: str) -> Callable[..., Any] | None:
        """A function of the talk's module of its own name, which no training reads."""
        path = f"{talk_module(self._talk).__name__}.{name}"
        there = importlib.util.find_spec(path) is not None
        return getattr(talk_module(self._talk, name), name) if there else None
