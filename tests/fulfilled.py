"""What fulfils the experiment that parameters belong to."""

from whyspiking import dispatch, registry
from whyspiking.contract import Params
from whyspiking.talk_contract import Replication


def fulfilled(params: Params) -> Replication:
    return dispatch.replication_of(registry.load_talk(params.talk).experiments[params.experiment])
