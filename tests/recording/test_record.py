"""Recorded results: of the present code, recorded talk by talk, joined; what is out of date."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from made.project import config as config_of
from made.results import make_results
from snakemake.utils import update_config

from whyspiking.declared import claims_file, registry
from whyspiking.errors import UserError
from whyspiking.recording import __main__ as recording
from whyspiking.recording import inputs, record
from whyspiking.records import columns, finished, tables
from whyspiking.records import reference as records
from whyspiking.records.table_schema import TableSchema
from whyspiking.running import code_inputs, jobs, machine
from whyspiking.stages import compare
from whyspiking.verdicts import recipe, rule

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / records.FOLDER
MODEL = "contract/randomness.py"


@pytest.fixture(scope="module")
def config():
    return inputs.config_of()


@pytest.fixture
def folder(tmp_path):
    """A copy of two recorded talks."""
    copy = tmp_path / "reference"
    for name in ("goeltz", "naud"):
        shutil.copytree(COMMITTED / name, copy / name)
    shutil.copy(COMMITTED / "durations.csv", copy)
    return copy


# ---- what is committed ----------------------------------------------------------------------


def test_every_talk_is_recorded_and_no_number_depends_on_what_changed_since(config):
    assert records.recorded() == sorted(config["talks"])
    inputs.check(records.recorded(), config)


def test_every_talk_is_recorded_with_its_recipe():
    for name in records.recorded():
        manifest = records.manifest(COMMITTED / name)
        assert manifest["recipe"] and recipe.changes(registry.load_talk(name), manifest) == []


def test_joint_tables_are_in_step_with_those_of_the_talks(config, tmp_path):
    run = finished.find(COMMITTED)
    computed = compare.joint(run.metrics, run.talks, config)
    apart = {"durations.csv", "concordance.csv", *columns.OF_THE_REFERENCE}
    assert set(computed) == {p.name for p in COMMITTED.glob("*.csv")} - apart
    for file, table in computed.items():
        tables.write_csv(table, tmp_path / file)
        known = tables.read(COMMITTED / file, columns.OF_A_RUN[file])
        if file == "curves.csv":  # scores along time come from exhibits, which are not recorded
            known = known[known["along"] != "time"].reset_index(drop=True)
        pd.testing.assert_frame_equal(
            tables.read(tmp_path / file, columns.OF_A_RUN[file]),
            known,
            check_exact=False,
            rtol=1e-8,
        )


# ---- what is out of date --------------------------------------------------------------------


def test_layout_comments_and_docstrings_are_no_change(tmp_path):
    def digest(name: str, text: str) -> str:
        (tmp_path / name).write_text(text)
        return code_inputs.digest_of(tmp_path / name)

    plain = digest("a.py", "TAU = 2\ndef f(x):\n    return x + TAU\n")
    told = '"""About."""\nTAU = 2  # ms\n"""A time."""\n\ndef f(x):\n    """Sum."""\n'
    told += "    return (x\n + TAU)"
    assert digest("b.py", told) == plain
    for n, other in enumerate(("TAU = 3", "TAU = 2.0", "TAU = '2'", "TAU: int = 2")):
        assert digest(f"c{n}.py", f"{other}\ndef f(x):\n    return x + TAU\n") != plain
    assert digest("a.cpp", "int x;") != digest("b.cpp", "int x; // a comment")


def changed(folder: Path, **digests: str | None) -> None:
    """Have the manifest of goeltz say that inputs were recorded with other digests, or not."""
    path = folder / "goeltz" / "manifest.json"
    manifest = json.loads(path.read_text())
    for place, digest in digests.items():
        for known in (manifest, *manifest["notes"]):
            known["inputs"].pop(place, None)
        if digest is not None:
            manifest["inputs"][place] = digest
    path.write_text(json.dumps(manifest))


def test_a_change_is_refused_by_talk_file_and_stage_unless_a_note_covers_it(
    folder, config, monkeypatch
):
    both = ["goeltz", "naud"]
    inputs.check(both, config, folder)
    changed(folder, **{MODEL: "0" * 32, "gone.py": "1" * 32, "config: battery": None})
    with pytest.raises(UserError) as refused:
        inputs.check(both, config, folder)
    told = str(refused.value)
    for word in (f"{MODEL} (train)", "gone.py (no longer", "config: battery (simulate)"):
        assert word in told
    assert "goeltz:" in told and "naud:" not in told and "make reference TALK=goeltz" in told

    with pytest.raises(UserError, match="--why"):
        inputs.excuse(both, "why not", config, folder)
    assert inputs.excuse(both, "a message is worded otherwise", config, folder) == ["goeltz"]
    inputs.check(both, config, folder)

    # The note was for that state of the file, not for the next one.
    now = inputs.inputs_of
    later = {MODEL: ("train", "2" * 32)}
    monkeypatch.setattr(inputs, "inputs_of", lambda talk, config: now(talk, config) | later)
    with pytest.raises(UserError, match=rf"goeltz: {MODEL} \(train\)\n"):
        inputs.check(["goeltz"], config, folder)


def test_a_recipe_is_kept_where_the_record_is_that_of_the_present_files(folder, config):
    def kept():
        return "recipe" in records.manifest(folder / "goeltz")

    changed(folder, **{MODEL: "0" * 32})
    path = folder / "goeltz" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest.pop("recipe", None)
    path.write_text(json.dumps(manifest))
    inputs.keep_recipes(["goeltz"], config, folder)
    assert not kept()
    inputs.excuse(["goeltz"], "a message is worded otherwise", config, folder)
    inputs.keep_recipes(["goeltz"], config, folder)
    assert kept()
    inputs.check(["goeltz"], config, folder)


def test_of_yaml_files_only_what_they_say_at_the_recorded_scale_counts(config):
    talk = registry.load_talk("goeltz")
    before = inputs.inputs_of(talk, config)

    def differing(other: registry.Talk, settings=config) -> set[str]:
        after = inputs.inputs_of(other, settings)
        return {place for place in before | after if before.get(place) != after.get(place)}

    def scaled(scale: str) -> registry.Talk:
        one = talk.experiments["yinyang"]
        changes = {"n_hidden": {"value": 7, "why": "a test of digests"}}
        other = {**one.scaled, scale: {**one.scaled.get(scale, {}), **changes}}
        one = one.model_copy(update={"scaled": other})
        return talk.model_copy(update={"experiments": {**talk.experiments, "yinyang": one}})

    assert not differing(scaled("default")) and not differing(scaled("smoke"))
    assert differing(scaled("full")) == {f"talk.yaml: yinyang, {s}" for s in ("train", "simulate")}
    fewer = [own for own in config["seeds_of"] if own["experiment"] != "goeltz.mnist"]
    assert differing(talk, {**config, "seeds_of": fewer}) == {"talk.yaml: mnist, train"}
    assert differing(talk, {**config, "energy": {}}) == {"config: energy"}
    here = {**config["data"], "folder": "elsewhere", "originals_dir": "somewhere"}
    assert not differing(talk, {**config, "data": here})


@pytest.mark.parametrize(
    ("change", "counts"), [({"where": "Table 9"}, False), ({"value": 0.5}, True)]
)
def test_of_the_source_of_a_claim_the_published_number_counts(config, monkeypatch, change, counts):
    talk = registry.load_talk("goeltz")
    before, (first, *others) = inputs.inputs_of(talk, config), inputs.claims_of(talk)
    other = first.model_copy(update={"source": first.source.model_copy(update=change)})
    monkeypatch.setattr(inputs, "claims_of", lambda talk: [other, *others])
    after = inputs.inputs_of(talk, config)
    assert {place for place in before if before[place] != after[place]} == (
        {"claims.yaml"} if counts else set()
    )


# ---- recording ------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path):
    """A made-up run of one talk at full scale, with the time that one job took."""
    run = make_results(tmp_path / "results" / "full", "full", ["goeltz"])
    (run / "durations.csv").unlink()
    (run / "manifest.json").unlink()
    own = run / "goeltz" / "yinyang" / "spiking" / "seed-0"
    own.mkdir(parents=True)
    (own / "benchmark.tsv").write_text("s\tmax_rss\n12.5\t300.0\n")
    log = run / "logs" / "train" / "goeltz" / "yinyang" / "spiking" / "seed-0.log"
    log.parent.mkdir(parents=True)
    log.write_text(jobs.USED.format(total=11.0, start=0.5) + "\n")
    return run


def test_one_talk_is_recorded_beside_the_others(folder, results, monkeypatch):
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    settings = config_of("full")
    others = [(path, path.read_bytes()) for path in (folder / "naud").iterdir()]
    changed(folder, **{MODEL: "0" * 32})
    record.record(["goeltz"], settings, results, folder)

    assert all(path.read_bytes() == content for path, content in others)
    for file, schema in records.TABLES.items():
        recorded, run = (tables.read(of / "goeltz" / file, schema) for of in (folder, results))
        # Ten digits are recorded; a p value of networks that differ much hangs on more.
        pd.testing.assert_frame_equal(recorded, run, check_exact=False, rtol=1e-6)
    made = records.manifest(folder / "goeltz")
    assert made["costs"]["wall_seconds"] == 12.5 and made["notes"] == []
    assert made["config"]["seeds"] == settings["seeds"] and made["scale"] == "full"
    assert made["inputs"][MODEL] == code_inputs.digest_of(code_inputs.PACKAGE / MODEL)
    assert not inputs.stale("goeltz", settings, folder)

    durations = records.table(folder / "durations.csv", columns.DURATIONS)
    before = records.table(COMMITTED / "durations.csv", columns.DURATIONS)
    recorded = durations[(durations["talk"] == "goeltz") & (durations["scale"] == "full")]
    (own,) = recorded.to_dict("records")
    assert (own["seconds"], own["cpu_seconds"], own["unit"]) == (12.5, 11.0, 1.25)
    assert (durations["talk"] != "goeltz").sum() == (before["talk"] != "goeltz").sum()
    run = finished.find(folder)
    assert run.talks == ["naud", "goeltz"] == run.parity["talk"].unique().tolist()
    assert not list(folder.rglob(".*")), "git keeps them: no seal"
    described = json.loads((folder / "datapackage.json").read_text())
    names = {resource["name"] for resource in described["resources"]}
    assert {"metrics-goeltz", "metrics-naud", "verdicts-goeltz", "axes", "durations"} <= names


def test_experiments_that_were_run_by_themselves_are_added(folder, smoke_run, monkeypatch):
    """Their rows, claims and durations; everything else of the record stays as it was."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(machine, "unit", lambda build_folder: 1.25)
    run = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    update_config(run, yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text()))
    added = "shared_randman"

    def others(file: str, schema: TableSchema) -> pd.DataFrame:
        table = records.table(folder / "goeltz" / file, schema)
        named = "experiment" if "experiment" in table else "claim"
        kept = table[~table[named].str.contains(added)]
        return kept.drop(columns="p_holm", errors="ignore").reset_index(drop=True)

    tabled = (("metrics.csv", columns.METRICS), ("energy.csv", columns.ENERGY))
    before = [others(file, schema) for file, schema in tabled]
    record.add("goeltz", [added], run, smoke_run / "results" / "smoke", folder)
    for (file, schema), old in zip(tabled, before, strict=True):
        pd.testing.assert_frame_equal(others(file, schema), old, rtol=1e-8)
    metrics = records.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    own = metrics[metrics["experiment"] == added]
    assert {"accuracy", "equal_decisions", "train_seconds"} <= set(own["metric"])
    timed = records.table(folder / "durations.csv", columns.DURATIONS)
    assert (timed["experiment"] == added).any() and (timed["talk"] == "naud").any()
    note = records.manifest(folder / "goeltz")["notes"][-1]
    assert added in note["why"] and f"talk.yaml: {added}, train" in note["inputs"]

    record.add("goeltz", [added], run, smoke_run / "results" / "smoke", folder)
    again = records.table(folder / "goeltz" / "metrics.csv", columns.METRICS)
    pd.testing.assert_frame_equal(again, metrics)
    with pytest.raises(UserError, match=r"metrics\.csv: is not there; expected a finished run"):
        record.add("goeltz", [added], run, smoke_run / "results" / "none", folder)

    def stood_in(talk, where):
        """As if the networks of all experiments said that their data were made up."""
        made_up = {
            name: e.model_copy(
                update={"data": e.data.model_copy(update={"provenance": "simulated"})}
            )
            for name, e in talk.experiments.items()
        }
        return talk.model_copy(update={"experiments": made_up})

    monkeypatch.setattr(registry, "as_measured", stood_in)
    record.add("goeltz", ["yinyang"], run, smoke_run / "results" / "smoke", folder)
    verdicts = records.table(folder / "goeltz" / "verdicts.csv", columns.VERDICTS)
    talk = registry.load_talk("goeltz")
    of = {c.id: c.where["experiment"] for c in claims_file.load(talk.folder / "claims.yaml", talk)}
    own = verdicts["claim"].map(of) == "yinyang"
    assert own.any()
    assert ((verdicts["data"] == "simulated") == own).all()


