"""Train one variant of one experiment with one seed, and run it in its own engine."""

from pathlib import Path

from whyspiking.running import code_inputs
from whyspiking.running.jobs import job, wildcard_label
from whyspiking.stages.train import train

label = wildcard_label(snakemake.wildcards)
with job(snakemake.log[0], label, snakemake.config["build_folder"]) as progress:
    train(
        plan=snakemake.params.plan,
        parents=[Path(path).parent for path in snakemake.input.parents],
        folder=Path(snakemake.output.network).parent,
        progress=progress,
    )
    code_inputs.check_loaded(snakemake.rule, snakemake.input.code)
