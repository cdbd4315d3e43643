"""Learning that several talks share: gradients, matched controls, exact first-spike times.

May import `contract` and below; no measure, so that a change of one trains nothing again. At a
glance: `gradient.fit`, `controls.train`, `products.product`, `history.History`, `first_spike`.
"""
