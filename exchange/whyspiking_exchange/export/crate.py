"""A finished run as a Workflow Run RO-Crate: `python -m whyspiking.export crate results/default`.

`ro-crate-metadata.json` says in linked data which workflow at which commit made which files, from
which configuration and data, with which versions. The crate is the project's folder, so that the
workflow is a part of it. An archive of the folder with this file is a self-contained deposit. The
package rocrate writes the linked data. Profiles: Process and Workflow Run Crate 0.5 (Leo et al.
2024), Workflow RO-Crate 1.0, on RO-Crate 1.1, the version that these profiles extend.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

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
PAGES = {
    "why_spiking.html": "The report: all talks, and the answer.",
    "report.html": "The report as a page.",
    "manifest.json": "How the tables were made: commit, configuration, versions, machine, data.",
    "datapackage.json": "The tables as a Frictionless Data Package.",
}
"""Files of a run that the crate describes besides the tables."""
MEDIA = {
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
}
NEEDED = ("commit", "config_sha256", "data", "machine", "python", "scale", "uncommitted_changes")
"""Keys of a manifest that the crate repeats."""


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
    metadata = describe(run, project).metadata.generate()
    text = json.dumps(metadata, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    with whole_files.replacing(project / NAME) as partial:
        partial.write_text(text, encoding="utf-8")
    return project / NAME


def describe(run: Path, project: Path = Path()) -> ROCrate:
    """Describe a run and the workflow that made it as a crate.

    Args:
        run: Folder of the run.
        project: Folder of the project.

    Raises:
        UserError: As `write`.
    """
    if not (project / WORKFLOW).is_file() or not run.resolve().is_relative_to(project.resolve()):
        raise UserError(
            f"{run}: this folder is not inside a folder with {WORKFLOW}; expected a run of this "
            "project. Change to the project's folder and name results/<scale>"
        )
    opened = finished.find(run)
    if lacking := [key for key in NEEDED if key not in opened.manifest]:
        raise UserError(
            f"{opened.folder}/manifest.json: {', '.join(lacking)} is missing; expected the "
            "manifest of a finished run. Delete the file and rerun snakemake"
        )
    project = project.resolve()
    run = opened.folder.resolve()
    cited = read_yaml(project / "CITATION.cff")
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append("https://w3id.org/ro/terms/workflow-run/context")
    authorship = {
        "license": _add(
            crate,
            f"https://spdx.org/licenses/{cited['license']}",
            "CreativeWork",
            name=str(cited["license"]),
        ),
        "author": [
            _add(crate, f"#author-{number}", "Organization", name=author["name"])
            for number, author in enumerate(cited["authors"], 1)
        ],
    }
    workflow = crate.add_workflow(
        project / WORKFLOW,
        WORKFLOW,
        main=True,
        lang="snakemake",
        properties={"name": cited["title"], "version": str(cited["version"]), **authorship},
    )
    read_me = _add_file(crate, project / "README.md", project, "The project.")
    read_me["about"] = crate.root_dataset
    action = _add_action(crate, workflow, opened.manifest, run, project)
    place = run.relative_to(project)
    described = {
        "name": cited["title"],
        "description": f"{cited['abstract']} This crate describes the run {place.as_posix()}.",
        # By default rocrate takes the present time, and each export of a run would differ.
        "datePublished": action["endTime"],
        "keywords": ", ".join(cited["keywords"]),
        "conformsTo": [
            _add(crate, at, "CreativeWork", name=name, version=at.rpartition("/")[2])
            for at, name in PROFILES.items()
        ],
        "mentions": [action],
        **authorship,
    }
    for key, value in described.items():
        crate.root_dataset[key] = value
    return crate


def _add_action(
    crate: ROCrate, workflow: Any, manifest: dict[str, Any], run: Path, project: Path
) -> Any:
    """Add what the manifest says was done, and the files, data and software that it names.

    Args:
        crate: The crate.
        workflow: The entity of the workflow.
        manifest: Content of `manifest.json`.
        run: Folder of the run, resolved.
        project: Folder of the project, resolved.

    Returns:
        The entity of the action.
    """
    scale = manifest["scale"]
    written = datetime.fromtimestamp((run / "manifest.json").stat().st_mtime, UTC)
    changed = ", with changes that were not committed" if manifest["uncommitted_changes"] else ""
    command = manifest.get("command", f"snakemake --configfile config/{scale}.yaml")
    config = [project / FOLDER / name for name in (*FILES, f"{scale}.yaml")]
    used = [_add_file(crate, x, project, "Configuration.") for x in config if x.is_file()]
    for name, facts in sorted(manifest["data"].items()):
        digests = [f"{file} sha256:{digest}" for file, digest in sorted(facts["sha256"].items())]
        used.append(
            _add(
                crate,
                f"#data-{name}-{hashlib.sha256(' '.join(digests).encode()).hexdigest()[:12]}",
                "CreativeWork",
                name=name,
                description=f"Data set, {facts['provenance']}.",
                identifier=digests,
            )
        )
    versions = {**manifest["versions"], "python": manifest["python"]}
    software = [
        _add(crate, f"#{x}-{version}", "SoftwareApplication", name=x, softwareVersion=version)
        for x, version in sorted(versions.items())
    ]
    results = [_add_file(crate, path, project, says) for path, says in _find_results(run)]
    return crate.add_action(
        workflow,
        f"#run-{'-'.join(run.relative_to(project).parts)}",
        object=used,
        result=results,
        properties={
            "name": f"all talks at scale {scale}",
            "description": f"{command}; commit {manifest['commit']}{changed}; configuration sha256:"
            f"{manifest['config_sha256']}; processor {manifest['machine']['cpu']}",
            "endTime": manifest.get("date", written.isoformat(timespec="seconds")),
            "softwareRequirements": software,
        },
    )


def _find_results(run: Path) -> Iterator[tuple[Path, str]]:
    """Tables and pages of a run and of the talks in it, each with what it holds."""
    schemas = {**OF_A_RUN, **OF_A_TALK, **OF_THE_REFERENCE}
    says = PAGES | {name: schema.says for name, schema in schemas.items()}
    for folder in (run, *(path for path in sorted(run.iterdir()) if path.is_dir())):
        for path in sorted(folder.glob("*")):
            if (name := path.name.removesuffix(tables.PACKED)) in says:
                yield path, says[name]


def _add(crate: ROCrate, identifier: str, kind: str, /, **properties: Any) -> Any:
    """Add an entity that is no file of the crate, and return it."""
    return crate.add(ContextEntity(crate, identifier, {"@type": kind, **properties}))


def _add_file(crate: ROCrate, path: Path, project: Path, description: str) -> Any:
    """Add a file of the project with its size and SHA-256, and return its entity."""
    content = path.read_bytes()
    return crate.add_file(
        path,
        path.relative_to(project),
        properties={
            "name": path.name,
            "description": description,
            "contentSize": str(len(content)),
            "sha256": hashlib.sha256(content).hexdigest(),
            "encodingFormat": MEDIA[path.suffix],
        },
    )
