"""Train one variant of one experiment with one seed, and run it in its own engine."""

from pathlib import Path

from whyspiking import sources
from whyspiking.jobs import job, wildcard_label
from whyspiking.replicate import train

with job(snakemake.log[0], wildcard_label(snakemake.wildcards)) as progress:
    train(
        plan=snakemake.params.plan,
        parents=[Path(path).parent for path in snakemake.input.parents],
        folder=Path(snakemake.output.network).parent,
        progress=progress,
    )
    sources.check_loaded(snakemake.rule, snakemake.input.code)
