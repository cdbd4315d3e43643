"""Why finished jobs run again: the keys that changed, out of what Snakemake says."""

from types import SimpleNamespace

from snakemake.persistence import ParamsChange

from snakemake_logger_plugin_whyspiking import reasons
from snakemake_logger_plugin_whyspiking.estimate import Job

YINYANG = {"talk": "goeltz", "experiment": "yinyang", "variant": "spiking", "seed": "3"}


def test_a_changed_parameter_is_named_with_both_values():
    def plan(**values):
        return {"params": {"seed": 3, "values": {"n": [1, 2], **values}}, "why": "a; b: c, d"}

    change = ParamsChange({repr(plan(rate=0.5))}, {repr(plan(rate=0.25))}, {"a.npz"})
    text = reasons.named(f"Params have changed since last execution: {change}")
    assert text == "Params have changed since last execution: rate 0.5 -> 0.25"
    other_change = ParamsChange(
        {repr(plan(old=1)), repr({"jitter": [1, 2]})}, {repr(plan(new="x, y"))}
    )
    other_text = reasons.named(f"A: {other_change}; Software environment definition has changed")
    assert other_text.startswith("A: ") and other_text.endswith(
        "; Software environment definition has changed"
    )
    changes = {"old 1 -> not set", "jitter [1,2] -> not set", "new not set -> 'x,y'"}
    assert set(other_text[3:].split("; ")[0].split(", ")) == changes

    jobs = [
        (Job.of("train", {**YINYANG, "seed": seed}), make_reason(params_changed=change))
        for seed in (1, 2)
    ]
    code = make_reason(updated_input={"b.py", "a.npz"}, updated_input_run={"a.npz"})
    assert reasons.causes([*jobs, (Job.of("page", {"talk": "goeltz"}), code)]) == [
        "goeltz yinyang: rate 0.5 -> 0.25, so 2 jobs run again",
        "newer than the results: b.py, so 1 job run again",
    ]
    old_digest, new_digest, equal = "1" * 32, "2" * 32, {"talks/goeltz/task.py": "3" * 32}
    files = [{"talks/goeltz/learning.py": digest, **equal} for digest in (old_digest, new_digest)]
    edited = make_reason(params_changed=ParamsChange({repr(files[0])}, {repr(files[1])}, {"a.npz"}))
    jobs_of_code = [(Job.of("train", {"talk": "goeltz", "experiment": x}), edited) for x in "ab"]
    assert reasons.causes(jobs_of_code) == [
        "changed code: talks/goeltz/learning.py, so 2 jobs run again"
    ]
    many_jobs = [(Job.of("r", {"talk": str(k)}), jobs[0][1]) for k in range(9)]
    assert reasons.causes(many_jobs)[-1] == "5 more changes"
    assert reasons.named(str(ParamsChange({"<odd>"}, {"1"}))) == "parameters of the job"


def make_reason(params_changed=False, updated_input=(), updated_input_run=()):
    """A reason of Snakemake to run a job."""
    return SimpleNamespace(
        params_changed=params_changed,
        updated_input=set(updated_input),
        updated_input_run=set(updated_input_run),
    )
