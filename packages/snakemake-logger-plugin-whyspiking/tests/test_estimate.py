"""How long a run will take: what is known of its jobs, and the order in which they are taken."""

import csv
import logging
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from snakemake_logger_plugin_whyspiking import plan as planning
from snakemake_logger_plugin_whyspiking.estimate import OVERHEAD_S, Durations, Job, makespan
from snakemake_logger_plugin_whyspiking.plan import PRIOR_S, UNKNOWN_S, Plan, announce
from whyspiking.running.jobs import USED


def row(seconds, variant="spiking", talk="a", experiment="x", **columns):
    """A kind of job that takes so many seconds on a machine of unit 1."""
    kind = {"rule": "train", "talk": talk, "experiment": experiment, "variant": variant}
    return {**kind, "cpu_seconds": str(seconds - OVERHEAD_S), "speed_factor": "1", **columns}


ROWS = [row(10), row(30, "control"), row(200, talk="b", experiment="y")]


def job(talk="a", variant="spiking", seed=0, rule="train"):
    return Job.of(rule, {"talk": talk, "experiment": "x", "variant": variant, "seed": seed})


def test_durations_are_looked_up_by_what_is_most_alike():
    durations = Durations(ROWS)
    jobs = job(), job(variant="new"), job(talk="c"), job(rule="page")
    assert [durations.of(requested) for requested in jobs] == pytest.approx([10, 20, 80, None])


def table(path, *rows):
    names = {name: "" for row in rows for name in row}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(names))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_cpu_seconds_are_brought_to_a_machine_of_unit_1():
    durations = Durations([{**ROWS[0], "cpu_seconds": "6", "speed_factor": "1.5"}])
    assert durations.of(job()) == pytest.approx(4 + OVERHEAD_S)
    plan = Plan(durations=durations, unit=2.0)
    plan.expect([job()])
    assert plan.seconds_left(0.0) == pytest.approx(2 * (4 + OVERHEAD_S))


def test_this_folder_counts_before_the_recorded_run_of_its_scale_and_that_before_others(tmp_path):
    recorded = table(
        tmp_path / "durations.csv",
        row(9, scale="full"),
        row(8, "only_full", scale="full"),
        row(3, scale="smoke"),
        row(2, "only_smoke", scale="smoke"),
    )
    durations = Durations.read([row(1)], recorded, "smoke")
    jobs = [job(variant=v) for v in ("spiking", "only_smoke", "only_full", "new")]
    # Of a new variant nothing is known but its experiment, in this folder.
    assert [durations.of(requested) for requested in jobs] == pytest.approx([1, 2, 8, 1])
    assert Durations.read([], recorded, "default").of(job()) == pytest.approx((9 + 3) / 2)


@pytest.mark.parametrize("text", ["", "rule\ntrain\n", "\0\1", "rule,seconds,unit\na,1,0\n"])
def test_a_damaged_table_only_costs_the_estimate(tmp_path, text):
    (tmp_path / "durations.csv").write_text(text)
    assert not Durations.read([], tmp_path / "durations.csv", "smoke")


def test_a_slower_machine_corrects_the_estimate():
    plan = Plan(durations=Durations(ROWS), cores=1)
    plan.expect([*(job(seed=seed) for seed in range(10)), job(variant="control")])
    time_s = 0.0
    for seed in range(10):
        plan.start(seed, job(seed=seed), time_s)
        time_s += 30.0
        plan.finish(seed, time_s)
    # 300 s measured, 100 s expected.
    assert plan.seconds_left(time_s) == pytest.approx(30 * (300 + PRIOR_S) / (100 + PRIOR_S))


