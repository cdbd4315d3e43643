"""Data sets that consist of files: fetched, or made here part by part."""

import re


# Nodes of a cluster often have no network.
localrules:
    fetch,


rule fetch:
    output:
        "<data>/{dataset}/meta.json",
    log:
        "<results>/logs/fetch/{dataset}.log",
    wildcard_constraints:
        dataset="mnist",
    priority: ORDER.of_data
    params:
        data=data_of,
    script:
        "../scripts/fetch.py"


# What one synthetic speaker says, or an event camera sees of some digits. One process per speaker:
# the synthesiser keeps state. Kept, so that a lost table is cheap.
rule shard:
    input:
        mnist=lambda w: (
            "<data>/mnist/meta.json" if MADE[w.dataset] == "nmnist" else []
        ),
        code=lambda w: sources(
            code_inputs.of_data(code_inputs.MAKES_DATA[MADE[w.dataset]])
        ),
    output:
        "<data>/{dataset}/shards/{shard}.npz",
    log:
        "<results>/logs/shard/{dataset}/{shard}.log",
    wildcard_constraints:
        dataset="|".join(map(re.escape, MADE)),
        shard=r"([a-z]+-)?\d+",
    priority: ORDER.of_data
    params:
        code=lambda w: code_inputs.list_digests(
            code_inputs.of_data(code_inputs.MAKES_DATA[MADE[w.dataset]])
        ),
        key=lambda w: MADE[w.dataset],
        data=data_of,
    script:
        "../scripts/shard.py"


rule gather:
    input:
        shards=lambda w: [
            f"<data>/{w.dataset}/shards/{shard}.npz"
            for shard in shards(MADE[w.dataset], config["data"])
        ],
    output:
        "<data>/{dataset}/meta.json",
    log:
        "<results>/logs/gather/{dataset}.log",
    wildcard_constraints:
        dataset="|".join(map(re.escape, MADE)),
    priority: ORDER.of_data
    params:
        key=lambda w: MADE[w.dataset],
        data=data_of,
    script:
        "../scripts/gather.py"
