"""What fulfils an experiment: that of a talk, or one made of a few functions."""

from dataclasses import replace
from typing import Any

from made.project import talk_of

from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import Params, Split, Task
from whyspiking.declared import plans
from whyspiking.stages import train as replicate
from whyspiking.talks import load_replication


def fulfilled(params: Params) -> Replication:
    """The experiment that parameters belong to; it trains as jobs do."""
    found = load_replication(params.talk, params.experiment)
    talk = talk_of(params.talk)
    described = talk.experiments[params.experiment]

    def train(params, variant, streams, parents, progress):
        own = replace(params, seed=streams.seed)
        told = plans.readable_params(described, variant, own, talk.training_parameters)
        plan = plans.training(described, variant, told)
        return replicate.network_of(plan, parents, progress)

    vars(found)["train"] = train
    return found


def task_of(params: Params, split: Split = "test") -> Task:
    """The task of one split, which there must be."""
    return fulfilled(params).make_task(params, split, Streams(params.seed))


def made_of(**functions: Any) -> Any:
    """An experiment with these functions, and the contract's own for all others."""
    made = Replication()
    vars(made).update(functions)
    return made
