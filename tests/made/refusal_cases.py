"""Good files, ways to damage them, and what the message of a refusal must say."""

import functools
import json
import re

import pytest
import yaml
from made.project import config

from whyspiking.declared import registry
from whyspiking.declared.strict_yaml import Loader
from whyspiking.errors import UserError

EXPECTED = re.compile(
    r"expected|must (be|match|not|begin)|needs|known keys|is now called|did you mean|is missing",
    re.IGNORECASE,
)
REMEDY = re.compile(
    r"\b(correct|change|mend|add|remove|rename|choose|name|write|take|give|copy|restore|save|set|use|"
    r"move|mount|make)\b",
    re.IGNORECASE,
)
TALK = "goeltz"
ABSENT = object()


def good_config():
    """Of one talk, so that a case costs milliseconds."""
    seeds = [{"experiment": f"{TALK}.few_spikes", "seeds": [0, 1]}]
    return config("default") | {"talks": [TALK], "seeds_of": seeds}


@functools.cache
def _as_json(path):
    return json.dumps(yaml.load(path.read_text(), Loader))


def good_file(name):
    """Content of a talk's file; a change of it changes nothing else."""
    return json.loads(_as_json(registry.FOLDER / TALK / f"{name}.yaml"))


def changed(data, path, value):
    """Copy the content of a file with another value at a path; `ABSENT` removes the key."""
    if not path:
        return value
    # YAML's anchors make the same object appear twice; a round trip separates them.
    content = json.loads(json.dumps(data))
    *parents, key = (int(part) if part.isdigit() else part for part in path.split("."))
    block = content
    for parent in parents:
        block = block[parent]
    if value is ABSENT:
        del block[key]
    else:
        block[key] = value
    return content


def refused_at(run, path, says):
    """Run what must be refused; the message must name the whole path and what is wrong with it."""
    return refused(run, f"'{path or '(top level)'}' {says}")


FILES = {
    "syntax error": (b"scale: [smoke\n", "not valid YAML"),
    "nothing": (b"", "is empty"),
    "a list": (b"- scale\n- smoke\n", "a list"),
    "a word": (b"smoke\n", "'smoke'"),
    "Latin-1": ("scale: smöke\n".encode("latin-1"), "0xf6"),
    "UTF-16": ("scale: smoke\n".encode("utf-16"), "UTF-8"),
    "a key twice": (b"scale: smoke\nseeds: [0]\nscale: paper\n", "'scale'"),
    "a nested key twice": (b"data:\n  words: {words: 3, words: 4}\n", "'words'"),
    "two merges": (b"a: &a {x: 1}\nb: &b {x: 2}\nc: {<<: *a, <<: *b}\n", "key '<<' stands"),
    "a Python object": (b"scale: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
    "an alias of nothing": (b"scale: *smoke\n", "not valid YAML"),
    "two documents": (b"scale: smoke\n---\nscale: paper\n", "not valid YAML"),
    "an impossible date": (b"scale: 2020-13-45\n", "not valid YAML"),
    "a deep nest": (b"[" * 5000 + b"]" * 5000, "not valid YAML"),
    "aliases that explode": (
        b"a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (i + 1, i + 1, b", ".join([b"*%c" % i] * 10))
                   for i in range(97, 106)),
        "aliases",
    ),
    "an alias of itself": (b"a: &a [*a]\n", "aliases"),
    "many values": (b"seeds: [" + b"7, " * 120_000 + b"7]\n", "it holds more than"),
    "no name of a key": (b"scale: smoke\n~: 3\n", "line 2"),
    "an empty key": (b"data: {: 3}\n", "line 1"),
    "a number to the base of sixty": (b"seeds: [0, 1:30]\n", "1:30"),
    "a number to the base of eight": (b"data:\n  words: 010\n", "line 2 holds 010"),
    "too much": (b"# padding\n" * 200_000, "bytes"),
}  # fmt: skip


def refused(run, *phrases):
    """Run what must be refused; the message must have the phrases, an expectation and a remedy."""
    with pytest.raises(UserError) as caught:
        run()
    text = str(caught.value)
    for phrase in phrases:
        assert phrase in text, text
    assert EXPECTED.search(text), text
    assert REMEDY.search(text), text
    return text
