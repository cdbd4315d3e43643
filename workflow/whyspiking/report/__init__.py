"""Pages: tables in, words and figures out; computes no interval.

May import everything but `stages` and `export`. At a glance: `run_page.RunPage` and
`talk_page.TalkPage` are what notebooks see, `notebook.make_page` executes them. An argument named
like a table of the run is its rows (`costs`: costs.csv); `talks` are the talks by name and `names`
what figures call them, both in the order of the report.
"""
