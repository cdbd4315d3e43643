"""Memory of declared learning rules: what is drawn, and who counts as local."""

import numpy as np
import pytest

from whyspiking.declared import registry
from whyspiking.declared.learning_rules import Memory, Rule, Signal
from whyspiking.plots import figures
from whyspiking.plots.figures import style
from whyspiking.report import learning_section, sentences

TALKS = {name: registry.load_talk(name) for name in ("goeltz", "comsa")}
NAMES = {name: sentences.surname(talk) for name, talk in TALKS.items()}


def rule(name, per_step=0, signals=(), applies=("yinyang/spiking",)):
    """A rule that keeps a number per synapse, and `per_step` per neuron in every step."""
    neuron = f"{per_step} * T"
    memory = Memory(synapse="1", neuron=neuron, shared="0", what="sums of inputs")
    # Short names, which no file may have, keep the legends short.
    return Rule.model_construct(
        rule=name, applies=applies, memory=memory, signals=signals, alignment=()
    )


ALL = Signal(what="an error of its own for every synapse", to="synapse", online=True)


def drawn(*rules):
    with style():
        return learning_section.figure({"goeltz": rules, "comsa": ()}, NAMES)


def test_memory_that_grows_rises_and_memory_that_does_not_stays():
    plate = drawn(rule("through time", 2), rule("online"))
    rising, flat = (np.asarray(line.get_ydata(), float) for line in plate.axes[0].get_lines())
    assert rising[-1] == pytest.approx(10_000 + 2 * 100 * 10_000)
    assert (np.diff(rising) > 0).all()
    assert (flat == 10_000).all()
    assert "Goeltz, through time: 1.2e+04 to 2.01e+06" in plate.alt
    assert "Comsa" not in plate.alt  # declares nothing


def test_equal_rules_share_a_line():
    plate = drawn(rule("one"), rule("other"))
    (line,) = plate.axes[0].get_lines()
    assert line.get_label() == "one\nother" and "one and other" in plate.alt


def test_without_declarations_the_figure_says_so():
    with style(), pytest.raises(figures.NotMeasuredError, match="declares"):
        learning_section.figure({"goeltz": ()}, NAMES)
    assert learning_section.sentence({}, TALKS) == ""


def test_talks_are_counted_by_the_rules_of_their_spiking_networks():
    rules = {
        "goeltz": [rule("through time", 1, [ALL]), rule("online")],
        "comsa": [rule("online", applies=["mnist_slow/mlp"])],
    }
    said = learning_section.sentence(rules, TALKS)
    # The rule of comsa's control does not count.
    assert "local and online (M2) in 1 of 1 talks (Goeltz)" in said
    assert "(M1) in 1 (Goeltz)" in said
    grown = learning_section.sentence({"goeltz": [rule("through time", 1, [ALL])]}, TALKS)
    assert "(M2) in 0 of 1 talks," in grown and "(M1) in 0." in grown
