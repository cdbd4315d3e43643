"""Put together what all synthetic speakers said, and describe the data set."""

from pathlib import Path

from whyspiking.datasets.making import gather
from whyspiking.running.jobs import job

with job(snakemake.log[0], f"data {snakemake.wildcards.dataset}") as progress:
    gather(
        snakemake.params.key,
        snakemake.params.settings,
        [Path(path) for path in snakemake.input.shards],
        Path(snakemake.output[0]),
    )
    progress(1.0, "gathered")
