"""The article, written from the record: `record`, `text`, `pages`, `release`.

`record` resolves every number of the text to a cell of a table, `text` fills the template
`assets/article.md.j2`, `pages` makes HTML, LaTeX and PDF of it, `release` the files by which others
cite and check it. Enter at `python -m whyspiking_article` (`make article`). May import all of
whyspiking and of whyspiking_maintain, none of which imports this; no run depends on it.
"""
