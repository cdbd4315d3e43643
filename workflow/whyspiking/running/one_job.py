"""One job of the workflow alone, in a debugger or a notebook: `python workflow/scripts/train.py`.

    python workflow/scripts/train.py goeltz yinyang spiking --seed 80
    python workflow/scripts/simulate.py goeltz yinyang
    python workflow/scripts/collect.py goeltz
    python workflow/scripts/page.py goeltz

A script that Snakemake has not started gets from `find` what Snakemake would pass to it, with
results in a folder of its own. The rules say which files and parameters a job has. A child process
asks Snakemake for them, because numpy and JAX must not be loaded before `arithmetic` has set them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from whyspiking import arithmetic
from whyspiking.errors import UserError
from whyspiking.running import jobs

FOLDER = "alone"
"""Folder below `results/` where such jobs write."""
WILDCARDS = {
    "train": ("talk", "experiment", "variant"),
    "simulate": ("talk", "experiment"),
    "collect": ("talk",),
    "compare": (),
    "page": ("talk",),
}
"""Rule -> what the command line names."""
ANSWER_PREFIX = "job: "
"""Beginning of the line in which the child process answers."""


def find(rule: str, arguments: Sequence[str] | None = None) -> Any:
    """Find the job that the command line names; this process then runs it without Snakemake.

    Call it before numpy and JAX are imported. It ends the process with a message if the command
    line names what there is not, or if a file is missing that another job makes.

    Args:
        rule: Name of the rule.
        arguments: The command line without the name of the program; None: that of this process.

    Returns:
        What Snakemake would pass to the script as `snakemake`.
    """
    arithmetic.set_for_children()
    jobs.stay_in_terminal()
    request = _parse(rule, arguments)
    return _as_snakemake(_ask_snakemake(request))


def _parse(rule: str, arguments: Sequence[str] | None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description="Run one job of the workflow alone.")
    for name in WILDCARDS[rule]:
        parser.add_argument(name)
    # A training has one seed; other jobs take all seeds of the config.
    default_seed = 0 if rule == "train" else None
    parser.add_argument(
        "--seed",
        type=int,
        default=default_seed,
        help="the only seed of all networks [train: 0, else those of the config]",
    )
    parser.add_argument("--scale", default="default", help="[default]")
    parser.add_argument(
        "--folder", default=FOLDER, help=f"folder below results/ to write into [{FOLDER}]"
    )
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="parameters to change, as for `snakemake --config set=`",
    )
    options = vars(parser.parse_args(arguments))
    names = (*WILDCARDS[rule], *(["seed"] if rule == "train" else []))
    return {
        **{name: options[name] for name in ("scale", "folder", "seed")},
        "rule": rule,
        "wildcards": {name: str(options[name]) for name in names},
        "set": dict(entry.split("=", 1) for entry in options["set"]),
    }


def _ask_snakemake(request: Mapping[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "whyspiking.running.one_job", json.dumps(request)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    answers = [line for line in process.stdout.splitlines() if line.startswith(ANSWER_PREFIX)]
    if process.returncode or not answers:
        sys.exit(process.stderr.strip() or process.stdout.strip())
    return json.loads(answers[-1].removeprefix(ANSWER_PREFIX))


def _as_snakemake(job: Mapping[str, Any]) -> Any:
    missing_files = [path for path in job["files"] if not Path(path).exists()]
    if missing_files:
        *_, talk, experiment, variant, seed, name = ["", "", "", "", *Path(missing_files[0]).parts]
        remedy = f"snakemake {missing_files[0]}"
        if name == "network.npz":
            remedy = f"python workflow/scripts/train.py {talk} {experiment} {variant} --seed "
            remedy += f"{seed.removeprefix('seed-')} --scale {job['config']['scale']} --folder "
            remedy += job["folder"]
        sys.exit(f"error: {missing_files[0]} is missing; another job makes it. Run first: {remedy}")
    return SimpleNamespace(
        input=_Files(job["files"], job["input"]),
        output=_Files(job["outputs"], job["output"]),
        log=job["log"],
        params=SimpleNamespace(**job["params"]),
        wildcards=SimpleNamespace(**job["wildcards"]),
        config=job["config"],
        rule=job["rule"],
    )


class _Files(list[str]):
    """Files of a job, some of them by name."""

    def __init__(self, files: Sequence[str], by_name: Mapping[str, Any]) -> None:
        super().__init__(files)
        for name, value in by_name.items():
            setattr(self, name, value)


def _resolve(request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask Snakemake for a job; runs in the child process."""
    import logging

    import yaml
    from snakemake.api import Workflow
    from snakemake.dag import DAG
    from snakemake.jobs import Job
    from snakemake.logging import LoggerManager
    from snakemake.settings import types as settings

    output = settings.OutputSettings()
    config: dict[str, Any] = {"results_folder": request["folder"]}
    if request["set"]:
        config["set"] = {key: yaml.safe_load(value) for key, value in request["set"].items()}
    if request["seed"] is not None:
        seeds = [request["seed"]]
        config |= {"seeds": seeds, "seeds_of": [], "shared": {"seeds": seeds}}
    scale_file = Path("config", f"{request['scale']}.yaml")
    # Without rerun triggers Snakemake compares nothing with earlier runs.
    workflow = Workflow(
        config_settings=settings.ConfigSettings(
            config=config,
            configfiles=[scale_file] if scale_file.is_file() else [],
        ),
        resource_settings=settings.ResourceSettings(),
        workflow_settings=settings.WorkflowSettings(),
        storage_settings=settings.StorageSettings(),
        dag_settings=settings.DAGSettings(rerun_triggers=frozenset()),
        storage_provider_settings={},
        deployment_settings=settings.DeploymentSettings(),
        output_settings=output,
        logger_manager=LoggerManager(logging.getLogger(__name__), output),
    )
    workflow.include(Path("workflow/Snakefile").resolve())
    rule = workflow.get_rule(request["rule"])
    try:
        job = Job(rule, DAG(workflow, rules=[rule]), dict(request["wildcards"]))
    except Exception as error:
        raise _find_user_error(error) from error
    rule_params: Any = job.params
    return {
        "rule": rule.name,
        "folder": request["folder"],
        "files": list(map(str, job.input)),
        "input": _map_names(job.input),
        "outputs": list(map(str, job.output)),
        "output": _map_names(job.output),
        "log": list(map(str, job.log)),
        "params": dict(rule_params.items()),
        "wildcards": request["wildcards"],
        "config": _make_plain(workflow.config),
    }


def _find_user_error(error: BaseException) -> BaseException:
    """The message for the user inside of an error of Snakemake; else that error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _map_names(files: Any) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, str) else list(map(str, value))
        for name, value in files.items()
    }


def _make_plain(value: Any) -> Any:
    """Convert mappings and sequences of Snakemake to dicts and lists."""
    if isinstance(value, Mapping):
        return {str(key): _make_plain(child) for key, child in value.items()}
    return list(map(_make_plain, value)) if isinstance(value, list | tuple) else value


if __name__ == "__main__":

    def print_job() -> int:
        """Write the job that is asked for as one line."""
        print(f"{ANSWER_PREFIX}{json.dumps(_resolve(json.loads(sys.argv[1])), default=str)}")
        return 0

    sys.exit(jobs.command(print_job))
