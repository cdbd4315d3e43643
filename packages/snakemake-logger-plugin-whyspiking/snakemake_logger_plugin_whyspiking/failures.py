"""What is told of a failure: what Snakemake and a cluster say to developers, said to users."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import whyspiking

TALKS = Path(whyspiking.__file__).with_name("talks")
# What a cluster says of a job that needs more than it asked for -> of what, and what asks for more.
LIMITED = {
    "'TIMEOUT'": ("time", "runtime=MINUTES"),
    # Without control groups Slurm calls it FAILED, and only the job's log tells why.
    "'OUT_OF_MEMORY'|exceeded memory limit|oom.kill": ("memory", "mem_mb=MEGABYTES"),
}


def of_cluster(rule: str, said: str, log: Sequence[str] = ()) -> str:
    """What a cluster says of a job, without the command by which it was submitted.

    Args:
        rule: That of the job.
        said: Where the job has run, it names the state in which it ended.
        log: Last lines of its log.
    """
    told = re.sub(r"\s*sbatch call:.*|For further error details.*", "", said, flags=re.DOTALL)
    for state, (what, setting) in LIMITED.items():
        if re.search(state, "\n".join([told, *log])):
            told += (
                f"\n  the job needed more {what} than it may use. A second try may use twice as "
                f"much. If the second try fails too, add --set-resources {rule}:{setting} to the "
                "same command"
            )
    return told


def _message_alone(text: str) -> str:
    """What a `UserError` says, without the place in the Snakefile that raised it."""
    lines = text.splitlines()
    kept = [line for line in lines if not re.match(r'UserError in |  File ".*", line \d+', line)]
    return "error: " + "\n".join(kept).removeprefix("UserError:").strip()


def _asked_for(text: str) -> str:
    """What is wrong with a target, which a function of inputs told."""
    told = re.search(r"UserError: (.*?)\s*Wildcards:", text, re.DOTALL)
    return f"error: {told[1]}" if told else text


def _no_rule(text: str) -> str:
    """What Snakemake says of a target that it does not know, without its remark on functions."""
    for name in re.findall(r"No rule to produce ([a-z]\w*) \(if", text):
        if (TALKS / name / "talk.yaml").is_file():
            return (
                f"error: '{name}' is a talk that the config does not run; expected its name in "
                "the list 'talks'. Add it to this list in config/config.yaml."
            )
    return "error: " + re.sub(
        r".*No rule to produce (.*) \(if you use input functions.*",
        r"'\1' is no rule and no file that a rule makes; expected for example the name of a talk, "
        "or a file below results/ at the scale of the config. Correct it; `snakemake --list` lists "
        "all rules.",
        text,
        flags=re.DOTALL,
    )


def _no_value(text: str) -> str:
    """What Snakemake says of an empty target, as an unset variable leaves it, or of the config."""
    if found := re.search(r"ValueError: Invalid config definition: (.+)", text):
        return (
            f"error: --config: {found[1]} Expected for example scale=smoke, or for a nested key "
            f"data='{{folder: DIR}}'. Correct it."
        )
    if "no path specified" not in text:
        return of_config(sys.argv) or text
    return (
        "error: a target is empty; expected for example the name of a talk, or no target for all. "
        "Remove the empty quotation marks, or set the variable between them."
    )


def _locked(text: str) -> str:
    """Say in one line what to do if Snakemake finds a lock on the files that it wants to make."""
    return (
        "error: this folder is locked by another run, or by a run that was killed; expected no "
        "lock. Wait until the other run has ended; if no other run uses this folder, type: "
        "snakemake --unlock"
    )


ALONE = {
    "LockException": _locked,
    "UserError": _message_alone,
    "InputFunctionException": _asked_for,
    "MissingRuleException": _no_rule,
    "ValueError": _no_value,
}
"""Exception -> what is told of it."""


def of_config(command: Sequence[str]) -> str | None:
    """What is wrong with a file of the config, which Snakemake reads first and tells less of.

    Args:
        command: The words of the command line.
    """
    # Not at the top: Snakemake imports this plugin at every start.
    from whyspiking.declared.config import FILES, FOLDER, check_files
    from whyspiking.errors import UserError

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    try:
        given = parser.parse_known_args(command[1:])[0].configfile
        check_files([*(FOLDER / name for name in FILES), *given])
    except UserError as error:
        return f"error: {error}"
    return None
