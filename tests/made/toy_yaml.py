"""A talk.yaml that is right, to be damaged."""

from whyspiking.declared.shared_tasks import shared_tasks

TOY = {
    "title": "A toy talk",
    "speaker": "Nobody",
    "event": "Nowhere 2021",
    "question": "Does the registry work?",
    "publications": {"toy2020": {"citation": "Nobody 2020, Toys", "doi": "10.1000/x"}},
    "characteristic_time": {"value": 1.0, "unit": "ms", "description": "synaptic"},
    "parameters": {"tau_mem": {"value": 20, "unit": "ms", "source": "Eq. 3"}},
    "learning_rules": [
        {
            "learning_rule": "a rule",
            "networks": ["one/spiking"],
            "memory": {"synapse": "1", "neuron": "T", "shared": "0", "description": "numbers"},
            "signals": [],
        }
    ],
    "excluded_tasks": dict.fromkeys(shared_tasks(), "it is a toy, which learns nothing"),
    "experiments": {
        "one": {
            "title": "First",
            "task_type": "classification",
            "data": {"data_set": "toy", "data_source": "synthetic"},
            "robustness_tests": ["jitter"],
            "input_times": "trains",
            "parameters": {"n_hidden": {"value": 100, "source": "Table 1"}},
            "scale_overrides": {"full": {"n_hidden": {"value": 10, "reason": "quick enough"}}},
            "variants": {"spiking": {"variant_role": "spiking", "description": "the network"}},
        }
    },
}
