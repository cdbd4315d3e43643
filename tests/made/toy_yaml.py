"""A talk.yaml that is right, to be damaged."""

from whyspiking.declared.shared_tasks import shared_tasks

TOY = {
    "title": "A toy talk",
    "speaker": "Nobody",
    "event": "Nowhere 2021",
    "question": "Does the registry work?",
    "papers": {"toy2020": {"cite": "Nobody 2020, Toys", "doi": "10.1000/x"}},
    "tau_char": {"value": 1.0, "unit": "ms", "what": "synaptic"},
    "parameters": {"tau_mem": {"value": 20, "unit": "ms", "source": "Eq. 3"}},
    "learning": [
        {
            "rule": "a rule",
            "applies": ["one/spiking"],
            "memory": {"synapse": "1", "neuron": "T", "shared": "0", "what": "numbers"},
            "signals": [],
        }
    ],
    "takes_no_part": dict.fromkeys(shared_tasks(), "it is a toy, which learns nothing"),
    "experiments": {
        "one": {
            "title": "First",
            "kind": "classification",
            "data": {"key": "toy", "provenance": "synthetic"},
            "battery": ["jitter"],
            "input_times": "trains",
            "parameters": {"n_hidden": {"value": 100, "source": "Table 1"}},
            "scaled": {"full": {"n_hidden": {"value": 10, "why": "quick enough"}}},
            "variants": {"spiking": {"role": "spiking", "says": "the network"}},
        }
    },
}
