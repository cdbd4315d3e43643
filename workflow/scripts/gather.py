"""Put the parts of a data set together, and describe it."""

from pathlib import Path

from whyspiking.running.jobs import job
from whyspiking.stages.data import gather

with job(snakemake.log[0], f"data {snakemake.wildcards.dataset}") as progress:
    gather(
        snakemake.params.key,
        snakemake.params.data,
        [Path(path) for path in snakemake.input.shards],
        Path(snakemake.output[0]),
    )
    progress(1.0, "gathered")
