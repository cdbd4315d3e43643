"""Train one variant of one experiment with one seed, and run it in its own engine."""

if "snakemake" not in globals():
    from whyspiking.running import one_job

    snakemake = one_job.find("train")

from pathlib import Path

from whyspiking.running import code_inputs, machine
from whyspiking.running.jobs import here, job, wildcard_label
from whyspiking.stages.train import train
from whyspiking.training import checkpoint

log, plan = Path(snakemake.log[0]), snakemake.params.plan
label = wildcard_label(snakemake.wildcards)
with (
    job(log, label, snakemake.config["build_folder"]) as progress,
    checkpoint.kept_in(log.with_suffix(".checkpoints"), plan, snakemake.input),
):
    train(
        plan=here(plan, snakemake.config),
        parents=[Path(path).parent for path in snakemake.input.parents],
        folder=Path(snakemake.output.network).parent,
        progress=progress,
    )
    machine.stamp(Path(snakemake.output.facts))
    code_inputs.check_loaded(snakemake.rule, snakemake.input.code)
