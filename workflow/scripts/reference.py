"""Record talks of a finished run in results/reference."""

from pathlib import Path

from whyspiking.recording.record import record
from whyspiking.running.jobs import job

with job(snakemake.log[0], "recording"):
    record(
        talks=snakemake.params.talks,
        config=snakemake.params.config,
        results=Path(snakemake.params.results),
    )
