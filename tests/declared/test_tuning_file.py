"""Tables of tuning: a setting of talk.yaml that its table does not support is refused."""

import csv
import json

import pytest
from made.project import config, talk_of

from whyspiking.declared import registry, tuning_file
from whyspiking.declared.config import check_config
from whyspiking.errors import UserError

TALK = talk_of("goeltz")


@pytest.fixture
def path(tmp_path, monkeypatch):
    """A table as the talk has it, to be damaged, in the folder where it is looked for."""
    made = tmp_path / TALK.name / tuning_file.FILE
    made.parent.mkdir()
    made.write_text((TALK.folder / tuning_file.FILE).read_text())
    monkeypatch.setattr(registry, "FOLDER", tmp_path)
    return made


def change(path, column, value, row=0):
    """Replace a value in a row of the table."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row][column] = value
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("accuracy", "nan", "a number from 0 to 1"),
        ("accuracy", "7.3", "a number from 0 to 1"),
        ("accuracy", "", "a number from 0 to 1"),
        ("seed", "1000.5", "a whole number"),
        ("n_hidden", "many", "a positive whole number"),
        ("cpu_seconds", "inf", "a number of seconds"),
        ("setting", "rate 0.1", "a mapping in JSON"),
        ("setting", "[0.1]", "a mapping in JSON"),
    ],
)
def test_a_value_of_another_type_is_refused(path, column, value, expected):
    tuning_file.check_talk(TALK)
    change(path, column, value, row=3)
    with pytest.raises(UserError, match=f"line 5: '{column}' is '.*'; expected {expected}"):
        tuning_file.check_talk(TALK)


def test_a_row_too_many_too_long_or_missing_is_refused(path):
    whole = path.read_text()
    last = whole.splitlines()[-1]
    for damaged, says in (
        (f"{whole}{last}\n", "repeats the network"),
        (f"{whole}{last},1\n", "more values than"),
        (
            whole.removesuffix(f"{last}\n"),
            "1 of 40 networks of shared_randman/spiking are missing.*tune",
        ),
        (whole.replace("accuracy,", "share,", 1), "line 2: 'accuracy' is ''"),
        (whole.replace("experiment,", "place,", 1), "networks of .* are missing"),
        ("", "networks of .* are missing"),
    ):
        path.write_text(damaged)
        with pytest.raises(UserError, match=says):
            tuning_file.check_talk(TALK)
    path.write_bytes(b"experiment,\xff\n")
    with pytest.raises(UserError, match="not a readable table"):
        tuning_file.check_talk(TALK)
    path.unlink()  # as in a talk that is being written
    tuning_file.check_talk(TALK)


def test_a_setting_that_is_not_the_best_is_refused(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    values = TALK.experiments["shared_yinyang"].published
    other = next(
        number
        for number, row in enumerate(rows)
        if row["experiment"] == "shared_yinyang"
        and any(values[key] != value for key, value in json.loads(row["setting"]).items())
    )
    setting = rows[other]["setting"]
    for number, row in enumerate(rows):
        if row["experiment"] == "shared_yinyang" and row["setting"] == setting:
            change(path, "accuracy", "1.0", number)
    with pytest.raises(
        UserError, match=r"shared_yinyang/spiking has .*; expected .*the best setting"
    ):
        tuning_file.check_talk(TALK)


def test_a_run_reads_the_tables_before_its_first_job_but_may_set_another_value(monkeypatch):
    checked = []
    monkeypatch.setattr(tuning_file, "check_talk", lambda talk: checked.append(talk.name))
    given = {
        **config("default"),
        "talks": ["goeltz"],
        "set": {"goeltz.shared_yinyang.learning_rate": 0.5},
    }
    check_config(given)
    assert checked == ["goeltz"]
    monkeypatch.undo()
    check_config(given)
