"""Put what was simulated again beside the record."""

from pathlib import Path

from whyspiking.running import code_inputs
from whyspiking.running.jobs import job
from whyspiking.stages.beside import beside

with job(snakemake.log[0], "comparison with the reference results"):
    beside(
        talks=snakemake.params.talks,
        metrics=[Path(path) for path in snakemake.input.metrics],
        numbers=Path(snakemake.output.numbers),
        said=Path(snakemake.output.said),
    )
    code_inputs.check_loaded(snakemake.rule, snakemake.input.code)
