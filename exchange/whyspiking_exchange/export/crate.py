"""A finished run as a Workflow Run RO-Crate: `python -m whyspiking.export crate results/default`.

`ro-crate-metadata.json` says in linked data which workflow at which commit made which files, from
which configuration and data, with which versions. The crate is the project's folder, so that the
workflow is a part of it; an archive of both is a self-contained deposit. Profiles: Process and
Workflow Run Crate 0.5 (Leo et al. 2024), Workflow RO-Crate 1.0, on RO-Crate 1.1.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from whyspiking.declared.config import FILES, FOLDER
from whyspiking.declared.strict_yaml import read_yaml
from whyspiking.errors import UserError
from whyspiking.records import finished, tables, whole_files
from whyspiking.records.columns import OF_A_RUN, OF_A_TALK, OF_THE_REFERENCE

NAME = "ro-crate-metadata.json"
WORKFLOW = "workflow/Snakefile"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
LICENSES = "https://spdx.org/licenses/"
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
PAGES = {
    "why_spiking.html": "The report: all talks, and the answer.",
    "report.html": "The report as a page.",
    "manifest.json": "How the tables were made: commit, configuration, versions, machine, data.",
    "datapackage.json": "The tables as a Frictionless Data Package.",
}
"""What is described beside the tables."""
MEDIA = {
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
}

type Entity = dict[str, Any]

DESCRIPTOR: Entity = {
    "@id": NAME,
    "@type": "CreativeWork",
    "about": {"@id": "./"},
    "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": list(PROFILES)[-1]}],
}
SNAKEMAKE: Entity = {
    "@id": LANGUAGE,
    "@type": "ComputerLanguage",
    "name": "Snakemake",
    "identifier": {"@id": "https://doi.org/10.12688/f1000research.29032.2"},
    "url": {"@id": "https://snakemake.readthedocs.io"},
}


NEEDED = ("commit", "config_sha256", "data", "machine", "python", "scale", "uncommitted_changes")
"""Keys of a manifest that a crate tells."""


def write(run: Path, project: Path = Path()) -> Path:
    """Write `ro-crate-metadata.json` for a run into the project's folder, whole or not at all.

    Args:
        run: `results/<scale>`, or `results/reference`.
        project: The project's folder, in which the run lies.

    Returns:
        The file.

    Raises:
        UserError: If the run has no manifest, or does not lie in a folder of this project.
    """
    text = json.dumps(describe(run, project), indent=1, ensure_ascii=False) + "\n"
    with whole_files.replacing(project / NAME) as partial:
        partial.write_text(text, encoding="utf-8")
    return project / NAME


def describe(run: Path, project: Path = Path()) -> Entity:
    """The crate of a run, as `write` writes it.

    Args:
        run: Folder of the run.
        project: Folder of the project.

    Raises:
        UserError: As `write`.
    """
    if not (project / WORKFLOW).is_file() or not run.resolve().is_relative_to(project.resolve()):
        raise UserError(
            f"{run}: does not lie in a folder with {WORKFLOW}; expected a run of this project; "
            "change to the project's folder and name results/<scale>"
        )
    opened = finished.find(run)
    run = opened.folder
    cited = read_yaml(project / "CITATION.cff")
    if lacking := [key for key in NEEDED if key not in opened.manifest]:
        raise UserError(
            f"{run}/manifest.json: {', '.join(lacking)} is missing; expected what a finished run "
            "writes; delete the file and rerun snakemake"
        )
    action, needed = _action(opened.manifest, run, project)
    others = {entity["@id"]: entity for entity in needed}
    files = {e["@id"]: e for e in others.values() if e["@type"] == "File"}
    read_me = {**_file(project / "README.md", project, "The project."), "about": {"@id": "./"}}
    authors = [
        {"@id": f"#author-{number}", "@type": "Organization", "name": author["name"]}
        for number, author in enumerate(cited["authors"], 1)
    ]
    license_id = f"{LICENSES}{cited['license']}"
    workflow = {
        "@id": WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": cited["title"],
        "version": str(cited["version"]),
        "license": {"@id": license_id},
        "author": _refs(authors),
        "programmingLanguage": {"@id": LANGUAGE},
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": cited["title"],
        "description": f"{cited['abstract']} This crate describes the run {_at(run, project)}.",
        "datePublished": action["endTime"],
        "license": {"@id": license_id},
        "keywords": ", ".join(cited["keywords"]),
        "author": _refs(authors),
        "conformsTo": [{"@id": profile} for profile in PROFILES],
        "mainEntity": {"@id": WORKFLOW},
        "hasPart": _refs([workflow, read_me, *files.values()]),
        "mentions": _refs([action]),
    }
    terms = {"@id": license_id, "@type": "CreativeWork", "name": str(cited["license"])}
    profiles = [
        {"@id": at, "@type": "CreativeWork", "name": name, "version": at.rpartition("/")[2]}
        for at, name in PROFILES.items()
    ]
    rest = [entity for entity in others.values() if entity["@id"] not in files]
    graph = [DESCRIPTOR, root, workflow, read_me, SNAKEMAKE, terms, *authors, *profiles, action]
    return {
        "@context": [
            "https://w3id.org/ro/crate/1.1/context",
            "https://w3id.org/ro/terms/workflow-run/context",
        ],
        "@graph": [*graph, *files.values(), *rest],
    }


def _action(manifest: Mapping[str, Any], run: Path, project: Path) -> tuple[Entity, list[Entity]]:
    """What the manifest says was done, and the entities that it refers to."""
    seconds = (run / "manifest.json").stat().st_mtime
    at = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    scale = manifest["scale"]
    config = [project / FOLDER / name for name in (*FILES, f"{scale}.yaml")]
    used = [_file(file, project, "Configuration.") for file in config if file.is_file()]
    data = [_data(name, facts) for name, facts in sorted(manifest["data"].items())]
    software = [
        {
            "@id": f"#{name}-{version}",
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": version,
        }
        for name, version in sorted({**manifest["versions"], "python": manifest["python"]}.items())
    ]
    folders = [run, *(path for path in sorted(run.iterdir()) if path.is_dir())]
    results = [e for folder in folders for e in _results(folder, project)]
    changed = ", with changes that were not committed" if manifest["uncommitted_changes"] else ""
    command = manifest.get("command", f"snakemake --configfile config/{scale}.yaml")
    action = {
        "@id": f"#run-{_at(run, project).replace('/', '-')}",
        "@type": "CreateAction",
        "name": f"all talks at scale {scale}",
        "description": f"{command}; commit {manifest['commit']}{changed}; configuration sha256:"
        f"{manifest['config_sha256']}; processor {manifest['machine']['cpu']}",
        "endTime": manifest.get("date", at),
        "instrument": {"@id": WORKFLOW},
        "object": _refs([*used, *data]),
        "result": _refs(results),
        "softwareRequirements": _refs(software),
    }
    return action, [*used, *data, *software, *results]


def _data(name: str, facts: Mapping[str, Any]) -> Entity:
    """A data set that the run made or fetched; it is no part of the crate."""
    digests = [f"{file} sha256:{digest}" for file, digest in sorted(facts["sha256"].items())]
    return {
        "@id": f"#data-{name}-{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:12]}",
        "@type": "CreativeWork",
        "name": name,
        "description": f"Data set, {facts['provenance']}.",
        "identifier": digests,
    }


def _results(folder: Path, project: Path) -> Iterator[Entity]:
    """The tables and pages among the files of a folder."""
    for path in sorted(folder.glob("*")):
        if path.name in PAGES:
            yield _file(path, project, PAGES[path.name])
        elif schema := {**OF_A_RUN, **OF_A_TALK, **OF_THE_REFERENCE}.get(
            path.name.removesuffix(tables.PACKED)
        ):
            yield _file(path, project, schema.says)


def _file(path: Path, project: Path, says: str) -> Entity:
    content = path.read_bytes()
    return {
        "@id": _at(path, project),
        "@type": "File",
        "name": path.name,
        "description": says,
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "encodingFormat": MEDIA[path.suffix],
    }


def _at(path: Path, project: Path) -> str:
    return path.resolve().relative_to(project.resolve()).as_posix()


def _refs(entities: Iterable[Entity]) -> list[dict[str, str]] | dict[str, str]:
    """References to some entities; to one without a list around it, as JSON-LD is compacted."""
    found = [{"@id": entity["@id"]} for entity in entities]
    return found[0] if len(found) == 1 else found
