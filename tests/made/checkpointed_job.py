"""A job that trains with checkpoints, to be killed: `python checkpointed_job.py FOLDER`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from made.project import params_of

from whyspiking.declared import plans, registry
from whyspiking.stages.train import train
from whyspiking.training import checkpoint


def run(folder, told, every_s):
    """Train a network into `folder / "network"`; checkpoints lie in `folder / "kept"`."""
    own = params_of("goeltz", "yinyang", epochs=400, n_train=400, n_test=100)
    experiment = registry.load_talk("goeltz").experiments["yinyang"]
    plan = plans.training(experiment, "spiking", own)
    with checkpoint.kept_in(folder / "kept", plan, [__file__], every_s):
        train(plan, [], folder / "network", told)


if __name__ == "__main__":
    run(Path(sys.argv[1]), lambda share, news: print(share, flush=True), every_s=0)
