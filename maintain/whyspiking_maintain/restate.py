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
PLACE = ["talk", "experiment", "variant", "seed"]
KEY = columns.METRICS.names[:10]
"""Columns that identify a number of the metrics table; the other columns state the number."""
DIFFERENCE = (
    "  {talk}.{experiment}/{variant}, seed {seed}: {metric} ({engine}, {perturbation} "
    "{strength:g} {location}): reference {recorded}, now {found}"
)
"""States a difference in an error message."""
MOST_SHOWN = 20
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
    def place(self) -> tuple[str, str, str, int]:
        """Columns `PLACE` of its rows in the metrics table."""
        return self.talk, self.experiment, self.variant, self.seed

    @property
    def folder(self) -> Path:
        """Its folder in the run."""
        return FOLDER / self.talk / self.experiment / self.variant / f"seed-{self.seed}"

    @property
    def metrics(self) -> Path:
        """Table of what the simulations of its experiment measured in the run."""
        return FOLDER / self.talk / self.experiment / "metrics.csv"


def restate(declared: str = "", options: str = "", folder: Path = reference.FOLDER) -> list[str]:
    """Compare networks with the reference results and write the digests of the present code.

    Args:
        declared: Why changed settings (YAML, CSV) change no number; recorded with the digests.
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
    changed = find_changed_inputs(config, folder)
    settings = refuse_settings(changed, declared, folder)
    networks = read_networks()
    run_networks(networks, config, shlex.split(options))
    one_run.committed()
    if provenance.git("rev-parse", "HEAD") != commit:
        raise UserError(
            "restate: another commit was checked out during the run; expected the same commit "
            "from the beginning to the end. Run the command again"
        )
    equal = compare(read_recorded(networks, folder), read_found(networks), networks)
    numbers = f"{sum(equal['networks'].values()):,} numbers of {len(networks)} networks are equal"
    if not any(changed.values()):
        return [f"{numbers}; no input changed, so nothing was written"]
    for name in changed:
        write_digests(registry.load_talk(name), changed[name], config, folder)
    renewal.recollect(folder)
    write_entry(
        {
            "commit_before": provenance.git(*LAST_COMMIT_OF, str(folder / "manifest.json")),
            "commit": commit,
            "date": inputs.today(),
            "machine": machine.processor(),
            "not_compared": find_uncompared_files(changed),
            **({"declared": {"why": declared, "inputs": settings}} if settings else {}),
            **equal,
        },
        folder,
    )
    inputs.check([], config, folder)
    return [f"{numbers}; digests of {', '.join(n for n in changed if changed[n])}"]


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
            listed = [n for n in networks if n.place[:2] == (talk, experiment.name)]
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
    begun = json.dumps(one_run.digests(config), indent=1)
    stamp = FOLDER / "inputs.json"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != begun:
        # Results of other code must not be compared, whatever times their files have.
        shutil.rmtree(FOLDER, ignore_errors=True)
    whole_files.write(stamp, begun)
    overlay = FOLDER / "networks.yaml"
    whole_files.write(overlay, yaml.safe_dump({"seeds_of": restrict_seeds(networks)}))
    targets = [str(network.folder / "network.json") for network in networks]
    targets += [str(network.metrics) for network in networks if network.is_simulated]
    one_run.run(
        *("--configfile", f"config/{inputs.SCALE}.yaml", str(overlay)),
        *("--config", f"results_folder={FOLDER.name}", *options, "--", *dict.fromkeys(targets)),
    )


def read_found(networks: Sequence[ListedNetwork]) -> pd.DataFrame:
    """Read all numbers of the run, printed with the digits of the metrics table."""
    path = FOLDER / "found.csv"
    parts = []
    for name in dict.fromkeys(network.talk for network in networks):
        listed = [network for network in networks if network.talk == name]
        metrics = dict.fromkeys(n.metrics for n in listed if n.is_simulated)
        facts = [network.folder / "network.json" for network in listed]
        parts.append(collect.stacked(registry.load_talk(name), [*metrics], facts, inputs.SCALE))
    tables.write_metrics(tables.stacked(parts), path)
    return tables.read_metrics([path])


def read_recorded(networks: Sequence[ListedNetwork], folder: Path) -> pd.DataFrame:
    """Read the reference results of all talks of the listed networks."""
    talks = dict.fromkeys(network.talk for network in networks)
    paths = [folder / name / "metrics.csv" for name in talks]
    return tables.stacked([reference.table(path, columns.METRICS) for path in paths])


def compare(
    recorded: pd.DataFrame, found: pd.DataFrame, networks: Sequence[ListedNetwork]
) -> dict[str, Any]:
    """Compare every number of the listed networks as the metrics table prints it.

    Returns:
        How many numbers each network has, and the SHA-256 of all of them.

    Raises:
        UserError: If a number differs or only one side has it, or if a network has none.
    """
    both = pd.concat(
        [print_numbers(recorded, networks), print_numbers(found, networks)],
        axis=1,
        keys=["recorded", "found"],
    ).sort_index()
    counts = both.groupby(level=PLACE)["recorded"].count()
    names = {"{}.{}/{}, seed {}".format(*n.place): counts.get(n.place, 0) for n in networks}
    if missing := [name for name, count in names.items() if not count]:
        raise UserError(
            f"restate: the reference results have no numbers of {'; '.join(missing)}; expected "
            f"numbers to compare with. List other networks in {TABLE.name}"
        )
    differing = both[both["recorded"] != both["found"]]
    if len(differing):
        shown = differing.head(MOST_SHOWN).fillna("nothing").reset_index().to_dict("records")
        lines = [DIFFERENCE.format_map(row) for row in shown]
        raise UserError(
            f"restate: {len(differing)} of {len(both)} numbers differ:\n"
            + "\n".join(lines)
            + "\nexpected equal numbers. Nothing was written. Undo the change, or compute the "
            "reference results of these experiments again: python -m whyspiking.recording "
            "record TALK/EXPERIMENT"
        )
    digest = hashlib.sha256(both["found"].to_csv(header=False).encode()).hexdigest()
    return {"networks": {name: int(count) for name, count in names.items()}, "sha256": digest}


def print_numbers(table: pd.DataFrame, networks: Iterable[ListedNetwork]) -> pd.Series:
    """Print value, unit and number of trials of all comparable rows of networks, indexed by KEY."""
    only_trained = [network.place for network in networks if not network.is_simulated]
    places = pd.MultiIndex.from_frame(table[PLACE])
    is_listed = places.isin([network.place for network in networks])
    is_left_out = places.isin(only_trained) & (table["engine"] == SIMULATOR)
    is_duration = table["metric"].str.contains("seconds")
    is_contrast = table["metric"].isin(contrasts.CROSSED)
    rows = table[is_listed & ~is_left_out & ~is_duration & ~is_contrast].set_index(KEY)
    printed = [
        f"{tables.NUMBER % value} {unit}, trials {trials}"
        for value, unit, trials in zip(rows["value"], rows["unit"], rows["n_trials"], strict=True)
    ]
    return pd.Series(printed, rows.index)


def find_changed_inputs(config: Mapping[str, Any], folder: Path) -> dict[str, inputs.Inputs]:
    """Find for every recorded talk the inputs that differ from their digests."""
    return {name: inputs.stale(name, config, folder) for name in reference.recorded(folder)}


def find_uncompared_files(changed: Mapping[str, inputs.Inputs]) -> list[str]:
    """Find the changed files that no listed network runs, or of which it runs only a part."""
    left_out = {file for entry in read_table()["left_out"] for file in entry["files"]}
    return sorted(left_out & {place for places in changed.values() for place in places})


def refuse_settings(changed: Mapping[str, inputs.Inputs], declared: str, folder: Path) -> list[str]:
    """Refuse changed settings without a reason, because few of their networks are compared.

    Settings that only the stage `collect` reads are computed again and need no reason.

    Returns:
        The changed settings, each with its talk.

    Raises:
        UserError: If settings changed without a reason, or an experiment has no reference results.
    """
    settings = []
    for talk, places in changed.items():
        known = {renewal.experiment_of(p) for p in reference.manifest(folder / talk)["inputs"]}
        for place, (stage, _) in places.items():
            if place.endswith(CODE) or stage == renewal.COLLECT:
                continue
            settings.append(f"{talk}: {place}")
            if renewal.experiment_of(place) not in known:
                raise UserError(
                    f"restate: {talk}: {place}: this experiment has no reference results; "
                    "expected changes in experiments with reference results only. Run: python -m "
                    f"whyspiking.recording record {talk}/{renewal.experiment_of(place)}"
                )
    if settings and not declared:
        raise UserError(
            f"restate: settings changed: {'; '.join(settings)}; expected changes of code only, "
            "because the compared networks may not show the effect of settings. Compute the "
            "reference results of these experiments again, or give the reason why no number "
            "changes: restate --declared WHY"
        )
    return settings


def write_digests(
    talk: registry.Talk, changed: inputs.Inputs, config: Mapping[str, Any], folder: Path
) -> None:
    """Write the present digests of all changed inputs of a talk but those of stage `collect`."""
    manifest = reference.manifest(folder / talk.name)
    places = {p: new for p, new in changed.items() if new[0] != renewal.COLLECT}
    renewal.write_digests(manifest, talk, config, folder, places)


def write_entry(entry: Mapping[str, Any], folder: Path) -> None:
    """Add an entry to the list `restated` of the joint manifest."""
    path = folder / "manifest.json"
    manifest = whole_files.read_json(path, "config")
    inputs.write_json(path, {**manifest, "restated": [*manifest.get("restated", []), entry]})
