"""Made-up talks that are set shared tasks, and measurements of them that nobody made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from made.measured import row
from made.project import config

from whyspiking.declared.experiments import Experiment
from whyspiking.declared.learning_rules import Rule
from whyspiking.declared.registry import Talk, TauChar
from whyspiking.declared.shared_tasks import shared_tasks

CONFIG = config("default")
TUNED = {"rate": [1, 2, 3], "batch": [10, 20]}
ROLES = {"spiking": "spiking", "bptt": "ablation", "rates": "rate", "mlp": "control"}
RULE = {
    "learning_rule": "a made-up rule",
    "memory": {"synapse": "1", "neuron": "2 * T", "shared": "N", "description": "what it keeps"},
    "signals": [{"description": "an error", "recipient": "neuron", "online": False}],
}
PARTS = 10


def talk(name: str, *experiments: Experiment, no_part: Mapping[str, str] | None = None) -> Talk:
    """A talk with these experiments, and the made-up rule for its spiking networks."""
    learners = [f"{e.name}/spiking" for e in experiments if "spiking" in e.variants]
    rules = [Rule.model_validate({**RULE, "networks": learners})] if learners else []
    told = {"speaker": f"A. {name.capitalize()}", "title": "A talk", "publications": {}}
    told["characteristic_time"] = TauChar(value=1.0, unit="ms", description="made up")
    excused = {
        task: f"{name} was not made for {task}"
        for task in shared_tasks()
        if all(experiment.task != task for experiment in experiments)
    }
    return Talk.model_construct(
        **told,
        learning_rules=tuple(rules),
        excluded_tasks={**excused, **(no_part or {})},
        experiments={experiment.name: experiment for experiment in experiments},
    ).called(name)


def experiment(
    talk_name: str,
    task: str,
    variants: Sequence[str],
    *,
    shared: Mapping[str, float] | None = None,
    **keys: Any,
) -> Experiment:
    """An experiment that shares a task, with variants of `ROLES`."""
    tried = {key: {"value": values[0], "source": "ours"} for key, values in TUNED.items()}
    entry = {
        "title": f"Shared task {task}",
        "task_type": "classification",
        "data": {"data_set": task, "data_source": "definition"},
        "robustness_tests": ["jitter", "delete"] if "spiking" in variants else [],
        "shared_task": {"tuning_grids": {variants[0]: TUNED}, **(shared or {})},
        "parameters": tried,
        "scale_overrides": {},
        "variants": {
            v: {"variant_role": ROLES[v], "description": f"network {v}"} for v in variants
        },
        **keys,
    }
    found = Experiment.model_validate(entry).completed(f"shared_{task}", {})
    found._talk = talk_name
    return found


def metrics(
    own: Experiment, variant: str, scores: Sequence[float], **more: float
) -> list[dict[str, Any]]:
    """Rows of one network per accuracy, whole and in parts; `more` are further metrics."""
    spiking = own.variants[variant].role in ("spiking", "ablation")
    found = []
    for seed, score in enumerate(scores):
        place = {"talk": own.talk, "experiment": own.name, "variant": variant, "seed": seed}
        place["engine"] = "brian2" if spiking else "jax"
        found += row({"accuracy": score, "score": score, **more}, 1000, **place)
        for part in range(PARTS):
            at = {"perturbation": "part", "strength": float(part)}
            found += row({"accuracy": score}, 1000 // PARTS, **place, **at)
    return found
