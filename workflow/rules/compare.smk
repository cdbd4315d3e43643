"""Collect the tables of each talk, judge its claims, and put the talks side by side."""


# Seconds of work: no job of a cluster is worth it.
localrules:
    collect,
    compare,


rule collect:
    input:
        metrics=lambda w: simulated(w.talk, "metrics.csv"),
        facts=lambda w: trained(w.talk, "network.json"),
        outcomes=lambda w: trained(w.talk, "outcome.npz"),
        description=lambda w: sources.of_description(w.talk),
        code=sources.of_stage("collect"),
    output:
        metrics="<results>/{talk}/metrics.csv",
        history="<results>/{talk}/history.csv",
        verdicts="<results>/{talk}/verdicts.csv",
    log:
        "<results>/logs/collect/{talk}.log",
    conda:
        ENVIRONMENT
    params:
        config=config,
    script:
        "../scripts/collect.py"


rule compare:
    input:
        metrics=expand("<results>/{talk}/metrics.csv", talk=TALKS),
        verdicts=expand("<results>/{talk}/verdicts.csv", talk=TALKS),
        code=sources.of_stage("compare"),
    output:
        metrics="<results>/metrics.csv",
        verdicts=report(
            "<results>/verdicts.csv",
            caption="../report/verdicts.rst",
            category="Tables",
            labels={"table": "verdicts"},
        ),
        axes=report(
            "<results>/axes.csv",
            caption="../report/axes.rst",
            category="Tables",
            labels={"table": "axes"},
        ),
        manifest="<results>/manifest.json",
        durations="<results>/durations.csv",
        package="<results>/datapackage.json",
    log:
        "<results>/logs/compare.log",
    conda:
        ENVIRONMENT
    params:
        config=config,
    script:
        "../scripts/compare.py"
