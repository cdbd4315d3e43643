"""Replicate the talks of SNUFA 2020 and answer: why spiking? Run `snakemake`."""

from snakemake.utils import min_version
from snakemake_logger_plugin_whyspiking import announce
from whyspiking.records import columns
from whyspiking.declared.config import check_config, check_files
from whyspiking.running import folder_lock
from whyspiking.running.stopping import STOP

min_version("9.20")
STOP.heed()
if workflow.is_main_process:
    folder_lock.take()


report: "workflow/report/workflow.rst"


configfile: "config/config.yaml"


check_files(workflow.configfiles)
TALKS = check_config(config)


pathvars:
    results=f"results/{config['scale']}",
    data=config["data"]["folder"],


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/replicate.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/report.smk"


onstart:
    announce(workflow.dag, config)
    STOP.attend(workflow)
    # One timer per finished job has the scheduler look at all waiting jobs again and again, only
    # to keep a limit of submissions per second, which this machine does not need: up to a fifth of
    # a core in a run of hundreds of jobs.
    if workflow.local_exec:
        workflow.scheduler.job_rate_limiter = None


onerror:
    STOP.leave()


rule all:
    default_target: True
    input:
        "<results>/why_spiking.html",
        # What was deleted, as a message advised, is made again though all that came of it is there.
        [
            trained(talk, file)
            for talk in TALKS
            for file in ("network.npz", "network.json", "outcome.npz")
        ],
        [
            simulated(talk, file)
            for talk in TALKS
            for file in ("metrics.csv", "exhibits.npz")
        ],
        expand(
            "<results>/{talk}/{file}",
            talk=TALKS,
            file=[*columns.OF_A_TALK, "report.ipynb", "report.html"],
        ),
        expand(
            "<results>/{file}",
            file=[
                *columns.OF_A_RUN,
                "manifest.json",
                "datapackage.json",
                "slides",
                "why_spiking.ipynb",
            ],
        ),
