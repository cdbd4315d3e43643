"""Claims, made up to be judged."""

from whyspiking.verdicts.judge import Claim

SOURCE = {"paper": "p2021", "where": "Table 1"}
DIFFERENCE = {
    "test": "difference",
    "versus": {"variant": "mlp"},
    "accept": {"full": [0.0, None]},
    "source": SOURCE,
}


def claim(**changes) -> Claim:
    base = {
        "id": "goeltz.yinyang.accuracy",
        "role": "key",
        "origin": "published",
        "says": "It works well.",
        "source": {**SOURCE, "value": 0.959},
        "metric": "accuracy",
        "where": {"experiment": "yinyang", "variant": "spiking"},
        "test": "value",
        "better": "larger",
        "accept": {"full": [0.95, None]},
    }
    return Claim(**{**base, **changes})
