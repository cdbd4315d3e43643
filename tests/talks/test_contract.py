"""Every talk through the same checks; `-k <talk>` says what a new talk still lacks."""

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from made.missing import missing

from whyspiking.contract import data_folders
from whyspiking.contract.randomness import Streams
from whyspiking.contract.talk import Replication
from whyspiking.contract.types import Task
from whyspiking.declared import plans, registry
from whyspiking.declared.config import read
from whyspiking.errors import UserError
from whyspiking.talks import FUNCTIONS, load_replication, module_of, talk_module

ROOT = Path(__file__).parents[2]
CONFIG = {
    **read(folder=ROOT / "config"),
    **{"scale": "smoke"},
}
# Data sets at the sizes of the smoke run.
for key, changed in yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["data"].items():
    CONFIG["data"][key] = {**CONFIG["data"][key], **changed}
REQUIRED = ("make_task", "train", "evaluate")
SIMULATED = ("to_brian", "bind", "decode")
TALKS = registry.available()


def experiments(talk: str) -> list[str]:
    """Names of those of a talk; none of one that cannot be read, which `missing` tells."""
    try:
        return list(registry.load_talk(talk).experiments)
    except UserError:
        return []


EXPERIMENTS = [
    pytest.param(talk, name, id=f"{talk}-{name}") for talk in TALKS for name in experiments(talk)
]


@pytest.fixture(autouse=True)
def data_of_the_smoke_run(request, monkeypatch):
    """Tasks whose data are files take those of the smoke run."""
    named = getattr(request.node, "callspec", None)
    talk, experiment = (named.params.get(key) if named else None for key in ("talk", "experiment"))
    if experiment is None:
        return
    key = registry.load_talk(talk).experiments[experiment].data_key
    if key == "mnist" or data_folders.folder_of(key, CONFIG["data"]):
        folder = request.getfixturevalue("smoke_run") / "resources" / "data"
        monkeypatch.setitem(CONFIG, "data", {**CONFIG["data"], "folder": str(folder)})


def make_task(talk: str, experiment: str, split: str, seed: int = 0) -> Task | None:
    """The task of one experiment at smoke scale, from the parameters that all its jobs are told.

    Skips where it needs files of the authors.
    """
    described = registry.load_talk(talk).experiments[experiment]
    params = registry.params(described, CONFIG, seed)
    for variant in described.variants:
        params = plans.readable_params(
            described, variant, params, registry.load_talk(talk).training_parameters
        )
    if described.data_key == "qtdb" and params.originals_dir is None:
        pytest.skip("the authors' electrocardiograms are not on this machine")
    return load_replication(talk, experiment).make_task(params, split, Streams(seed))


def samples(task: Task) -> set[bytes]:
    """A fingerprint of each trial's input, or of its target where the input is shared."""
    if task.features is not None and task.n_classes:
        rows = np.asarray(task.features)
        if (rows != rows[0]).any():
            return {row.tobytes() for row in rows}
    if task.n_classes and len(task.stimulus.spikes) == 1:
        # Where counts are equal on purpose, or nobody is told features, spikes tell trials apart.
        (spikes,) = task.stimulus.spikes.values()
        trials = (spikes.select_trials([k]) for k in range(spikes.n_trials))
        return {trial.times_ms.tobytes() + trial.units.tobytes() for trial in trials}
    return {np.asarray(row).tobytes() for row in task.targets}


def check_signature(name: str, function: Any) -> None:
    wanted = list(inspect.signature(getattr(Replication, name)).parameters)[1:]
    given = list(inspect.signature(function).parameters)
    where = f"{function.__module__}.{name}"
    assert given == wanted, f"{where} takes {given}, the contract says {wanted}"


@pytest.mark.parametrize("talk", TALKS)
def test_nothing_is_missing(talk):
    """All that a new talk still lacks, at once; what follows looks closer."""
    found = missing(talk)
    assert not found, "\n".join([f"{talk} lacks {len(found)} things:", *found])


@pytest.mark.parametrize("talk", TALKS)
def test_every_experiment_has_a_module_and_every_module_an_experiment(talk):
    experiments = registry.load_talk(talk).experiments
    assert list(talk_module(talk).EXPERIMENTS) == list(experiments)
    folder = registry.FOLDER / talk
    for path in (*folder.rglob("measures*.py"), *folder.rglob("exhibits*.py")):
        name = path.stem.partition("_")[0]
        module = talk_module(talk, ".".join(path.relative_to(folder).with_suffix("").parts))
        if hasattr(module, name):
            check_signature(name, getattr(module, name))


@pytest.mark.parametrize(("talk", "experiment"), EXPERIMENTS)
def test_the_module_of_an_experiment_fulfils_the_contract(talk, experiment):
    module = module_of(talk, experiment)
    simulated = registry.load_talk(talk).experiments[experiment].simulated
    for name in (*REQUIRED, *(SIMULATED if simulated else ())):
        assert hasattr(module, name), f"{module.__name__} exports no {name}()"
    if hasattr(module, "conditions"):
        ways = ("vary", "perturb_recording")
        assert any(hasattr(module, way) for way in ways), f"{module.__name__} has none of {ways}"
    for name in FUNCTIONS:
        if hasattr(module, name):
            check_signature(name, getattr(module, name))


def test_an_experiment_without_a_module_is_refused():
    with pytest.raises(UserError, match=r"EXPERIMENTS has no 'yingyang'; expected one of yinyang"):
        module_of("goeltz", "yingyang")


@pytest.mark.parametrize("talk", TALKS)
def test_talk_tells_its_story(talk):
    described = registry.load_talk(talk)
    readme = (described.folder / "README.md").read_text()
    assert re.search(r"\\tag\{1\}|\(1\)|Eq\. 1", readme), "the README numbers its equations"
    for experiment in described.experiments.values():
        roles = [v.role for v in experiment.variants.values()]
        main = "spiking" if experiment.simulated else "rate"
        assert main in roles, f"{experiment.name} trains no {main} variant"


@pytest.mark.parametrize("talk", TALKS)
def test_learning_rules_are_declared(talk):
    described = registry.load_talk(talk)
    learned = {place for rule in described.learning_rules for place in rule.learners}
    for experiment, variant in learned:
        assert described.experiments[experiment].variants[variant].role != "negative_control"
    if any(e.simulated for e in described.experiments.values()):
        assert any(
            described.experiments[experiment].variants[variant].role == "spiking"
            for experiment, variant in learned
        ), "no rule says by what the spiking networks learn"


@pytest.mark.parametrize(("talk", "experiment"), EXPERIMENTS)
def test_tasks_are_deterministic_and_splits_are_disjoint(talk, experiment):
    first = make_task(talk, experiment, "test")
    again = make_task(talk, experiment, "test")
    assert first is not None
    assert again is not None
    np.testing.assert_array_equal(first.targets, again.targets)
    for name, train in first.stimulus.spikes.items():
        np.testing.assert_array_equal(train.times_ms, again.stimulus.spikes[name].times_ms)
    if first.exhaustive:
        return  # the inputs are all there are; only noise tells the splits apart
    if not first.n_classes:
        return  # one pattern is learned and reproduced: there is nothing to hold out
    training = make_task(talk, experiment, "train")
    if training is None:
        return  # what others trained, or inputs that are searched for: nothing here learns from it
    overlap = samples(first) & samples(training)
    # MNIST itself repeats no image; a generator of continuous inputs repeats none either.
    assert not overlap, f"{len(overlap)} test samples also stand in the training set"
