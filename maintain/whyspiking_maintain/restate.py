"""Confirms that a change of code changes no number, and writes the digests of the new code.

    python -m whyspiking.recording restate

The command trains and simulates the networks of restate.yaml again with the present code and
compares their numbers with the reference results. It writes the new digests only if all numbers
are equal; otherwise it lists the numbers that differ and writes nothing.

Two numbers are equal if the metrics table prints them with the same digits (`tables.NUMBER`). Every
number that either side has of a network must be equal, with its unit and its number of trials. Two
kinds of metrics are not compared: durations, and contrasts between networks, which are computed
again from the recorded numbers.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from whyspiking.declared import registry
from whyspiking.errors import UserError
from whyspiking.records import columns, reference, tables, whole_files
from whyspiking.running import machine
from whyspiking.stages import collect, provenance
from whyspiking.verdicts import contrasts
from whyspiking_maintain import inputs, one_run, renewal

FOLDER = Path("results/restate")
"""Holds the run that is compared with the reference results."""
TABLE = Path(__file__).with_name("restate.yaml")
"""Lists the networks that are trained and simulated again."""
LAST_COMMIT_OF = ("log", "-1", "--format=%H", "--")
CODE = (".py", ".cpp", ".hpp")
"""Suffixes of inputs that are code; all other inputs hold settings."""
SIMULATOR = "brian2"
"""Engine of the rows that need a simulation; all other rows of a spiking network come from its
training."""
NETWORK_KEY = ["talk", "experiment", "variant", "seed"]
KEY = columns.METRICS.names[:10]
"""Columns that identify a number of the metrics table; the other columns state the number."""
DIFFERENCE = (
    "  {talk}.{experiment}/{variant}, seed {seed}: {metric} ({engine}, {perturbation} "
    "{strength:g} {location}): reference {recorded}, now {found}"
)
"""States a difference in an error message."""
MAX_LISTED = 20
"""Largest number of differences that an error message lists."""


@dataclass(frozen=True)
class ListedNetwork:
    """A network of restate.yaml.

    Attributes:
        talk: Name of its talk.
        experiment: Name of its experiment.
        variant: Name of its variant.
        seed: Seed of its training.
        is_simulated: Whether it is also simulated, not only trained.
    """

    talk: str
    experiment: str
    variant: str
    seed: int
    is_simulated: bool

    @property
    def key(self) -> tuple[str, str, str, int]:
        """Columns `NETWORK_KEY` of its rows in the metrics table."""
        return self.talk, self.experiment, self.variant, self.seed

    @property
    def folder(self) -> Path:
        """Its folder in the run."""
        return FOLDER / self.talk / self.experiment / self.variant / f"seed-{self.seed}"

    @property
    def metrics_path(self) -> Path:
        """Table of what the simulations of its experiment measured in the run."""
        return FOLDER / self.talk / self.experiment / "metrics.csv"


def restate(
    declared_reason: str = "", options: str = "", folder: Path = reference.FOLDER
) -> list[str]:
    """Compare networks with the reference results and write the digests of the present code.

    Args:
        declared_reason: Why changed settings (YAML, CSV) change no number; it is recorded.
        options: Options for Snakemake, one text.
        folder: The reference results.

    Returns:
        Lines that say what was compared and written.

    Raises:
        UserError: If a tracked file differs from its commit, a setting changed without a reason, a
            number differs, or a network has no numbers to compare.
    """
    one_run.committed()
    commit = provenance.git("rev-parse", "HEAD")
    config = inputs.config_of()
    inputs_by_talk = find_changed_inputs(config, folder)
    settings = refuse_settings(inputs_by_talk, declared_reason, folder)
    networks = read_networks()
    run_networks(networks, config, shlex.split(options))
    one_run.committed()
    if provenance.git("rev-parse", "HEAD") != commit:
        raise UserError(
            "restate: another commit was checked out during the run; expected the same commit "
            "from the beginning to the end. Run the command again"
        )
    comparison = compare(read_recorded(networks, folder), read_measured(networks), networks)
    summary = (
        f"{sum(comparison['networks'].values()):,} numbers of {len(networks)} networks are equal"
    )
    if not any(inputs_by_talk.values()):
        return [f"{summary}; no input changed, so nothing was written"]
    for name in inputs_by_talk:
        write_digests(registry.load_talk(name), inputs_by_talk[name], config, folder)
    renewal.recollect(folder)
    write_entry(
        {
            "commit_before": provenance.git(*LAST_COMMIT_OF, str(folder / "manifest.json")),
            "commit": commit,
            "date": inputs.today(),
            "machine": machine.processor(),
            "not_compared": find_uncompared_files(inputs_by_talk),
            **({"declared": {"why": declared_reason, "inputs": settings}} if settings else {}),
            **comparison,
        },
        folder,
    )
    inputs.check([], config, folder)
    return [f"{summary}; digests of {', '.join(n for n in inputs_by_talk if inputs_by_talk[n])}"]


def read_table() -> dict[str, Any]:
    """Read restate.yaml."""
    return yaml.safe_load(TABLE.read_text(encoding="utf-8"))


def read_networks() -> list[ListedNetwork]:
    """Read which networks are trained and simulated again."""
    networks = []
    for entry in read_table()["networks"]:
        talk, _, variant_path = entry["network"].partition(".")
        experiment, _, variant = variant_path.partition("/")
        is_simulated = entry.get("simulate", True)
        networks.append(ListedNetwork(talk, experiment, variant, entry["seed"], is_simulated))
    return networks


def restrict_seeds(networks: Sequence[ListedNetwork]) -> list[dict[str, Any]]:
    """Return the `seeds_of` of a configuration that trains the listed networks and no others."""
    seeds_of = []
    for talk in registry.available():
        for experiment in registry.load_talk(talk).experiments.values():
            listed = [n for n in networks if n.key[:2] == (talk, experiment.name)]
            name = f"{talk}.{experiment.name}"
            seeds_of.append({"experiment": name, "seeds": sorted({n.seed for n in listed})})
            for variant in experiment.variants if listed else ():
                seeds = [network.seed for network in listed if network.variant == variant]
                seeds_of.append({"experiment": f"{name}/{variant}", "seeds": seeds})
    return seeds_of


def run_networks(
    networks: Sequence[ListedNetwork], config: Mapping[str, Any], options: Sequence[str]
) -> None:
    """Train and simulate the networks in a results folder of their own, where a stop goes on."""
    present_inputs = json.dumps(one_run.digests(config), indent=1)
    inputs_path = FOLDER / "inputs.json"
    if not inputs_path.is_file() or inputs_path.read_text(encoding="utf-8") != present_inputs:
        # Results of other code must not be compared, whatever times their files have.
        shutil.rmtree(FOLDER, ignore_errors=True)
    whole_files.write(inputs_path, present_inputs)
    overlay = FOLDER / "networks.yaml"
    whole_files.write(overlay, yaml.safe_dump({"seeds_of": restrict_seeds(networks)}))
    targets = [str(network.folder / "network.json") for network in networks]
    targets += [str(network.metrics_path) for network in networks if network.is_simulated]
    one_run.run(
        *("--configfile", f"config/{inputs.SCALE}.yaml", str(overlay)),
        *("--config", f"results_folder={FOLDER.name}", *options, "--", *dict.fromkeys(targets)),
    )


def read_measured(networks: Sequence[ListedNetwork]) -> pd.DataFrame:
    """Read all numbers of the run, printed with the digits of the metrics table."""
    path = FOLDER / "found.csv"
    talk_rows = []
    for name in dict.fromkeys(network.talk for network in networks):
        listed = [network for network in networks if network.talk == name]
        metrics_paths = dict.fromkeys(n.metrics_path for n in listed if n.is_simulated)
        network_paths = [network.folder / "network.json" for network in listed]
        talk_rows.append(
            collect.stacked(registry.load_talk(name), [*metrics_paths], network_paths, inputs.SCALE)
        )
    tables.write_metrics(tables.stacked(talk_rows), path)
    return tables.read_metrics([path])


def read_recorded(networks: Sequence[ListedNetwork], folder: Path) -> pd.DataFrame:
    """Read the reference results of all talks of the listed networks."""
    talks = dict.fromkeys(network.talk for network in networks)
    paths = [folder / name / "metrics.csv" for name in talks]
    return tables.stacked([reference.table(path, columns.METRICS) for path in paths])


def compare(
    recorded_rows: pd.DataFrame, measured_rows: pd.DataFrame, networks: Sequence[ListedNetwork]
) -> dict[str, Any]:
    """Compare every number of the listed networks as the metrics table prints it.

    Returns:
        How many numbers each network has, and the SHA-256 of all of them.

    Raises:
        UserError: If a number differs or only one side has it, or if a network has none.
    """
    joined_numbers = pd.concat(
        [print_numbers(recorded_rows, networks), print_numbers(measured_rows, networks)],
        axis=1,
        keys=["recorded", "found"],
    ).sort_index()
    counts = joined_numbers.groupby(level=NETWORK_KEY)["recorded"].count()
    n_numbers_by_network = {
        "{}.{}/{}, seed {}".format(*n.key): counts.get(n.key, 0) for n in networks
    }
    if uncompared_networks := [name for name, count in n_numbers_by_network.items() if not count]:
        raise UserError(
            "restate: the reference results have no numbers of "
            f"{'; '.join(uncompared_networks)}; expected numbers to compare with. List "
            f"other networks in {TABLE.name}"
        )
    differing_numbers = joined_numbers[joined_numbers["recorded"] != joined_numbers["found"]]
    if len(differing_numbers):
        listed_differences = (
            differing_numbers.head(MAX_LISTED).fillna("nothing").reset_index().to_dict("records")
        )
        lines = [DIFFERENCE.format_map(row) for row in listed_differences]
        raise UserError(
            f"restate: {len(differing_numbers)} of {len(joined_numbers)} numbers differ:\n"
            + "\n".join(lines)
            + "\nexpected equal numbers. Nothing was written. Undo the change, or compute the "
            "reference results of these experiments again: python -m whyspiking.recording "
            "record TALK/EXPERIMENT"
        )
    digest = hashlib.sha256(joined_numbers["found"].to_csv(header=False).encode()).hexdigest()
    return {
        "networks": {name: int(count) for name, count in n_numbers_by_network.items()},
        "sha256": digest,
    }


def print_numbers(table: pd.DataFrame, networks: Iterable[ListedNetwork]) -> pd.Series:
    """Print value, unit and number of trials of all comparable rows of networks, indexed by KEY."""
    only_trained_keys = [network.key for network in networks if not network.is_simulated]
    network_keys = pd.MultiIndex.from_frame(table[NETWORK_KEY])
    is_listed = network_keys.isin([network.key for network in networks])
    is_left_out = network_keys.isin(only_trained_keys) & (table["engine"] == SIMULATOR)
    is_duration = table["metric"].str.contains("seconds")
    is_contrast = table["metric"].isin(contrasts.CROSSED)
    rows = table[is_listed & ~is_left_out & ~is_duration & ~is_contrast].set_index(KEY)
    texts = [
        f"{tables.NUMBER % value} {unit}, trials {trials}"
        for value, unit, trials in zip(rows["value"], rows["unit"], rows["n_trials"], strict=True)
    ]
    return pd.Series(texts, rows.index)


def find_changed_inputs(config: Mapping[str, Any], folder: Path) -> dict[str, inputs.Inputs]:
    """Find for every recorded talk the inputs that differ from their digests."""
    return {name: inputs.stale(name, config, folder) for name in reference.recorded(folder)}


def find_uncompared_files(inputs_by_talk: Mapping[str, inputs.Inputs]) -> list[str]:
    """Find the changed files that no listed network runs, or of which it runs only a part."""
    left_out = {file for entry in read_table()["left_out"] for file in entry["files"]}
    return sorted(
        left_out
        & {
            input_name
            for changed_inputs in inputs_by_talk.values()
            for input_name in changed_inputs
        }
    )


def refuse_settings(
    inputs_by_talk: Mapping[str, inputs.Inputs], declared_reason: str, folder: Path
) -> list[str]:
    """Refuse changed settings without a reason, because few of their networks are compared.

    Settings that only the stage `collect` reads are computed again and need no reason.

    Returns:
        The changed settings, each with its talk.

    Raises:
        UserError: If settings changed without a reason, or an experiment has no reference results.
    """
    settings = []
    for talk, changed_inputs in inputs_by_talk.items():
        recorded_experiments = {
            renewal.experiment_of(input_key)
            for input_key in reference.manifest(folder / talk)["inputs"]
        }
        for input_name, (stage, _) in changed_inputs.items():
            if input_name.endswith(CODE) or stage == renewal.COLLECT:
                continue
            settings.append(f"{talk}: {input_name}")
            if renewal.experiment_of(input_name) not in recorded_experiments:
                raise UserError(
                    f"restate: {talk}: {input_name}: this experiment has no reference results; "
                    "expected changes in experiments with reference results only. Run: python -m "
                    f"whyspiking.recording record {talk}/{renewal.experiment_of(input_name)}"
                )
    if settings and not declared_reason:
        raise UserError(
            f"restate: settings changed: {'; '.join(settings)}; expected changes of code only, "
            "because the compared networks may not show the effect of settings. Compute the "
            "reference results of these experiments again, or give the reason why no number "
            "changes: restate --declared WHY"
        )
    return settings


def write_digests(
    talk: registry.Talk, changed_inputs: inputs.Inputs, config: Mapping[str, Any], folder: Path
) -> None:
    """Write the present digests of all changed inputs of a talk but those of stage `collect`."""
    manifest = reference.manifest(folder / talk.name)
    digests_by_input = {
        input_name: stage_and_digest
        for input_name, stage_and_digest in changed_inputs.items()
        if stage_and_digest[0] != renewal.COLLECT
    }
    renewal.write_digests(manifest, talk, config, folder, digests_by_input)


def write_entry(entry: Mapping[str, Any], folder: Path) -> None:
    """Add an entry to the list `restated` of the joint manifest."""
    path = folder / "manifest.json"
    manifest = whole_files.read_json(path, "config")
    inputs.write_json(path, {**manifest, "restated": [*manifest.get("restated", []), entry]})
