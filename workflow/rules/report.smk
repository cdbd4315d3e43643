"""One executed notebook and page per talk, and one for the question."""

# Those of the package, where the workflow is run as a module from another folder.
NOTEBOOKS = Path("notebooks")
if not NOTEBOOKS.is_dir():
    NOTEBOOKS = code_inputs.PACKAGE.parents[1] / NOTEBOOKS


rule page:
    input:
        notebook=f"{NOTEBOOKS}/{{talk}}.ipynb",
        tables=expand("<results>/{{talk}}/{table}", table=columns.OF_A_TALK),
        exhibits=lambda w: simulated(w.talk, "figure_data.npz"),
        recorded=RECORDED,
        code=lambda w: sources(code_inputs.of_talk(w.talk, "page")),
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
    priority: ORDER.of_talk
    params:
        code=code_of_talk("page"),
        scale=config["scale"],
        results=lambda wildcards, output: Path(output.page).parents[1],
    script:
        "../scripts/page.py"


rule figure:
    input:
        page="<results>/{talk}/report.html",
        code=sources(code_inputs.of_stage("figure")),
    output:
        figure="<results>/{talk}/figures/{figure}.svg",
    log:
        "<results>/logs/figure/{talk}/{figure}.log",
    wildcard_constraints:
        figure="[a-z0-9-]+",
    params:
        code=code_of_stage("figure"),
    script:
        "../scripts/figure.py"


TABLES = (*columns.OF_A_RUN, *columns.BESIDE_THE_RECORD)
PAGES = ("why_spiking.html", "why_spiking.ipynb")
# All that a run has beside its talks.
JOINT = (*TABLES, *PAGES, "manifest.json", "datapackage.json", "slides")


rule report:
    input:
        tables=expand("<results>/{table}", table=TABLES),
        of_talks=expand("<results>/{talk}/{table}", talk=TALKS, table=columns.OF_A_TALK),
        manifest="<results>/manifest.json",
        recorded=RECORDED,
        community=sorted(map(str, Path("exchange/community").glob("*.json"))),
        code=sources(code_inputs.of_stage("page")),
        notebook=f"{NOTEBOOKS}/why_spiking.ipynb",
        pages=expand("<results>/{talk}/report.html", talk=TALKS),
        exhibits=[
            path for talk in COUNTED for path in simulated(talk, "figure_data.npz")
        ],
        shown=reference.list_shown_files(),
        glossary=str(code_inputs.PACKAGE.parents[1] / "docs/glossary.md"),
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
    params:
        code=code_of_stage("page"),
        scale=config["scale"],
        results=lambda wildcards, output: Path(output.page).parent,
    script:
        "../scripts/page.py"


rule slides:
    input:
        page="<results>/why_spiking.html",
        code=sources(code_inputs.of_stage("slides")),
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
    params:
        code=code_of_stage("slides"),
    script:
        "../scripts/slides.py"


for talk in TALKS:

    rule:
        name:
            talk
        input:
            finished(talk),
