"""Execute a notebook and export it as a page."""

if "snakemake" not in globals():
    from whyspiking.running import one_job

    snakemake = one_job.find("page")

from pathlib import Path

from whyspiking.report.notebook import make_page
from whyspiking.running.jobs import job

with job(snakemake.log[0], f"page {Path(snakemake.output.page).parent.name}"):
    make_page(
        source=Path(snakemake.input.notebook),
        notebook=Path(snakemake.output.notebook),
        page=Path(snakemake.output.page),
        parameters={"results": str(snakemake.params.results), "scale": snakemake.params.scale},
    )
