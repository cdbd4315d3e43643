"""Data sets: one module per set, each with `fetch` (files) or `generate` (own definition).

May import `declared`, `contract` and below. At a glance: `mnist`, `yinyang`, `ecg`, `nmnist`,
`words` give splits; `speech` makes the words, `event_camera` records.

Sets that consist of files lie in a folder of their own below `data.folder`, with `meta.json`
written last: where they come from, how they were made, the SHA-256 of each file.
`contract.data_folders` names them, `stages.data` fetches or makes them.
"""
