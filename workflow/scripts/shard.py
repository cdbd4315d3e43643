"""Make one part of a data set: what a synthetic speaker says, or an event camera sees."""

from pathlib import Path

from whyspiking.running.jobs import job
from whyspiking.stages.data import shard

label = f"data {snakemake.wildcards.dataset} {snakemake.wildcards.shard}"
with job(snakemake.log[0], label) as progress:
    shard(
        snakemake.params.key,
        snakemake.params.data,
        snakemake.wildcards.shard,
        Path(snakemake.output[0]),
        progress,
    )
