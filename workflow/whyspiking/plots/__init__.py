"""What all figures share: size, colours, captions, and SVG that a page can hold.

May import `measures`, `contract` and below. No number depends on it. At a glance: `figures.Plate`,
`svg.inline`, `perturbation_curves`.
"""
