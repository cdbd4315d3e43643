"""What the measures T, L, E, R and Q mean: pure functions of outcomes, spikes and numbers.

May import `contract` and below. At a glance: `scoring.measures`, `timing`, `latency`, `counting`
(operations), `accounting` (their cost), `activity` and `population` (what recordings of neurons
are summarised by), `robustness`, `parity`; `statistics` has every interval and p value.
"""
