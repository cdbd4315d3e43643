"""Let one synthetic speaker say the words of a data set."""

from pathlib import Path

from whyspiking.running.jobs import job
from whyspiking.stages.data import speak

label = f"data {snakemake.wildcards.dataset} speaker {snakemake.wildcards.speaker}"
with job(snakemake.log[0], label) as progress:
    speak(
        snakemake.params.key,
        snakemake.params.settings,
        int(snakemake.wildcards.speaker),
        Path(snakemake.output[0]),
        progress,
    )
