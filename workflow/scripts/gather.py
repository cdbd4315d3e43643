"""Put together what all synthetic speakers said, and describe the data set."""

from pathlib import Path

from whyspiking.running.jobs import job
from whyspiking.stages.data import gather

with job(snakemake.log[0], f"data {snakemake.wildcards.dataset}") as progress:
    gather(
        snakemake.params.key,
        snakemake.params.settings,
        [Path(path) for path in snakemake.input.shards],
        Path(snakemake.output[0]),
    )
    progress(1.0, "gathered")
