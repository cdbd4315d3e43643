"""Training and Brian2 re-simulation: per talk, experiment, variant and seed."""


rule train:
    input:
        data=datasets_of,
        parents=parents_of,
        code=lambda wildcards: sources.of_talk(wildcards.talk, "train"),
    output:
        network=f"{MEASURED}/network.npz",
        facts=f"{MEASURED}/network.json",
        metrics=f"{MEASURED}/metrics.csv",
    log:
        "<results>/logs/train/{talk}/{experiment}/{variant}/seed-{seed}.log",
    benchmark:
        f"{MEASURED}/benchmark.tsv"
    priority: priority_of
    conda:
        ENVIRONMENT
    resources:
        mem_mb=megabytes,
        runtime=minutes,
    params:
        values=parameters_of,
        places=places_of,
    script:
        "../scripts/train.py"


rule simulate:
    input:
        data=datasets_of,
        networks=networks_of,
        code=lambda wildcards: sources.of_talk(wildcards.talk, "simulate"),
    output:
        metrics="<results>/{talk}/{experiment}/metrics.csv",
        exhibits="<results>/{talk}/{experiment}/exhibits.npz",
    log:
        "<results>/logs/simulate/{talk}/{experiment}.log",
    benchmark:
        "<results>/{talk}/{experiment}/benchmark.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=megabytes,
        runtime=minutes,
    params:
        values=parameters_of,
        places=places_of,
        battery=config["battery"],
        plan=plan_of,
    script:
        "../scripts/simulate.py"