def test_jobs_of_other_seeds_tell_at_once_that_a_run_takes_longer_than_a_recorded_one():
    """As with more epochs: nobody waits for the first to end."""
    plan = Plan(durations=Durations(ROWS), cores=1)
    plan.expect([job(seed=seed) for seed in range(3)])
    plan.start(0, job(seed=0), 0.0)
    assert plan.seconds_left(0.0) == pytest.approx(30)
    plan.running[0].tell(0.01, "data read", 20.0)
    plan.running[0].tell(0.11, "a tenth", 120.0)
    assert plan.seconds_left(120.0) == pytest.approx(890 + 2 * 1020)
    plan.finish(0, 1010.0)
    assert plan.seconds_left(1010.0) == pytest.approx(2 * 1010)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.9])
def test_what_is_left_of_a_silent_job_never_climbs_and_stays_above_nothing(fraction):
    """Nor does it matter how much it says is done when its program is ready."""
    plan = Plan(durations=Durations(ROWS), cores=1)
    plan.start(0, job(), 0.0)
    estimates = []
    for time_s in range(2, 600, 7):
        plan.running[0].tell(fraction, "program ready", time_s)
        estimates.append(plan.seconds_left(time_s))
    assert (estimates[0], estimates[-1]) == pytest.approx((8, 1))
    assert estimates == sorted(estimates, reverse=True)


def test_a_run_whose_jobs_take_what_was_recorded_takes_what_was_told_first():
    """Two pairs of jobs; programs are ready after 60 s, at 10 %, and then tell of every tenth."""
    seconds_by_variant = {"long": 150, "short": 100}
    plan = Plan(durations=Durations([row(s, v) for v, s in seconds_by_variant.items()]), cores=2)
    jobs = {v: [job(variant=v, seed=n) for n in range(2)] for v in seconds_by_variant}
    plan.expect([*jobs["long"], *jobs["short"]])
    assert plan.seconds_left(0.0) == pytest.approx(250)
    start = 0
    for variant, seconds in seconds_by_variant.items():
        for number, variant_job in enumerate(jobs[variant]):
            plan.start(number, variant_job, start)
        for tenth in range(10):
            time_s = start + 60 + tenth * (seconds - 60) / 9
            for entry in plan.running.values():
                entry.tell(0.1 + tenth / 10, f"{tenth}", time_s)
            assert plan.seconds_left(time_s) == pytest.approx(250 - time_s, abs=0.15 * 250)
        start += seconds
        for number in range(2):
            plan.finish(number, start)
    assert plan.seconds_left(start) == 0


def test_the_queue_of_a_cluster_moves_no_estimate(tmp_path):
    """Neither a wait nor the time until Snakemake looks: a job of 10 s is one of 10 s."""
    log, table = tmp_path / "a.log", tmp_path / "benchmark.tsv"
    plan = Plan(durations=Durations(ROWS), cores=2)
    plan.expect([job(seed=seed) for seed in range(4)])
    plan.start(0, job(seed=0), 0.0, (str(log),), str(table))
    assert plan.seconds_left(1000.0) == pytest.approx(20)
    log.write_text("")
    plan.running[0].look(1000.0)
    plan.running[0].tell(0.5, "half", 1004.0)
    assert plan.seconds_left(1004.0) == pytest.approx(20)
    table.write_text("s\n10.0\n")
    plan.finish(0, 1180.0)
    assert plan.seconds_left(1180.0) == pytest.approx(20)


def test_a_retried_job_is_counted_once():
    plan = Plan(cores=1)
    plan.expect([job()])
    plan.start(0, job(), 0.0)
    plan.fail(0, job(), 1.0)
    plan.start(0, job(), 2.0)
    plan.finish(0, 3.0)
    assert (plan.done, plan.total, plan.waiting) == (1, 1, [])


A, B, C, D = (Job(name) for name in "abcd")


def test_jobs_wait_for_what_they_need():
    jobs = [(A, 5.0), (B, 5.0), (C, 5.0)]
    for waiting, running, needs, seconds in (
        (jobs, [], {}, 5),
        (jobs, [], {B: [A], C: [B]}, 15),
        (jobs[1:], [(A, 2.0)], {B: [A], C: [A]}, 7),
        (jobs[1:], [], {B: [A]}, 5),  # what does not wait has ended
    ):
        assert makespan(waiting, running, 3, needs, {}) == seconds


