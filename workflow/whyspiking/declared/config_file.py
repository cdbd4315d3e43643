"""What a configuration may say: its keys, their limits, and what one says about another."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal
from unicodedata import category

from pydantic import AfterValidator, Field, model_validator

from whyspiking.declared.scales import Scale
from whyspiking.declared.strict_yaml import (
    Block,
    Listed,
    Some,
    Unique,
    refuse,
)


def _plain(folder: str) -> str:
    """What neither Snakemake nor a shell reads more in than a part of a name."""
    plain = all(c in " _.,@+=/-" or category(c)[0] in "LMN" for c in folder)
    says = "is {value}; expected a name of letters, digits, blanks and _.,@+=/- only. Rename it."
    refuse((not (plain and folder.strip()), "", says))
    return folder


def _there(folder: str) -> str:
    says = "is {value}; expected a folder that exists. Correct it or set it to null."
    refuse((not os.path.isdir(folder), "", says))
    return folder


def _is_no_reference(name: str) -> str:
    says = "is {value}; expected a folder without reference results. Choose another name."
    refuse(("reference" in name, "", says))
    return name


Written = Annotated[str, AfterValidator(_plain)]
"""A folder that a run makes."""
Found = Annotated[str, AfterValidator(_there)]
"""A folder of the user's, which is only read."""
Count = Annotated[int, Field(ge=1, le=1_000_000)]
MOST_SHARDS = 1000
"""Each is a job."""
Levels = Unique[Annotated[Some[Annotated[float, Field(ge=1e-6, le=100)]], Field(max_length=100)]]
Shares = Unique[Annotated[Some[Annotated[float, Field(ge=1e-6, le=1)]], Field(max_length=100)]]
Picojoules = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0, le=4294967295)]
MOST_SEEDS = 100
Seeds = Unique[Annotated[Some[Seed], Field(max_length=MOST_SEEDS)]]


class SeedsOf(Block):
    """Seeds of one experiment, or of one variant of it; none: it is not run.

    Attributes:
        experiment: `<talk>.<experiment>`, or `<talk>.<experiment>/<variant>`.
        seeds: In place of `seeds`; empty: it is left out.
    """

    experiment: str = Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+(/[a-z0-9_]+)?$")
    seeds: Unique[Annotated[Listed[Seed], Field(max_length=MOST_SEEDS)]]


class Words(Block):
    """Spoken words.

    Attributes:
        speakers: How many voices; those of number 4 and 5 are in the test set only.
        words: The first so many of 35.
        repetitions: How often each voice says each.
    """

    speakers: int = Field(ge=6, le=12)
    words: int = Field(ge=2, le=35)
    repetitions: int = Field(ge=1, le=100)


class EventRecordings(Block):
    """Digits seen by an event camera (N-MNIST)."""

    source: Literal["auto", "original", "simulated"]
    train: int = Field(ge=1, le=55000)
    validation: int = Field(ge=1, le=5000)
    test: int = Field(ge=1, le=10000)
    shard: Count
    dt_ms: float = Field(gt=0, le=105)
    pool: int = Field(ge=1, le=17)

    @model_validator(mode="after")
    def _check(self) -> EventRecordings:
        shards = (self.train + self.validation + self.test) // self.shard
        says = (
            f"is {self.shard}, which makes {shards} jobs; expected at most {MOST_SHARDS}. Make it "
            "larger."
        )
        refuse((shards > MOST_SHARDS, "shard", says))
        return self


class Data(Block):
    """Where data sets are kept, and how large those are that are made here."""

    folder: Written
    mnist_dir: Found | None
    originals_dir: Found | None
    download: bool
    words: Words
    nmnist: EventRecordings


class RobustnessTests(Block):
    """How networks are perturbed."""

    n_trials: Count
    n_labelled_trials: Count
    n_perturbations: Count
    n_agreement_trials: Count
    n_decoder_trials: Count
    jitter: Levels
    shuffle_window: Shares
    delete: Shares
    insert: Levels
    quantise: Unique[Some[Annotated[int, Field(ge=2, le=32)]]]
    clip: Shares
    mismatch: Levels


class OperationEnergies(Block):
    """Energy of one operation in pJ.

    Attributes:
        add_int8: Addition of two 8-bit integers.
        mult_int8: Multiplication of two 8-bit integers.
    """

    add_int8: Picojoules
    mult_int8: Picojoules


class AccessEnergies(Block):
    """Energy of one 64-bit access to a memory in pJ.

    Attributes:
        sram_8kb: SRAM of 8 kB.
        sram_1mb: SRAM of 1 MB.
        dram: DRAM.
    """

    sram_8kb: Picojoules
    sram_1mb: Picojoules
    dram: Picojoules


class Energy(Block):
    """What operations and accesses to memory cost (`measures/accounting.py`)."""

    operations_pj: OperationEnergies
    memory_pj_64bit: AccessEnergies


class Agreement(Block):
    """When the training engine and Brian2 count as equal.

    Attributes:
        equal_decisions: Least share of equal decisions.
        score_difference: Largest difference of scores.
    """

    equal_decisions: float = Field(ge=0, le=1)
    score_difference: float = Field(ge=0)


class Shared(Block):
    """Of tasks that all methods share: training seeds.

    Attributes:
        seeds: Of their experiments, in place of those of the run.
    """

    seeds: Seeds


class Config(Block):
    """The configuration of a run; config/config.yaml says what each key means.

    Attributes:
        changed_parameters (set): `<talk>.<experiment>.<parameter>` -> its value in this run.
    """

    scale: Scale
    talks: Unique[Some[Annotated[str, Field(pattern="^[a-z_][a-z0-9_]*$")]]]
    seeds: Seeds
    seeds_of: Listed[SeedsOf]
    data: Data
    build_folder: Written
    changed_parameters: dict[str, Any] = Field(alias="set")
    results_folder: Annotated[str, Field(pattern="^[a-z0-9_-]*$"), AfterValidator(_is_no_reference)]
    robustness_tests: RobustnessTests
    energy: Energy
    agreement: Agreement
    shared: Shared
