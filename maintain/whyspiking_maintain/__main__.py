"""The commands of maintainers: `python -m whyspiking.recording`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from whyspiking import arithmetic
from whyspiking.running import jobs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m whyspiking.recording", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = command.add_parser("check", help="say which recorded talks are out of date")
    check.add_argument("talks", nargs="*", metavar="TALK", help="recorded talks [all]")
    command.add_parser("begin", help="allow a run at scale full to become the whole record")
    records = command.add_parser(
        "record", help="put a run at scale full in the place of the record"
    )
    records.add_argument(
        "parts", nargs="*", metavar="TALK[/EXPERIMENT]", help="run and put these [all]"
    )
    records.add_argument("--options", default="", help="for Snakemake, which runs parts: one text")
    command.add_parser("recollect", help="judge and measure anew from the recorded rows")
    restate = command.add_parser(
        "restate", help="confirm that changed code changes no number, and write its digests"
    )
    restate.add_argument("--declared", default="", metavar="WHY", help="why settings change none")
    restate.add_argument("--options", default="", help="for Snakemake: one text")
    command.add_parser("again", help="summarise a run in results/again with other rounding")
    command.add_parser("joint", help="compute the joint tables from those of the talks")
    tune = command.add_parser("tune", help="try all settings of what is tuned, write tuning.csv")
    tune.add_argument("talk", metavar="TALK")
    tune.add_argument("experiments", nargs="*", metavar="EXPERIMENT[/VARIANT]")
    paper = command.add_parser("paper", help="keep the verdicts of a run at scale paper")
    paper.add_argument("talks", nargs="+", metavar="TALK")
    command.add_parser("readme", help="bring README's table in step with the record")
    pages = command.add_parser("page", help="draw the pages of the record")
    pages.add_argument("run", nargs="?", metavar="RUN", help="take what they draw from its folder")
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    given = _parser().parse_args(words)
    return jobs.command(lambda: _run(given))


def _run(given: argparse.Namespace) -> int:
    # Before numpy is loaded, and so before the modules below are.
    arithmetic.set_variables()
    match given.command:
        case "check":
            from whyspiking_maintain import inputs

            inputs.check(given.talks, inputs.config_of())
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

            if given.parts:
                renewal.renew(given.parts, given.options)
            else:
                print(*one_run.write(), sep="\n")
        case "restate":
            from whyspiking_maintain import restate

            print(*restate.restate(given.declared, given.options), sep="\n")
        case "again":
            from whyspiking_maintain import again

            print(again.summarise_run()["summary"])
        case "tune":
            from whyspiking_maintain import tune

            tune.run(given.talk, given.experiments)
        case "paper":
            from whyspiking_maintain import paper_scale

            for talk in given.talks:
                paper_scale.keep(talk)
        case "readme":
            from whyspiking_maintain import readme

            readme.write()
        case "page":
            from whyspiking_maintain import page

            if given.run:
                page.take_exhibits(Path(given.run))
            if not page.render():
                print(f"{page.CARD}: as before; no {' or '.join(page.BROWSERS)} is here")
    return 0


if __name__ == "__main__":
    sys.exit(main())
