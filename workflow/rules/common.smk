"""Look-ups shared by the rules; nothing here runs anything."""

from pathlib import Path

from snakemake_logger_plugin_whyspiking.estimate import Durations, Job
from whyspiking.contract import data_folders
from whyspiking.declared import key_claims, registry
from whyspiking.errors import UserError
from whyspiking.running import code_inputs
from whyspiking.declared import plans
from whyspiking.datasets import recordings
from whyspiking.report import recorded

# Folder -> key of the data sets that synthetic voices speak, at the sizes of the config.
SPOKEN = data_folders.synthetic(config["data"])
# Folder of the digits that an event camera saw, at the sizes of the config.
NMNIST = data_folders.event_recordings(config["data"])

# Those that are counted: the discussion stands beside them.
COUNTED = registry.counted(TALKS)
# That with the reference networks.
GROUND = registry.with_protocol(TALKS)
EXPERIMENTS = [e for talk in TALKS.values() for e in talk.experiments.values()]
TRAINED = ("network.npz", "network.json", "outcome.npz")
SIMULATED = ("metrics.csv", "exhibits.npz")
MEASURED = "<results>/{talk}/{experiment}/{variant}/seed-{seed}"

# The record that tables and pages are held against.
RECORDED = recorded.files(Path("results") / config["scale"], config["scale"])

# What a job of training or simulation may need; enforced by clusters only. What was measured and
# what is estimated: docs/cluster.md. A job that fails is tried again with twice as much.
MEGABYTES = {"paper": 8000}.get(config["scale"], 3000)
MINUTES = {"smoke": 20, "paper": 720}.get(config["scale"], 60)


# Rules whose jobs compile C++.
COMPILING = ("record", "resimulate", "simulate", "speak", "train")
TIMED = Durations.read([], Path("results/reference/durations.csv"), config["scale"])
# More than the priority of any training within its talk.
FIRST = 100
# All that tables depend on: where programs are compiled changes none.
DECIDING = {key: value for key, value in config.items() if key != "build_folder"}


wildcard_constraints:
    talk="|".join(TALKS),
    experiment="[a-z0-9_]+",
    variant="[a-z0-9_]+",
    seed=r"\d+",


def experiment_of(wildcards):
    """The experiment that the wildcards name; a target may name what there is not."""
    talk, variant = TALKS[wildcards.talk], wildcards.get("variant")
    found = talk.experiments.get(wildcards.experiment)
    if found is None or variant not in (None, *found.variants):
        name = f"{wildcards.experiment}/{variant}" if found else wildcards.experiment
        known = ", ".join(found.variants if found else talk.experiments)
        raise UserError(
            f"'{name}' is not known in talk '{talk.name}'; expected one of {known}. Correct the "
            "path of the file that you ask for."
        )
    seed = wildcards.get("seed")
    if seed is not None:
        seeds = ", ".join(map(str, registry.seeds(found, config, variant)))
        if seed not in seeds.split(", "):
            raise UserError(
                f"seed {seed} of '{talk.name}/{found.name}/{variant}' is not in the config; "
                f"expected one of {seeds or 'none, at this scale'}. Correct the path of the file "
                "that you ask for, or add the seed to 'seeds' or 'seeds_of'."
            )
    return found


def datasets_of(wildcards):
    """Files that must be there before the experiment can make its task."""
    folder = data_folders.folder_of(experiment_of(wildcards).data_key, config["data"])
    return [f"<data>/{folder}/meta.json"] if folder else []


def parents_of(wildcards):
    """Networks that a variant starts from, same seed."""
    variant = experiment_of(wildcards).variants[wildcards.variant]
    return [
        f"<results>/{wildcards.talk}/{parent}/seed-{wildcards.seed}/network.npz"
        for parent in variant.parents
    ]


def seconds_of(rule, **wildcards):
    """What such a job took in a recorded run."""
    return TIMED.of(Job.of(rule, wildcards)) or 0


def trainings(talk):
    """Experiment, variant and seed of every network of a talk."""
    return [
        (e.name, variant, seed)
        for e in TALKS[talk].experiments.values()
        for variant in e.variants
        for seed in registry.seeds(e, config, variant)
    ]