def test_seeds_that_no_run_has_leave_the_record_and_their_contrasts_with_them(config, monkeypatch):
    talk = registry.load_talk("naud")
    whole = records.table(COMMITTED / "naud" / "metrics.csv", columns.METRICS)
    assert record._still_run(whole, talk).equals(whole)
    fewer = [{"experiment": "naud.xor", "seeds": [0, 1]}]
    monkeypatch.setattr(inputs, "config_of", lambda: {**config, "seeds_of": fewer})
    kept = record._still_run(whole, talk)
    of_xor, before = (rows[rows["experiment"] == "xor"] for rows in (kept, whole))
    assert set(of_xor["seed"]) == {0, 1} < set(before["seed"])
    assert (kept["metric"] == "energy").any() and (kept["metric"] == "accuracy").any()
    energies = [rows[rows["metric"] == "energy"] for rows in (of_xor, before)]
    assert set(energies[0]["seed"]) == {0, 1} < set(energies[1]["seed"])
    same = [rows[rows["experiment"] == "mnist"].reset_index(drop=True) for rows in (kept, whole)]
    pd.testing.assert_frame_equal(*same)


def test_recorded_words_fit_the_recorded_data():
    """Also where the claims of a talk were judged again, with experiments that came later."""
    verdicts = finished.find(records.FOLDER).verdicts
    whole = verdicts[verdicts["verdict"] == rule.REPLICATED]
    assert 0 < whole["data"].isin(rule.STAND_INS).sum() < len(whole)
    for row in whole.to_dict("records"):
        assert ("stand-in" in row["label"]) == (row["data"] in rule.STAND_INS), row["claim"]
    weakened = verdicts["note"].str.contains("Holm")
    assert not verdicts.loc[weakened, "verdict"].isin([rule.REPLICATED, rule.HOLDS]).any()


