"""Reference networks of the ground: families of units that are trained by one recipe.

`units` says what a network is and runs it, `learning` trains many at once, `answering` lets one
answer and counts what it does, `replaying` describes it for Brian2.
"""