def turns():
    """Talk -> priority of its jobs: short talks first, so that pages come soon."""
    seconds = {
        talk: sum(
            seconds_of("train", talk=talk, experiment=experiment, variant=variant)
            for experiment, variant, _ in trainings(talk)
        )
        for talk in TALKS
    }
    longest_first = sorted(TALKS, key=seconds.get, reverse=True)
    return {talk: 2 * FIRST * turn for turn, talk in enumerate(longest_first)}


TURNS = turns()


def priority_of_training(wildcards):
    """Within a talk long trainings start first, so that none is left alone at the end."""
    seconds = seconds_of("train", **dict(wildcards.items()))
    return TURNS[wildcards.talk] + min(round(seconds), FIRST - 1)


def priority_of_talk(wildcards):
    """All else of a talk, for which its page waits."""
    return TURNS[wildcards.talk] + FIRST


def priority_of_data(folder):
    """Data come in the turn of the first talk that trains on them."""
    users = [
        TURNS[e.talk]
        for e in EXPERIMENTS
        if registry.seeds(e, config)
        and data_folders.folder_of(e.data_key, config["data"]) == folder
    ]
    return FIRST + max(users, default=0)


def networks_of(wildcards):
    """All trained networks of one experiment; controls get the battery's counterpart."""
    experiment = experiment_of(wildcards)
    return [
        f"<results>/{experiment.talk}/{experiment.name}/{variant}/seed-{seed}/network.npz"
        for variant in experiment.counted_variants()
        for seed in registry.seeds(experiment, config, variant)
    ]


def trained(talk, file):
    """One file of every trained network of a talk."""
    return [
        f"<results>/{talk}/{experiment}/{variant}/seed-{seed}/{file}"
        for experiment, variant, seed in trainings(talk)
    ]


def simulated(talk, file):
    """One file of every simulated experiment of a talk that this scale runs."""
    experiments = TALKS[talk].experiments.items()
    run = [
        name for name, experiment in experiments if registry.seeds(experiment, config)
    ]
    return [f"<results>/{talk}/{name}/{file}" for name in run]


def finished(talk):
    """All that a finished talk has: what was deleted, as a message advised, is made again."""
    return [
        *(path for file in TRAINED for path in trained(talk, file)),
        *(path for file in SIMULATED for path in simulated(talk, file)),
        *(
            f"<results>/{talk}/{file}"
            for file in (
                *columns.OF_A_TALK,
                *columns.BESIDE_A_TALK,
                "report.ipynb",
                "report.html",
            )
        ),
    ]


def plan_of_training(wildcards):
    """What a job of training is told: a change reruns the jobs that it is for."""
    experiment, variant = experiment_of(wildcards), wildcards.variant
    params = registry.params(experiment, config, int(wildcards.seed), variant)
    params = plans.told(experiment, variant, params, TALKS[wildcards.talk].of_training)
    return plans.anywhere(plans.training(experiment, variant, params))


def plan_of_measuring(wildcards):
    """What a job of simulation is told; the seeds are those of its networks."""
    experiment = experiment_of(wildcards)
    talk = TALKS[wildcards.talk]
    params = plans.told(
        experiment, None, registry.params(experiment, config), talk.of_training
    )
    unit_ms = talk.unit_of_jitter_ms(experiment)
    return plans.anywhere(plans.measuring(experiment, params, unit_ms))


def megabytes(wildcards, attempt):
    """Memory of a job of training or simulation."""
    return MEGABYTES * attempt


def minutes(wildcards, attempt):
    """Time of a job of training or simulation."""
    return MINUTES * attempt


def part_of_data(*keys):
    """Some keys of `data`: a change of the others must not make a data set anew."""
    return {key: config["data"][key] for key in keys}


def data_of_nmnist():
    """The keys of `data` from which event-camera recordings are made."""
    found = data_folders.find_nmnist(config["data"])
    originals = config["data"]["originals_dir"] if found else None
    return {**part_of_data("folder", "nmnist"), "originals_dir": originals}


def data_of_fetched(wildcards):
    """The keys of `data` that say where a data set is looked for."""
    own = {
        data_folders.FETCHED[0]: ("mnist_dir", "download"),
        data_folders.VOWELS: ("vowels_dir",),
    }
    return part_of_data("folder", *own.get(wildcards.dataset, ("originals_dir",)))
