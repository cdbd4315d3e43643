"""Training and Brian2 re-simulation: per talk, experiment, variant and seed."""


rule train:
    input:
        data=datasets_of,
        parents=parents_of,
        recorded=recorded_of,
        code=lambda wildcards: sources(code_inputs.of_talk(wildcards.talk, "train")),
    output:
        network=f"{MEASURED}/network.npz",
        facts=f"{MEASURED}/network.json",
        outcome=f"{MEASURED}/outcome.npz",
    log:
        "<results>/logs/train/{talk}/{experiment}/{variant}/seed-{seed}.log",
    benchmark:
        f"{MEASURED}/benchmark.tsv"
    priority: ORDER.of_training
    group:
        CLUSTER_GROUP
    resources:
        mem_mb=lambda wildcards, attempt: MEGABYTES * attempt,
        runtime=lambda wildcards, attempt: MINUTES * attempt,
    params:
        code=code_of_talk("train"),
        plan=ASKED.plan_of_training,
    script:
        "../scripts/train.py"


rule simulate:
    input:
        data=datasets_of,
        networks=networks_of,
        code=lambda wildcards: sources(code_inputs.of_talk(wildcards.talk, "simulate")),
    output:
        metrics="<results>/{talk}/{experiment}/metrics.csv",
        exhibits="<results>/{talk}/{experiment}/figure_data.npz",
    log:
        "<results>/logs/simulate/{talk}/{experiment}.log",
    benchmark:
        "<results>/{talk}/{experiment}/benchmark.tsv"
    priority: ORDER.of_talk
    group:
        CLUSTER_GROUP
    resources:
        mem_mb=lambda wildcards, attempt: MEGABYTES * attempt,
        runtime=lambda wildcards, attempt: MINUTES * attempt,
    params:
        code=code_of_talk("simulate"),
        plan=ASKED.plan_of_measuring,
        robustness_tests=dict(sorted(config["robustness_tests"].items())),
    script:
        "../scripts/simulate.py"
