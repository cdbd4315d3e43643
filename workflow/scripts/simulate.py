"""Re-simulate the spiking networks of one experiment in Brian2, under the whole battery."""

if "snakemake" not in globals():
    from whyspiking.running import one_job

    snakemake = one_job.find("simulate")

from pathlib import Path

from whyspiking.running import code_inputs
from whyspiking.running.jobs import here, job, wildcard_label
from whyspiking.stages.simulate import simulate

label = wildcard_label(snakemake.wildcards)
with job(snakemake.log[0], label, snakemake.config["build_folder"]) as progress:
    simulate(
        plan=here(snakemake.params.plan, snakemake.config),
        networks=[Path(path).parent for path in snakemake.input.networks],
        battery_config=snakemake.params.robustness_tests,
        folder=Path(snakemake.output.metrics).parent,
        progress=progress,
    )
    code_inputs.check_loaded(snakemake.rule, snakemake.input.code)
