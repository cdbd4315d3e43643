"""Commands for maintainers of the reference results: `python -m whyspiking.recording`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from whyspiking import arithmetic
from whyspiking.running import jobs

RENAMED = {"again": "compare-repetition"}
"""Old name of a command -> its present name."""


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m whyspiking.recording", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = command.add_parser(
        "check", help="list the talks whose reference results are out of date"
    )
    check.add_argument(
        "talks", nargs="*", metavar="TALK", help="talks with reference results [all]"
    )
    command.add_parser(
        "begin", help="prepare a full run whose results will replace all reference results"
    )
    records = command.add_parser(
        "record", help="replace the reference results by the results of a full run"
    )
    records.add_argument(
        "parts",
        nargs="*",
        metavar="TALK[/EXPERIMENT]",
        help="run these talks or experiments and replace their reference results [all]",
    )
    records.add_argument(
        "--options",
        default="",
        help="options for Snakemake, which runs these parts, as one quoted text",
    )
    records.add_argument(
        "--missing",
        action="store_true",
        help="train only the networks that the reference results lack, and add them",
    )
    command.add_parser(
        "recollect", help="compute the tables and verdicts again from the reference measurements"
    )
    restate = command.add_parser(
        "restate",
        help="confirm that changed code changes no number, and write the digests of the code",
    )
    restate.add_argument(
        "--declared", default="", metavar="WHY", help="reason why changed settings change no number"
    )
    restate.add_argument("--options", default="", help="options for Snakemake, as one quoted text")
    command.add_parser(
        "compare-repetition",
        help="compare a run in results/repetition, made with other floating-point rounding, with "
        "the reference results",
    )
    command.add_parser("joint", help="compute the joint tables from the tables of the talks")
    tune = command.add_parser(
        "tune", help="train with all settings that are to be tuned, and write tuning.csv"
    )
    tune.add_argument("talk", metavar="TALK")
    tune.add_argument("experiments", nargs="*", metavar="EXPERIMENT[/VARIANT]")
    paper = command.add_parser(
        "paper", help="add the verdicts of a published-size run to the reference results"
    )
    paper.add_argument("talks", nargs="+", metavar="TALK")
    command.add_parser("readme", help="update the table in README from the reference results")
    command.add_parser("page", help="draw the pages of the reference results")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    argv = sys.argv[1:] if arguments is None else arguments
    parser = _make_parser()
    if argv and (new_name := RENAMED.get(argv[0])):
        parser.error(f"'{argv[0]}' is now called '{new_name}'")
    args = parser.parse_args(argv)
    if getattr(args, "missing", False) and not args.parts:
        parser.error("--missing: no experiment is named; expected one or more, as TALK/EXPERIMENT")
    return jobs.command(lambda: _run_command(args))


def _run_command(args: argparse.Namespace) -> int:
    # Before numpy is loaded, and so before the modules below are.
    arithmetic.set_variables()
    match args.command:
        case "check":
            from whyspiking_maintain import inputs

            inputs.check(args.talks, inputs.config_of())
        case "joint":
            from whyspiking_maintain import inputs, record

            record.write_joint(inputs.config_of())
        case "begin":
            from whyspiking_maintain import one_run

            one_run.begin()
        case "recollect":
            from whyspiking_maintain import renewal

            renewal.recollect()
        case "record":
            from whyspiking_maintain import one_run, renewal

            if args.parts:
                renewal.renew(args.parts, args.options, only_missing=args.missing)
            else:
                print(*one_run.write(), sep="\n")
        case "restate":
            from whyspiking_maintain import restate

            print(*restate.restate(args.declared, args.options), sep="\n")
        case "compare-repetition":
            from whyspiking_maintain import again

            print(again.summarise_run()["summary"])
        case "tune":
            from whyspiking_maintain import tune

            tune.run(args.talk, args.experiments)
        case "paper":
            from whyspiking_maintain import renewal

            for talk in args.talks:
                renewal.keep_published_size(talk)
        case "readme":
            from whyspiking_maintain import readme

            readme.write()
        case "page":
            from whyspiking_maintain import page

            page.render()
    return 0


if __name__ == "__main__":
    sys.exit(main())
