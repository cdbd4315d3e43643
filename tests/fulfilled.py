"""What fulfils an experiment: that of a talk, or one made of a few functions."""

from typing import Any

from whyspiking import dispatch, registry
from whyspiking.contract import Params
from whyspiking.talk_contract import Replication


def fulfilled(params: Params) -> Replication:
    """The experiment that parameters belong to."""
    return dispatch.replication_of(registry.load_talk(params.talk).experiments[params.experiment])


def made_of(**functions: Any) -> Any:
    """An experiment with these functions, and the contract's own for all others."""
    made = Replication()
    vars(made).update(functions)
    return made
