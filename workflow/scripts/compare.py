"""Put all talks into common tables."""

if "snakemake" not in globals():
    from whyspiking.running import one_job

    snakemake = one_job.find("compare")

from pathlib import Path

from whyspiking.running import code_inputs
from whyspiking.running.jobs import job
from whyspiking.stages.compare import compare_talks

with job(snakemake.log[0], "comparison"):
    compare_talks(
        talks=snakemake.params.talks,
        config={**snakemake.config, **snakemake.params.config},
        folder=Path(snakemake.output.manifest).parent,
        ground=snakemake.params.ground,
    )
    code_inputs.check_loaded(snakemake.rule, snakemake.input.code)
