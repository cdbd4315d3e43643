"""Finds the talks by their folders, and reads what each says about itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from whyspiking.contract.data_folders import folder_of
from whyspiking.contract.types import ExperimentParameters
from whyspiking.declared.experiments import Experiment
from whyspiking.declared.learning_rules import Rule, split
from whyspiking.declared.parameters import Parameters
from whyspiking.declared.shared_tasks import JITTER_UNITS, WINDOW_MS, shared_tasks
from whyspiking.declared.strict_yaml import (
    Block,
    Listed,
    Name,
    Some,
    Unique,
    Wrong,
    closed,
    nearest,
    parsed,
    read_yaml,
    refuse,
)
from whyspiking.declared.variants import Variant
from whyspiking.errors import UserError
from whyspiking.records.whole_files import read_json

FOLDER = Path(__file__).parents[1] / "talks"
PROTOCOL = "protocol.yaml"


@closed
class Paper(TypedDict):
    """A paper that a talk is about.

    Attributes:
        citation: Authors, title, journal, pages, year.
        doi: Without https://doi.org/.
    """

    citation: Annotated[str, Field(min_length=10)]
    doi: Annotated[str, Field(pattern=r"^10\.[0-9]{4,9}/[^\s<>\"']+$")]


class TauChar(Block):
    """The time that a talk's jitter is measured in.

    Attributes:
        value: The time.
        unit: Milliseconds.
        description: Which time of the talk it is.
    """

    value: float = Field(gt=0)
    unit: Literal["ms"]
    description: str


class Talk(Block):
    """A talk's own description (talk.yaml).

    Names in brackets here and in its parts are keys of the file that differ from the attributes.

    Attributes:
        title: Of the talk.
        speaker: Who gave it.
        event: Where and when, as pages put it behind the speaker.
        question: What it asks.
        publications: What it is about.
        tau_char (characteristic_time): Its characteristic time.
        parameters: Those that its experiments share.
        training_parameters: Parameters that nothing but the training of its own networks reads: a
            change trains no control of the core again. A job that reads one all the same fails.
        learning_rules: What each of them keeps (M1) and needs to be told (M2).
        excluded_tasks: Shared task -> why the talk's method cannot be set it.
        counted (is_talk): Whether it is one of the talks; what belongs to the discussion is neither
            counted with them nor set the shared tasks.
        experiments: By name.
    """

    title: str = Field(min_length=5)
    speaker: str = Field(min_length=3)
    event: str = Field(min_length=3)
    question: str = Field(min_length=10)
    publications: dict[str, Paper] = Field(min_length=1)
    tau_char: TauChar = Field(alias="characteristic_time")
    parameters: Parameters
    training_parameters: Unique[Listed[Name]] = ()
    learning_rules: Some[Rule]
    excluded_tasks: dict[str, Annotated[str, Field(min_length=20)]] = Field(default_factory=dict)
    counted: bool = Field(True, alias="is_talk")
    experiments: dict[Name, Experiment] = Field(min_length=1)
    _name: str = PrivateAttr("")

    @property
    def name(self) -> str:
        """That of its folder."""
        return self._name

    def called(self, name: str) -> Talk:
        """Itself, told the name of its folder, which stands nowhere in the file."""
        self._name = name
        for experiment in self.experiments.values():
            experiment._talk = name
        return self

    @property
    def surname(self) -> str:
        """How tables, figures and sentences call it."""
        return self.speaker.split()[-1]

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return FOLDER / self.name

    @property
    def tau_char_ms(self) -> float:
        """Its characteristic time."""
        return self.tau_char.value

    def unit_of_jitter_ms(self, experiment: Experiment) -> float:
        """Its characteristic time, but of a shared task the same for all: a share of its window."""
        if experiment.shared is None:
            return self.tau_char_ms
        return (experiment.shared.model_window_ms or WINDOW_MS) / JITTER_UNITS

    @field_validator("experiments")
    @classmethod
    def _complete(
        cls, experiments: dict[str, Experiment], info: ValidationInfo
    ) -> dict[str, Experiment]:
        if "parameters" not in info.data:
            return experiments  # refused for these
        shared = info.data["parameters"]
        found = {name: e.completed(name, shared) for name, e in experiments.items()}
        _find_parents(found)
        return found

    @model_validator(mode="after")
    def _check(self) -> Talk:
        """No shared task has an experiment and a reason, every learning rule names networks."""
        described = {name for e in self.experiments.values() for name in e.parameters}
        takes_part = {experiment.task for experiment in self.experiments.values()}
        refuse(
            *(
                (
                    name not in described,
                    "training_parameters",
                    f"names '{name}', which is not a parameter of any experiment; "
                    f"{nearest(name, described, 'none is similar.')} Correct it.",
                )
                for name in self.training_parameters
            ),
            *(
                (
                    task not in shared_tasks(),
                    "excluded_tasks",
                    f"names '{task}', which is not a shared task; expected one of "
                    f"{', '.join(shared_tasks())}. Correct it.",
                )
                for task in self.excluded_tasks
            ),
            *(
                (
                    task in takes_part,
                    "excluded_tasks",
                    f"excludes shared task '{task}', on whose data the talk has an experiment; "
                    "expected one of the two. Remove one.",
                )
                for task in self.excluded_tasks
            ),
        )
        known = {(e.name, variant) for e in self.experiments.values() for variant in e.variants}
        for rule in self.learning_rules:
            for experiment, variant in sorted(rule.places - known):
                raise ValueError(
                    f"learning rule '{rule.name}' names '{experiment}/{variant}', which is not an "
                    "experiment/variant of the talk. Correct the name"
                )
        return self


def available() -> list[str]:
    """Names of all talks, in alphabetical order; folders that start with `_` are templates."""
    return sorted(path.parent.name for path in FOLDER.glob("[a-z]*/talk.yaml"))


def counted(names: Iterable[str]) -> list[str]:
    """Those that are talks: what belongs to the discussion is left out."""
    return [name for name in names if load_talk(name).counted]


def with_protocol(names: Iterable[str]) -> list[str]:
    """Those that fixed beforehand how references of the tasks are made and read."""
    return [name for name in names if (FOLDER / name / PROTOCOL).is_file()]


def load_talk(name: str) -> Talk:
    """Read and check `talks/<name>/talk.yaml`.

    Raises:
        UserError: If there is no such talk, or its file does not fit the schema.
    """
    path = FOLDER / name / "talk.yaml"
    if not path.is_file():
        hint = nearest(name, available(), "none is similar;")
        raise UserError(
            f"config: talk '{name}' is not known; {hint} available: {', '.join(available())}. "
            "Correct 'talks' in the config."
        )
    return parsed(Talk, read_yaml(path), f"talks/{name}/talk.yaml").called(name)


def as_measured(talk: Talk, folder: Path) -> Talk:
    """A talk with the provenance of the data that its networks were trained on.

    A data set may have several sources; which one a run used, its networks say.

    Args:
        talk: As described in its talk.yaml.
        folder: `results/<scale>/<talk>`.
    """
    first = {
        name: next(folder.glob(f"{name}/*/seed-*/network.json"), None) for name in talk.experiments
    }
    infos = {name: read_json(path, "info")["info"] for name, path in first.items() if path}
    return provided(talk, {n: i["provenance"] for n, i in infos.items() if "provenance" in i})


def provided(talk: Talk, provenance: Mapping[str, str]) -> Talk:
    """A talk whose experiments had data of these sources, by experiment; others as described."""
    experiments = dict(talk.experiments)
    for name, found in provenance.items():
        data = experiments[name].data.model_copy(update={"provenance": found})
        experiments[name] = experiments[name].model_copy(update={"data": data})
    return talk.model_copy(update={"experiments": experiments})


def params(
    experiment: Experiment, config: Mapping[str, Any], seed: int = 0, variant: str | None = None
) -> ExperimentParameters:
    """The parameters of one experiment, or of one of its variants, at the scale of the config."""
    scale = config["scale"]
    changed = {key: entry["value"] for key, entry in experiment.changes(scale).items()}
    values = {**experiment.published, **changed}
    if variant is not None:
        values = experiment.values_of(variant, values)
    originals = config["data"]["originals_dir"] if experiment.data.originals else None
    folder = Path(config["data"]["folder"])
    dataset = folder_of(experiment.data_key, config["data"])
    return ExperimentParameters(
        talk=experiment.talk,
        experiment=experiment.name,
        scale=scale,
        values=values,
        seed=seed,
        data_dir=folder,
        work_dir=Path(config["build_folder"]),
        originals_dir=Path(originals) if originals else None,
        dataset_dir=folder / dataset if dataset else None,
    )


def seeds(
    experiment: Experiment, config: Mapping[str, Any], variant: str | None = None
) -> list[int]:
    """The seeds of one experiment, or of one of its variants; see `choose_seeds`."""
    return choose_seeds(experiment, config, variant)[0]


def choose_seeds(
    experiment: Experiment, config: Mapping[str, Any], variant: str | None = None
) -> tuple[list[int], str]:
    """Choose the seeds of one experiment, or of one of its variants: scale and config decide.

    An experiment and a variant may begin at a larger scale (`from_scale` in talk.yaml). Of the
    rest, `seeds_of` of the variant comes before that of the experiment, and this before
    `shared.seeds` of a shared task and `seeds`. A variant may content itself with the first seeds
    (`max_seeds`).

    Returns:
        The seeds, and in words why it is these.
    """
    scale = config["scale"]
    described = experiment.variants[variant] if variant is not None else None
    for block in filter(None, (experiment, described)):
        if not block.runs_at(scale):
            return [], f"not at scale {scale}: from_scale is {block.from_scale}"
    named = {entry["experiment"]: entry["seeds"] for entry in config["seeds_of"]}
    full = f"{experiment.talk}.{experiment.name}"
    own = f"{full}/{variant}"
    if own in named:
        return list(named[own]), f"seeds_of {own}"
    common, reason = (config["shared"], "shared.seeds") if experiment.shared else (config, "seeds")
    found = list(common["seeds"])
    if full in named:
        found, reason = list(named[full]), f"seeds_of {full}"
    if described is not None and described.max_seeds is not None:
        return found[: described.max_seeds], f"{reason}, max_seeds is {described.max_seeds}"
    return found, reason


def _find_parents(experiments: Mapping[str, Experiment]) -> None:
    """Refuse networks that start from none that there is, or in circles; link those that are."""
    known = {
        f"{experiment.name}/{variant.name}": variant
        for experiment in experiments.values()
        for variant in experiment.variants.values()
    }
    parents = {name: variant.parents for name, variant in known.items()}
    for child, named in parents.items():
        for parent in (parent for parent in named if parent not in parents):
            hint = nearest(parent, parents, f"known: {', '.join(parents)}.")
            raise Wrong(
                _place(child, known[child]),
                f"names '{parent}', which is not an experiment/variant of the talk; {hint} "
                "Correct it there.",
            )
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        child = next(name for name in parents if name in error.args[1])
        raise Wrong(
            _place(child, known[child]),
            f"is {list(parents[child])}, so {child} starts from itself; expected a network that "
            "is trained earlier. Remove one of these links.",
        ) from None
    for variant in known.values():
        if variant.as_is:
            (parent,) = variant.parents
            variant._same = known[parent]


def _place(network: str, variant: Variant) -> str:
    return "{}.variants.{}.{}".format(
        *split(network), "network" if variant.as_is else "starts_from"
    )