def test_a_long_job_that_starts_first_is_not_left_alone_at_the_end():
    jobs = [(A, 1.0), (B, 1.0), (C, 1.0), (D, 3.0)]
    assert makespan(jobs, [], 2, {}, {}) == 4
    assert makespan(jobs, [], 2, {}, {D: 1}) == 3


def test_no_more_jobs_run_than_there_are_cores():
    jobs = [(Job("train", (("seed", str(n)),)), 1.0) for n in range(600)]
    assert [makespan(jobs, [], cores, {}, {}) for cores in (1, 2, 7)] == [600, 300, 86]


@dataclass(eq=False)
class SnakemakeJob:
    """A job as Snakemake's graph has it."""

    rule: Any
    wildcards_dict: dict
    output: dict = field(default_factory=dict)
    log: tuple = ()
    priority: int = 0
    is_norun: bool = False


def handed_over(monkeypatch, folder, log, n_pages=0):
    """What `announce` tells of a training, the page that needs it, the target, and more pages."""
    rule = {name: SimpleNamespace(name=name) for name in ("train", "page", "a")}
    train = SnakemakeJob(rule["train"], dict(job().wildcards), log=(log,), priority=7)
    page = SnakemakeJob(rule["page"], {"talk": "a"}, {"page": "a.html"})
    target = SnakemakeJob(rule["a"], {}, is_norun=True)
    pages = [SnakemakeJob(rule["page"], {"talk": f"of {n}"}) for n in range(n_pages)]
    jobs = [target, page, train, *pages]
    dependencies = {target: {page: []}, page: {train: []}, train: {"not to do": []}}
    dag = SimpleNamespace(
        jobs=jobs,
        needrun_jobs=lambda: jobs,
        dependencies={j: dependencies.get(j, {}) for j in jobs},
        reason=lambda _: SimpleNamespace(
            params_changed=False, updated_input=set(), updated_input_run=set()
        ),
    )
    record_fields = {}
    logger = logging.getLogger("snakemake.logging")
    monkeypatch.setattr(logger, "info", lambda text, extra: record_fields.update(extra))
    monkeypatch.chdir(folder)
    announce(dag, {"scale": "smoke", "build_folder": str(folder / "build")})
    return record_fields["whyspiking_plan"]


def test_announce_hands_over_the_jobs_their_order_and_their_pages(tmp_path, monkeypatch):
    plan = handed_over(monkeypatch, tmp_path, "missing.log")
    train, page = job(), Job.of("page", {"talk": "a"})
    assert (plan.total, plan.waiting, plan.pages) == (3, [page, train], {page: "a.html"})
    assert plan.needs[page] == [train] and plan.needs[train] == []
    assert plan.priority[train] == 7
    assert plan.seconds_left(0.0) is None


def test_a_job_takes_what_its_log_of_an_earlier_run_here_says(tmp_path, monkeypatch):
    log = tmp_path / "train.log"
    log.write_text(USED.format(total=30.0, start=0.5) + "\n")
    monkeypatch.setattr(planning.machine, "cached", lambda folder: 3.0)
    plan = handed_over(monkeypatch, tmp_path, str(log))
    assert plan.seconds_left(0.0) == pytest.approx(30 + 3 * (OVERHEAD_S + UNKNOWN_S))


@pytest.mark.parametrize(("n_pages", "unit"), [(0, None), (30, 3.0)])
def test_the_machine_is_measured_if_there_is_much_to_do(tmp_path, monkeypatch, n_pages, unit):
    monkeypatch.setattr(planning.machine, "unit", lambda folder: 3.0)
    assert handed_over(monkeypatch, tmp_path, "missing.log", n_pages).unit == unit