def test_another_scale_and_an_edited_table_are_refused(folder, results):
    with pytest.raises(UserError, match="scale 'default'; expected 'full'"):
        record.record(["goeltz"], config_of("default"), results, folder)
    path = results / "goeltz" / "verdicts.csv"
    path.write_text(path.read_text().replace("not replicated", "replicated", 1) + "\n")
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    with pytest.raises(UserError, match=r"verdicts\.csv: it is not what the run wrote"):
        record.record(["goeltz"], config_of("full"), results, folder)
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


def test_the_command_line_names_talks_that_are_recorded(capsys):
    assert recording.main(["check", "gortz"]) == 1
    assert "talk 'gortz' is not recorded" in capsys.readouterr().err
    assert recording.main(["check", "goeltz"]) == 0


def test_scores_along_time_stay_where_the_run_at_hand_has_none_or_fewer_networks(tmp_path):
    def line(variant, seeds, mean):
        place = {"talk": "goeltz", "experiment": "yinyang", "variant": variant, "along": "time"}
        return [{**place, "at": at, "mean": mean, "seeds": seeds} for at in (0.0, 1.0)]

    known = columns.CURVES.table([*line("spiking", 5, 0.9), *line("few", 1, 0.5)])
    tables.write_csv(known, tmp_path / "curves.csv")
    size = [{**line("spiking", 5, 0.8)[0], "along": "parameters"}]
    fresh = columns.CURVES.table([*size, *line("spiking", 1, 0.1), *line("few", 3, 0.6)])
    kept = record._with_times(fresh, tmp_path / "curves.csv")
    means = kept[kept["along"] == "time"].groupby("variant")["mean"].agg(list).to_dict()
    assert means == {"spiking": [0.9, 0.9], "few": [0.6, 0.6]}
    assert (kept["along"] == "parameters").sum() == 1
