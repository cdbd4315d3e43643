"""Claims, made up to be judged."""

from whyspiking.verdicts.judge import Claim

DIFFERENCE = {
    "test": "difference",
    "versus": {"variant": "mlp"},
    "accept": {"default": [0.0, None]},
    "published": {"value": None},
}


def claim(**changes) -> Claim:
    base = {
        "id": "goeltz.yinyang.accuracy",
        "role": "key",
        "origin": "published",
        "says": "It works well.",
        "source": {"paper": "p2021", "where": "Table 1"},
        "metric": "accuracy",
        "where": {"experiment": "yinyang", "variant": "spiking"},
        "published": {"value": 0.959},
        "test": "value",
        "better": "larger",
        "accept": {"default": [0.95, None]},
    }
    return Claim(**{**base, **changes})
