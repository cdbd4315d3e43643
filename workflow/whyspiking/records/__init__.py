"""Files that appear whole or not at all, and the tidy tables that all stages exchange.

May import `errors` only. At a glance: `whole_files.write` and `read_json`,
`array_files.save_arrays` and `load_arrays`, `tables.read_metrics` and `write_metrics`; `columns`
and `glossary` say what every column and metric means, `datapackage` writes it beside a finished
run; `reference` reads what is recorded of earlier ones.
"""
