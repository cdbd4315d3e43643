"""Networks that come with the record, simulated again beside it: `make report FROM=reference`."""

# Its own folder: a run of scale full, whose parameters these networks have, is another thing.
AGAIN = "results/from_reference"
KEY_NETWORK = "{talk}/{experiment}/{variant}/seed-{seed}"


localrules:
    from_reference,


# The stage of any run, of one network.
rule resimulate:
    input:
        data=datasets_of,
        networks=[f"{key_claims.FOLDER}/{KEY_NETWORK}/network.npz"],
        facts=f"{key_claims.FOLDER}/{KEY_NETWORK}/network.json",
        code=lambda wildcards: sources(code_inputs.of_talk(wildcards.talk, "simulate")),
    output:
        metrics=f"{AGAIN}/{KEY_NETWORK}/metrics.csv",
        exhibits=f"{AGAIN}/{KEY_NETWORK}/figure_data.npz",
    log:
        f"{AGAIN}/logs/{KEY_NETWORK}.log",
    resources:
        mem_mb=lambda wildcards, attempt: MEGABYTES * attempt,
        runtime=lambda wildcards, attempt: MINUTES * attempt,
    params:
        code=code_of_talk("simulate"),
        plan=ASKED.plan_of_clean_run,
        robustness_tests=dict(sorted(config["robustness_tests"].items())),
    script:
        "../scripts/simulate.py"


rule from_reference:
    input:
        metrics=[
            f"{AGAIN}/{network}/metrics.csv" for network in ASKED.key_networks(COUNTED)
        ],
        recorded=expand("results/reference/{talk}/metrics.csv.gz", talk=COUNTED),
        descriptions=[code_inputs.of_description(talk) for talk in COUNTED],
        code=sources(code_inputs.of_stage("from_reference")),
    output:
        numbers=f"{AGAIN}/numbers.csv",
        said=f"{AGAIN}/comparison_with_reference.txt",
    log:
        f"{AGAIN}/logs/from_reference.log",
    params:
        code=code_of_stage("from_reference"),
        talks=COUNTED,
    script:
        "../scripts/from_reference.py"
