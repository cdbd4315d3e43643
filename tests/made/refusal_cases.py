"""Good files to be damaged, cases of damage, and what a refusal must say."""

import json
import re

import pytest
import yaml
from made import malformed
from made.project import config
from pydantic import TypeAdapter

from whyspiking.declared import claims_file, config_file, registry
from whyspiking.declared.strict_yaml import SchemaOfFile
from whyspiking.errors import UserError

ADAPTERS = {
    "config": TypeAdapter(config_file.Config),
    "talk": TypeAdapter(registry.Talk),
    "claims": claims_file.CLAIMS,
}
SCHEMAS = {
    name: adapter.json_schema(schema_generator=SchemaOfFile) for name, adapter in ADAPTERS.items()
}
EXPECTED = re.compile(
    r"expected|must (be|match|not|begin)|needs|known keys|did you mean|is missing", re.IGNORECASE
)
REMEDY = re.compile(
    r"\b(correct|mend|add|remove|rename|choose|name|write|take|give|copy|restore|save|set|use|"
    r"move|mount|make)\b",
    re.IGNORECASE,
)
TALK = "goeltz"


def good_config():
    """Of one talk, so that a case costs milliseconds."""
    seeds = [{"experiment": f"{TALK}.mnist", "seeds": [0, 1]}]
    return config("default") | {"talks": [TALK], "seeds_of": seeds}


def good_file(name):
    path = registry.FOLDER / TALK / f"{name}.yaml"
    return json.loads(json.dumps(yaml.safe_load(path.read_text())))


def cases(name, data):
    made = list(malformed.mutants(data, SCHEMAS[name]))
    return [pytest.param(mutant, id=mutant.name) for mutant in made]


CONFIGS = cases("config", good_config())
TALKS = cases("talk", good_file("talk"))
CLAIMS = cases("claims", good_file("claims"))


FILES = {
    "syntax error": (b"scale: [smoke\n", "not valid YAML"),
    "tabs": (b"scale:\tsmoke\n\ttalks: a\n", "not valid YAML"),
    "nothing": (b"", "is empty"),
    "comments only": (b"# scale: smoke\n", "is empty"),
    "a list": (b"- scale\n- smoke\n", "a list"),
    "a word": (b"smoke\n", "'smoke'"),
    "Latin-1": ("scale: smöke\n".encode("latin-1"), "0xf6"),
    "UTF-16": ("scale: smoke\n".encode("utf-16"), "UTF-8"),
    "noise": (bytes(range(128, 256)), "0x80"),
    "a zero byte": (b"scale: smo\0ke\n", "not valid YAML"),
    "a key twice": (b"scale: smoke\nseeds: [0]\nscale: paper\n", "'scale'"),
    "a nested key twice": (b"data:\n  words: {words: 3, words: 4}\n", "'words'"),
    "two merges": (b"a: &a {x: 1}\nb: &b {x: 2}\nc: {<<: *a, <<: *b}\n", "key '<<' stands"),
    "a Python object": (b"scale: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
    "an unknown tag": (b"scale: !secret smoke\n", "not valid YAML"),
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


def refused(run, key, value=malformed.ABSENT):
    """Run what must be refused, and check the message."""
    with pytest.raises(UserError) as caught:
        run()
    text = str(caught.value)
    assert key in text, text
    if value is not malformed.ABSENT:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57]
        assert shown in text or str(value) in text, text
    assert EXPECTED.search(text), text
    assert REMEDY.search(text), text
    return text


def written(path, data):
    path.write_text(yaml.dump(data, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))
