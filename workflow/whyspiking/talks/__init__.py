"""The talks: one folder each; `dispatch.py` finds what fulfils an experiment."""
