"""Record one shard of digits with an event camera."""

from pathlib import Path

from whyspiking.datasets.recordings import record
from whyspiking.running.jobs import job

with job(snakemake.log[0], f"data nmnist {snakemake.wildcards.shard}") as progress:
    record(snakemake.params.data, snakemake.wildcards.shard, Path(snakemake.output[0]))
    progress(1.0, "recorded")
