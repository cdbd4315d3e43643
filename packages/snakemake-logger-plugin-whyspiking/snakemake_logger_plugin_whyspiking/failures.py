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
RESOURCE_LIMITS = {
    "'TIMEOUT'": ("time", "runtime=MINUTES"),
    # Without control groups Slurm calls it FAILED, and only the job's log tells why.
    "'OUT_OF_MEMORY'|exceeded memory limit|oom.kill": ("memory", "mem_mb=MEGABYTES"),
}


def of_cluster(rule: str, message: str, log: Sequence[str] = ()) -> str:
    """What a cluster says of a job, without the command by which it was submitted.

    Args:
        rule: That of the job.
        message: Where the job has run, it names the state in which it ended.
        log: Last lines of its log.
    """
    text = re.sub(r"\s*sbatch call:.*|For further error details.*", "", message, flags=re.DOTALL)
    for state, (resource, setting) in RESOURCE_LIMITS.items():
        if re.search(state, "\n".join([text, *log])):
            text += (
                f"\n  the job needed more {resource} than it may use. A second try may use "
                f"twice as much. If the second try fails too, add --set-resources "
                f"{rule}:{setting} to the same command"
            )
    return text


def _remove_location(text: str) -> str:
    """Remove from the message of a `UserError` the place in the Snakefile that raised it."""
    lines = text.splitlines()
    message_lines = [
        line for line in lines if not re.match(r'UserError in |  File ".*", line \d+', line)
    ]
    return "error: " + "\n".join(message_lines).removeprefix("UserError:").strip()


def _find_target_error(text: str) -> str:
    """Find what is wrong with a target, in the message of an input function."""
    match = re.search(r"UserError: (.*?)\s*Wildcards:", text, re.DOTALL)
    return f"error: {match[1]}" if match else text


def _explain_missing_rule(text: str) -> str:
    """Explain that a target is not known, without Snakemake's remark on functions."""
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


def _explain_value_error(text: str) -> str:
    """Explain an empty target, as an unset variable leaves it, or an error of the config."""
    if match := re.search(r"ValueError: Invalid config definition: (.+)", text):
        return (
            f"error: --config: {match[1]} Expected for example scale=smoke, or for a nested key "
            f"data='{{folder: DIR}}'. Correct it."
        )
    if "no path specified" not in text:
        return of_config(sys.argv) or text
    return (
        "error: a target is empty; expected for example the name of a talk, or no target for all. "
        "Remove the empty quotation marks, or set the variable between them."
    )


def _explain_lock(text: str) -> str:
    """Say in one line what to do if Snakemake finds a lock on the files that it wants to make."""
    return (
        "error: this folder is locked by another run, or by a run that was killed; expected no "
        "lock. Wait until the other run has ended; if no other run uses this folder, type: "
        "snakemake --unlock"
    )


ALONE = {
    "LockException": _explain_lock,
    "UserError": _remove_location,
    "InputFunctionException": _find_target_error,
    "MissingRuleException": _explain_missing_rule,
    "ValueError": _explain_value_error,
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
        config_files = parser.parse_known_args(command[1:])[0].configfile
        check_files([*(FOLDER / name for name in FILES), *config_files])
    except UserError as error:
        return f"error: {error}"
    return None
