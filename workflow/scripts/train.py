"""Train one variant of one experiment with one seed, and evaluate it in its own engine."""

from pathlib import Path

from whyspiking.jobs import job, wildcard_label
from whyspiking.replicate import job_params, train

with job(snakemake.log[0], wildcard_label(snakemake.wildcards)) as progress:
    train(
        params=job_params(snakemake.wildcards, snakemake.params.values, snakemake.params.places),
        variant=snakemake.wildcards.variant,
        parents=[Path(path).parent for path in snakemake.input.parents],
        folder=Path(snakemake.output.network).parent,
        progress=progress,
    )
