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
        description=lambda w: sources(code_inputs.of_description(w.talk)),
        recorded=lambda w: [path for path in RECORDED if path.parent.name == w.talk],
        code=sources(code_inputs.of_stage("collect")),
    output:
        verdicts=report(
            "<results>/{talk}/verdicts.csv",
            caption="../report/verdicts.rst",
            category="Tables",
            labels={"talk": "{talk}", "table": "verdicts"},
        ),
        tables=expand(
            "<results>/{{talk}}/{table}",
            table=[
                f
                for f in (*columns.OF_A_TALK, *columns.BESIDE_A_TALK)
                if f != "verdicts.csv"
            ],
        ),
    log:
        "<results>/logs/collect/{talk}.log",
    priority: ORDER.of_talk
    params:
        code=lambda w: code_inputs.list_digests(
            [*code_inputs.of_stage("collect"), *code_inputs.of_description(w.talk)]
        ),
        scale=config["scale"],
        changed=lambda w: overrides.describe_affected(TALKS[w.talk], config["set"]),
    script:
        "../scripts/collect.py"


rule compare:
    input:
        tables=expand("<results>/{talk}/{table}", talk=COUNTED, table=columns.OF_A_TALK),
        ground=expand("<results>/{talk}/metrics.csv", talk=GROUND),
        talks=[
            sources(code_inputs.of_description(talk)) for talk in (*COUNTED, *GROUND)
        ],
        stated=sources(code_inputs.of_joint_tables()),
        recorded=RECORDED,
        code=sources(code_inputs.of_stage("compare")),
    output:
        tables=expand(
            "<results>/{table}",
            table=(*columns.OF_A_RUN, *columns.BESIDE_THE_RECORD),
        ),
        manifest="<results>/manifest.json",
        package="<results>/datapackage.json",
    log:
        "<results>/logs/compare.log",
    params:
        code=lambda w: code_inputs.list_digests(
            code_inputs.of_comparison((*COUNTED, *GROUND))
        ),
        talks=COUNTED,
        ground=GROUND,
        config=DECIDING,
    script:
        "../scripts/compare.py"
