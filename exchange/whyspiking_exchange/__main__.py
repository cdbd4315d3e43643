"""Compare your network with the reference results, or run it in Brian2: `python -m whyspiking`.

    python -m whyspiking samples --task yinyang --to yinyang.npz
    python -m whyspiking measure NETWORK.nir --task yinyang --from snntorch
    python -m whyspiking brian NETWORK.nir --from snntorch --to model.py
    python -m whyspiking rule docs/three_factor.py --task randman
    python -m whyspiking plan goeltz

`samples` writes the trials on which a network may be trained. `measure` reads a NIR graph, runs the
robustness tests on it in Brian2, and writes a page, a table of all measurements, and a row for
`exchange/community/`. `brian` writes the graph as a Brian2 script that you can edit and that does
not need whyspiking. `rule` trains a network with your learning rule on a task, and measures this
network (docs/extending.md). `plan` prints which networks a run trains, and why. docs/exchange.md
lists the graphs that can be run, and the assumptions that are made where NIR does not define the
behaviour.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from whyspiking import arithmetic
from whyspiking.declared import config as configs
from whyspiking.declared import registry, run_plan
from whyspiking.declared.scales import SCALES
from whyspiking.running import jobs


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Of the command line, and of its command `measure`."""
    parser = argparse.ArgumentParser(prog="python -m whyspiking", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    kinds = parser.add_subparsers(dest="kind", required=True)
    samples = kinds.add_parser("samples", help="write the training and validation trials of a task")
    network = kinds.add_parser(
        "measure", help="run the robustness tests on a network that was trained elsewhere"
    )
    script = kinds.add_parser("brian", help="write a network as a Brian2 script")
    rule = kinds.add_parser("rule", help="evaluate your learning rule on a shared task")
    rule.add_argument("rule", type=Path, metavar="RULE.py")
    rule.add_argument("--to", type=Path, help="new folder for the results [<RULE>-<task>]")
    plan = kinds.add_parser("plan", help="print which networks a run trains, and why")
    plan.add_argument("talks", nargs="+", metavar="TALK")
    plan.add_argument("--scale", choices=SCALES, default="default", help="[default]")
    for command in (samples, network, rule):
        command.add_argument("--task", required=True, help="yinyang, randman or mnist")
        command.add_argument("--seed", type=int, default=0, help="seed of the data [0]")
        command.add_argument(
            "--scale", default="full", help="scale of the task and of the robustness tests [full]"
        )
    samples.add_argument("--step-ms", type=float, default=1.0, help="time step in ms [1]")
    samples.add_argument("--to", type=Path, required=True, help="file.npz to write")
    _options(network)
    _of_steps(network, 1.0)
    _of_steps(script, None)
    script.add_argument("--to", type=Path, help="script to write, *.py [<NETWORK>.py]")
    for writing in (samples, script):
        writing.add_argument("--force", action="store_true", help="replace the existing file")
    script.add_argument(
        "--readout",
        help="readout of spikes: count, first [count]; of potentials: max, sum, last, vote, each, "
        "potential [max]",
    )
    script.set_defaults(trial_ms=None, seed=0)
    return parser, network


def _of_steps(command: argparse.ArgumentParser, step_ms: float | None) -> None:
    """What a file leaves open, alike for `measure` and `brian`."""
    command.add_argument("file", type=Path, metavar="NETWORK.nir")
    command.add_argument(
        "--from",
        dest="source",
        choices=("snntorch", "norse", "spikingjelly"),
        help="framework that trained the network and wrote the file; this sets --graph-step-ms, "
        "--reset and --current as in that framework, unless you give these options yourself",
    )
    command.add_argument(
        "--step-ms", type=float, default=step_ms, help="time step of the task in ms [1]"
    )
    command.add_argument(
        "--graph-step-ms",
        type=float,
        help="length of one time step in ms in the unit of the file's time constants, which are "
        "in seconds; 0.1 for snnTorch [--step-ms]",
    )
    command.add_argument("--solver", choices=("euler", "exact"), default="euler", help="[euler]")
    command.add_argument(
        "--reset",
        choices=("value", "subtract", "later"),
        help="reset after a spike: 'value' sets the potential to the file's v_reset, 'subtract' "
        "subtracts the threshold, 'later' subtracts it in the next time step (snnTorch) "
        "[value]",
    )
    command.add_argument(
        "--current",
        choices=("filtered", "jump"),
        help="how an input changes a synaptic current: 'filtered' adds a fraction of the input, "
        "'jump' adds the whole input (LIFCell of Norse) [filtered]",
    )
    command.add_argument(
        "--input-scale", type=float, default=1.0, help="amplitude of input spikes [1]"
    )


def _options(network: argparse.ArgumentParser) -> None:
    """Those of `measure` alone."""
    network.add_argument("--to", type=Path, help="new folder for the results [<NETWORK>-<task>]")
    network.add_argument(
        "--expect",
        type=Path,
        metavar="FILE",
        help="decisions of the network on the validation trials in its original framework (.npy, "
        "or .npz with 'choices'), to compare with",
    )
    network.add_argument(
        "--trial-ms", type=float, help="duration of a trial in ms [window of the input and 10 ms]"
    )
    network.add_argument(
        "--bias-ms",
        type=float,
        nargs="*",
        default=[],
        help="spike times in ms of additional bias inputs, in order",
    )
    network.add_argument(
        "--readout",
        help="readout of spikes: count, first [count]; of potentials: max, sum, last [max]",
    )
    network.add_argument("--name", help="name of the network [name of the file]")
    network.add_argument(
        "--says", default="", help="description of the network and of its training"
    )
    network.add_argument("--by", default="", help="authors of the network")
    network.add_argument(
        "--link", default="", help="https://... address where the network can be found"
    )


def main(words: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser, network = _parsers()
    asked = parser.parse_args(words)
    return jobs.command(lambda: _done(asked, words, parser, network))


def _done(
    asked: argparse.Namespace,
    words: Sequence[str] | None,
    parser: argparse.ArgumentParser,
    network: argparse.ArgumentParser,
) -> int:
    """Do what is asked for; returns the exit status."""
    if asked.kind == "plan":
        config = configs.at_scale(asked.scale)
        print("\n\n".join(run_plan.describe(registry.load_talk(t), config) for t in asked.talks))
        return 0
    arithmetic.set_variables()
    # What numbers need is loaded only now: --help answers at once.
    from whyspiking_exchange.foreign import job

    if asked.kind == "samples":
        return job.samples(asked)
    if asked.kind == "brian":
        from whyspiking_exchange.foreign import scripts

        return scripts.brian(asked)
    if asked.kind == "rule":
        from whyspiking_exchange.foreign import rules

        return rules.rule(asked, parser.parse_args)
    network.set_defaults(**job.beside(asked.file, asked.task))
    return job.measure(parser.parse_args(words))


if __name__ == "__main__":
    sys.exit(main())
