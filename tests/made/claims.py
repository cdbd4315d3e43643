"""Claims, made up to be judged."""

from whyspiking.verdicts.judge import Claim

SOURCE = {"publication": "p2021", "source_location": "Table 1"}
DIFFERENCE = {
    "test_type": "difference",
    "compared_with": {"variant": "mlp"},
    "criteria": {"full": [0.0, None]},
    "source": SOURCE,
}


def claim(**changes) -> Claim:
    base = {
        "id": "goeltz.yinyang.accuracy",
        "claim_role": "key",
        "origin": "published",
        "statement": "It works well.",
        "source": {**SOURCE, "value": 0.959},
        "metric": "accuracy",
        "rows": {"experiment": "yinyang", "variant": "spiking"},
        "test_type": "value",
        "better_direction": "larger",
        "criteria": {"full": [0.95, None]},
    }
    return Claim(**{**base, **changes})
