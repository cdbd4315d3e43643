"""Re-simulate the spiking networks of one experiment in Brian2, under the whole battery."""

from pathlib import Path

from whyspiking import sources
from whyspiking.jobs import job, wildcard_label
from whyspiking.resimulate import simulate

with job(snakemake.log[0], wildcard_label(snakemake.wildcards)) as progress:
    simulate(
        plan=snakemake.params.plan,
        networks=[Path(path).parent for path in snakemake.input.networks],
        battery_config=snakemake.params.battery,
        folder=Path(snakemake.output.metrics).parent,
        progress=progress,
    )
    sources.check_loaded(snakemake.rule, snakemake.input.code)
