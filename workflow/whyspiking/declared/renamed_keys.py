"""Keys of YAML files that had another name until version 3."""

from __future__ import annotations

from collections.abc import Collection

NEW_NAMES: dict[str, dict[str, str]] = {
    "config.yaml": {
        "battery": "robustness_tests",
        "parity": "agreement",
        "trials": "n_trials",
        "records": "n_labelled_trials",
        "draws": "n_perturbations",
        "parity_trials": "n_agreement_trials",
        "decoder_trials": "n_decoder_trials",
    },
    "claims.yaml": {
        "role": "claim_role",
        "says": "statement description",
        "paper": "publication",
        "where": "source_location rows",
        "spread": "standard_deviation",
        "seeds": "n_seeds",
        "recalled": "quoted_from_memory",
        "released": "released_artefact",
        "versus": "compared_with",
        "test": "test_type",
        "better": "better_direction",
        "accept": "criteria",
        "earlier": "earlier_evaluations",
        "band": "criterion",
        "why": "criterion_reason reason",
    },
    "talk.yaml": {
        "cite": "citation",
        "why": "reason",
        "papers": "publications",
        "tau_char": "characteristic_time",
        "what": "description",
        "of_training": "training_parameters",
        "learning": "learning_rules",
        "rule": "learning_rule",
        "applies": "networks",
        "to": "recipient",
        "of": "network",
        "takes_no_part": "excluded_tasks",
        "counted": "is_talk",
        "kind": "task_type",
        "labelled": "n_labelled",
        "key": "data_set",
        "provenance": "data_source",
        "states": "extra_states",
        "battery": "robustness_tests",
        "shared": "shared_task",
        "tuned": "tuning_grids",
        "scaled": "scale_overrides",
        "role": "variant_role",
        "says": "description",
        "first_seeds": "max_seeds",
        "is": "network",
        "hidden": "hidden_layers",
        "sees": "input",
        "settings": "parameter_overrides",
        "learns": "trained_here",
        "recovers": "recovers_loss_of",
    },
    "protocol.yaml": {
        "changed": "amendments",
        "decides": "solution_threshold",
        "reference": "reference_baseline",
        "floors": "baselines baseline_expectations",
        "reads": "input",
        "says": "description",
        "asks": "question",
        "cheat": "shortcut",
        "known": "known_result",
        "veto": "must_fail",
        "high": "may_exceed_chance",
        "built": "hand_designed",
        "unknown": "no_network_known",
        "kind": "unit_type unit_model",
        "least": "min_accuracy",
        "distinct": "n_distinct",
        "shown": "presentations_per_trial",
        "part": "chunk_size",
        "prices": "spike_penalties",
        "tuned_at": "n_hidden_tuning",
        "recorded": "n_hidden",
        "why": "reason criterion_reason",
        "changes": "change_threshold",
        "loses": "max_accuracy_loss",
        "chosen": "chosen_settings",
        "reading": "comparison_rules",
        "place": "implementation",
        "units": "n_hidden",
        "only": "setting_filter",
        "of": "cell",
        "versus": "compared_with",
        "at": "n_distinct",
        "band": "criterion",
    },
    "abstract.yaml": {
        "sentences": "n_sentences",
        "says": "statement",
        "in_short": "short_statement",
        "differs": "deviations",
    },
    "after.yaml": {"came": "later_works", "says": "summary", "cite": "citation"},
    "biology.yaml": {
        "cite": "citation",
        "stimuli": "stimulus_populations",
        "used": "value",
        "low": "minimum",
        "high": "maximum",
        "where": "description",
        "link": "url",
        "read": "known_from",
        "time": "time_scaling",
    },
    "task.yaml": {
        "says": "description",
        "asks": "question",
        "scaled": "scale_overrides",
        "why": "reason",
    },
}
"""File -> old name -> new name. An old name with several meanings has several new names."""


def new_name(file: str, key: str, known: Collection[str]) -> str:
    """Return the new name of a key, or an empty string if the key was not renamed.

    Args:
        file: Path of the YAML file, or a text that names it.
        key: Its old name.
        known: Keys that are allowed at this place, to choose one of several new names.
    """
    of_file = next((names for name, names in NEW_NAMES.items() if name in file), {})
    names = of_file.get(key, "").split()
    return next((name for name in names if name in known), "")
