"""Pages: tables in, words and figures out; computes no interval.

May import everything but `stages` and `export`. At a glance: `run_page.RunPage` and
`talk_page.TalkPage` are what notebooks see, `notebook.make_page` executes them.
"""
