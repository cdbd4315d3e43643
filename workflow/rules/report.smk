"""One executed notebook and page per talk, and one for the question."""

from pathlib import Path


rule page:
    input:
        notebook="notebooks/{talk}.ipynb",
        metrics="<results>/{talk}/metrics.csv",
        history="<results>/{talk}/history.csv",
        verdicts="<results>/{talk}/verdicts.csv",
        exhibits=lambda w: simulated(w.talk, "exhibits.npz"),
        code=lambda w: sources.of_talk(w.talk, "page"),
    output:
        notebook="<results>/{talk}/report.ipynb",
        page=report(
            "<results>/{talk}/report.html",
            caption="../report/talk.rst",
            category="Talks",
            labels={"talk": "{talk}"},
        ),
    log:
        "<results>/logs/page/{talk}.log",
    conda:
        ENVIRONMENT
    params:
        scale=config["scale"],
        results=lambda wildcards, output: Path(output.page).parents[1],
    script:
        "../scripts/page.py"


rule slides:
    input:
        stories=expand(
            "<results>/{talk}/{table}.csv",
            talk=TALKS,
            table=["metrics", "history", "verdicts"],
        ),
        metrics="<results>/metrics.csv",
        verdicts="<results>/verdicts.csv",
        axes="<results>/axes.csv",
        manifest="<results>/manifest.json",
        code=sources.of_stage("slides"),
    output:
        slides=report(
            directory("<results>/slides"),
            patterns=["{slide}.svg"],
            caption="../report/slides.rst",
            category="Answer",
            labels={"what": "figure", "name": "{slide}"},
        ),
    log:
        "<results>/logs/slides.log",
    conda:
        ENVIRONMENT
    params:
        scale=config["scale"],
        results=lambda wildcards, output: Path(output.slides).parent,
    script:
        "../scripts/slides.py"


rule report:
    input:
        notebook="notebooks/why_spiking.ipynb",
        slides="<results>/slides",
        durations="<results>/durations.csv",
        pages=expand("<results>/{talk}/report.html", talk=TALKS),
        metrics="<results>/metrics.csv",
        verdicts="<results>/verdicts.csv",
        axes="<results>/axes.csv",
        manifest="<results>/manifest.json",
        code=sources.of_stage("page"),
    output:
        notebook="<results>/why_spiking.ipynb",
        page=report(
            "<results>/why_spiking.html",
            caption="../report/answer.rst",
            category="Answer",
            labels={"what": "page", "name": "why_spiking"},
        ),
    log:
        "<results>/logs/report.log",
    conda:
        ENVIRONMENT
    params:
        scale=config["scale"],
        results=lambda wildcards, output: Path(output.page).parent,
    script:
        "../scripts/page.py"


for talk in TALKS:

    rule:
        name:
            talk
        input:
            f"<results>/{talk}/report.html",
