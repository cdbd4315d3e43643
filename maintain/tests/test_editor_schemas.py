"""The JSON schemas for editors: in step with the models, named by the files, fulfilled by them."""

import json
import re
from pathlib import Path

import pytest
import yaml

from whyspiking.declared import config, registry
from whyspiking_maintain import editor_schemas

ROOT = Path(__file__).parents[2]
CONFIG = [ROOT / config.FOLDER / name for name in config.FILES]
FILES = [*CONFIG, *sorted(registry.FOLDER.glob("[a-z]*/*.yaml"))]


@pytest.mark.parametrize("name", editor_schemas.FILES)
def test_schemas_say_what_the_models_say(name):
    written = ROOT / editor_schemas.FOLDER / f"{name}.schema.json"
    assert written.read_text(encoding="utf-8") == editor_schemas.schema(name), "run: make schemas"


def undescribed(schema, root, place=""):
    """Properties that say nothing, neither themselves nor by the model that they are."""
    for name, own in schema.get("properties", {}).items():
        model = root["$defs"].get(own.get("$ref", "").rpartition("/")[2], {})
        if not (own.get("description") or model.get("description")):
            yield f"{place}.{name}"


@pytest.mark.parametrize("name", editor_schemas.FILES)
def test_every_property_has_a_description_that_editors_show(name):
    root = json.loads(editor_schemas.schema(name))
    found = [*undescribed(root, root, name)]
    for model, own in root["$defs"].items():
        found += undescribed(own, root, model)
    assert found == [], "add a line to 'Attributes' of the model, or a row to config/README.md"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_files_name_the_schema_that_they_fulfil(path):
    jsonschema = pytest.importorskip("jsonschema")
    text = path.read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(\S+)\n", text)
    assert named is not None
    schema = (path.parent / named[1]).resolve()
    kind = "config" if path in CONFIG else path.stem
    assert schema == ROOT / editor_schemas.FOLDER / f"{kind}.schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(yaml.safe_load(text))
