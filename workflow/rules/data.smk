"""Data sets that consist of files: fetched, or spoken by synthetic voices."""


# Nodes of a cluster often have no network.
localrules:
    fetch,


rule fetch:
    output:
        "<data>/{dataset}/meta.json",
    log:
        "<results>/logs/fetch/{dataset}.log",
    wildcard_constraints:
        dataset="|".join(data_folders.FETCHED),
    priority: lambda wildcards: priority_of_data(wildcards.dataset)
    params:
        data=data_of_fetched,
    script:
        "../scripts/fetch.py"


# One process per speaker: the synthesiser keeps state. Kept, so that a lost table is cheap.
rule speak:
    input:
        code=code_inputs.of_data("datasets/speech"),
    output:
        "<data>/{dataset}/speakers/{speaker}.npz",
    log:
        "<results>/logs/speak/{dataset}-{speaker}.log",
    wildcard_constraints:
        dataset="|".join(SPOKEN),
        speaker=r"\d+",
    priority: lambda wildcards: priority_of_data(wildcards.dataset)
    params:
        key=lambda wildcards: SPOKEN[wildcards.dataset],
        settings=lambda wildcards: config["data"][SPOKEN[wildcards.dataset]],
    script:
        "../scripts/speak.py"


rule gather:
    input:
        shards=lambda wildcards: expand(
            "<data>/{dataset}/speakers/{speaker}.npz",
            dataset=wildcards.dataset,
            speaker=range(config["data"][SPOKEN[wildcards.dataset]]["speakers"]),
        ),
    output:
        "<data>/{dataset}/meta.json",
    log:
        "<results>/logs/gather/{dataset}.log",
    wildcard_constraints:
        dataset="|".join(SPOKEN),
    priority: lambda wildcards: priority_of_data(wildcards.dataset)
    params:
        key=lambda wildcards: SPOKEN[wildcards.dataset],
        settings=lambda wildcards: config["data"][SPOKEN[wildcards.dataset]],
    script:
        "../scripts/gather.py"


rule record:
    input:
        mnist=f"<data>/{data_folders.FETCHED[0]}/meta.json",
        code=code_inputs.of_data("datasets/recordings.py"),
    output:
        f"<data>/{NMNIST}/shards/{{shard}}.npz",
    log:
        f"<results>/logs/record/{NMNIST}-{{shard}}.log",
    wildcard_constraints:
        shard=r"[a-z]+-\d+",
    priority: priority_of_data(NMNIST)
    params:
        data=data_of_nmnist(),
    script:
        "../scripts/record.py"


rule catalogue:
    input:
        shards=expand(
            f"<data>/{NMNIST}/shards/{{shard}}.npz",
            shard=recordings.shards(config["data"]["nmnist"]),
        ),
    output:
        f"<data>/{NMNIST}/meta.json",
    log:
        f"<results>/logs/catalogue/{NMNIST}.log",
    priority: priority_of_data(NMNIST)
    params:
        data=data_of_nmnist(),
    script:
        "../scripts/catalogue.py"
