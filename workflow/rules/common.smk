"""Look-ups shared by the rules; nothing here runs anything."""

from pathlib import Path

from whyspiking.contract import data_folders
from whyspiking.declared import key_claims, overrides, registry
from whyspiking.records import columns, reference
from whyspiking.running import code_inputs, snakemake_inside
from whyspiking.stages.asked import Asked
from whyspiking.stages.data import shards
from whyspiking.stages.order import Order, networks
from whyspiking.verdicts import comparison

# Those that are counted: the discussion stands beside them.
COUNTED = registry.counted(TALKS)
# That with the reference networks.
GROUND = registry.with_protocol(TALKS)
ASKED = Asked(TALKS, config)
ORDER = Order(TALKS, config)
TRAINED = ("network.npz", "network.json", "outcome.npz")
SIMULATED = ("metrics.csv", "figure_data.npz")
MEASURED = "<results>/{talk}/{experiment}/{variant}/seed-{seed}"
RESULTS = Path("results", config["results_folder"] or config["scale"])
# The reference results with which tables and pages are compared.
RECORDED = comparison.list_reference_files(RESULTS, config["scale"])

# What a job of training or simulation may need; enforced by clusters only. What was measured and
# what is estimated: docs/cluster.md. A job that fails is tried again with twice as much.
MEGABYTES = {"paper": 8000}.get(config["scale"], 3000)
MINUTES = {"smoke": 20, "paper": 720}.get(config["scale"], 60)

# On a cluster, the networks of one experiment and their simulation are one submission. At the
# published sizes, each training takes long enough for a submission of its own.
RUNS_HERE = snakemake_inside.is_main(workflow) and snakemake_inside.is_local(workflow)
CLUSTER_GROUP = None if RUNS_HERE or config["scale"] == "paper" else "experiment"

# Rules whose jobs compile C++.
COMPILING = ("resimulate", "shard", "simulate", "train")
# All that tables depend on: where programs and results are kept changes none.
DECIDING = {
    key: value
    for key, value in config.items()
    if key not in ("build_folder", "results_folder")
}
# Folder -> key of the data sets that are made here, at the sizes of the config.
NMNIST = data_folders.event_recordings(config["data"])
MADE = {data_folders.spoken_words(config["data"]): "words", NMNIST: "nmnist"}


wildcard_constraints:
    talk="|".join(TALKS),
    experiment="[a-z0-9_]+",
    variant="[a-z0-9_]+",
    seed=r"\d+",


def sources(files):
    """Source files as inputs whose digests in `params`, and not their times, make a job run again."""
    return [ancient(file) for file in files]


def code_of_talk(stage):
    """Digests of the source files of a talk's jobs; Snakemake compares no params made of inputs."""
    return lambda wildcards: code_inputs.list_digests(
        code_inputs.of_talk(wildcards.talk, stage)
    )


def code_of_stage(stage):
    """The same of a stage that reads no file of a particular talk."""
    return lambda wildcards: code_inputs.list_digests(code_inputs.of_stage(stage))


def data_of(wildcards):
    """The keys of `data` that decide a data set: a change of the others makes it not anew."""
    key, own = MADE.get(wildcards.dataset), config["data"]
    keys = ("folder", *([key] if key else ("mnist_dir", "download")))
    data = {key: own[key] for key in keys}
    if key == "nmnist":
        data["originals_dir"] = (
            own["originals_dir"] if data_folders.find_nmnist(own) else None
        )
    return data


def datasets_of(wildcards):
    """Files that must be there before the experiment can make its task."""
    key = ASKED.experiment(wildcards).data_key
    folder = data_folders.folder_of(key, config["data"])
    return [f"<data>/{folder}/meta.json"] if folder else []


def parents_of(wildcards):
    """Networks that a variant starts from, same seed."""
    variant = ASKED.experiment(wildcards).variants[wildcards.variant]
    folder, seed = f"<results>/{wildcards.talk}", f"seed-{wildcards.seed}"
    return [f"{folder}/{parent}/{seed}/network.npz" for parent in variant.parents]


def recorded_of(wildcards):
    """Files of the recorded network of which only the first part is trained again."""
    folder = ASKED.recorded_network(wildcards)
    return [f"{folder}/{file}" for file in TRAINED[:2]] if folder else []


def networks_of(wildcards):
    """All trained networks of one experiment."""
    experiment = ASKED.experiment(wildcards)
    return [
        f"<results>/{experiment.talk}/{experiment.name}/{variant}/seed-{seed}/network.npz"
        for variant in experiment.variants
        for seed in registry.seeds(experiment, config, variant)
    ]


def trained(talk, file):
    """One file of every trained network of a talk."""
    return [
        f"<results>/{talk}/{experiment}/{variant}/seed-{seed}/{file}"
        for experiment, variant, seed in networks(TALKS[talk], config)
    ]


def simulated(talk, file):
    """One file of every simulated experiment of a talk that this scale runs."""
    run = dict.fromkeys(name for name, _, _ in networks(TALKS[talk], config))
    return [f"<results>/{talk}/{name}/{file}" for name in run]


def finished(talk):
    """All that a finished talk has: what was deleted, as a message advised, is made again."""
    tables = (*columns.OF_A_TALK, *columns.BESIDE_A_TALK, "report.ipynb", "report.html")
    return [
        *(path for file in TRAINED for path in trained(talk, file)),
        *(path for file in SIMULATED for path in simulated(talk, file)),
        *(f"<results>/{talk}/{file}" for file in tables),
    ]
