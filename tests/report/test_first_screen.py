"""The answer on one screen: what may be called bought, and what may not."""

import re

import pytest
from made.common_ground import CONFIG, experiment, metrics, talk
from made.measured import table

from whyspiking.records import columns
from whyspiking.report import first_screen, html
from whyspiking.report.same_task_rows import Ground
from whyspiking.verdicts import common_ground, programme
from whyspiking.verdicts.prices import NOT_EQUAL

HOME = experiment("home", "randman", ["mlp", "random_hidden"])
CONTROL = [*metrics(HOME, "mlp", [0.900, 0.902, 0.898])]
FREE = columns.PRICES.table([])
"""Nothing has a price."""
WORDINGS = {
    "win": (
        [0.960, 0.962, 0.958],
        "Accuracy in 1 of 1 comparisons",
        "number of settings tried: Made on Randman",
    ),
    "lose": ([0.800, 0.803, 0.797], "No accuracy: in none of 1", "is worse: 1 of 1 on Randman"),
    "equal": ([0.9005, 0.903, 0.8985], "No accuracy: in none of 1", "equal within 2 points: Made"),
    "undecided": ([0.80, 0.99, 0.90], "No accuracy: in none of 1", "1 comparison with spikes is"),
    "unmatched": ([0.96, 0.962, 0.958], "Nothing can be called bought", "1 (no matched control)"),
}
"""Case -> accuracies, wording of the first sentence, and of the one that tells it."""


def told(scores, *, control=True):
    own = experiment("made", "randman", ["spiking"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    floor = metrics(HOME, "random_hidden", [0.70, 0.71, 0.69])
    beside = CONTROL if control else []
    measured = table(beside, floor, metrics(own, "spiking", scores, train_cpu_seconds=60.0))
    shared = common_ground.matrix(measured, talks, CONFIG)
    plan = programme.of(shared, measured, talks, CONFIG)
    found = first_screen.words(Ground(shared, talks), [], plan, FREE, CONFIG["shared"]["delta"], {})
    return " ".join(re.sub(r"<[^>]+>", "", found).split())


@pytest.mark.parametrize("case", WORDINGS)
def test_made_up_tables_give_each_its_wording(case):
    scores, *expected = WORDINGS[case]
    said = told(scores, control=case != "unmatched")
    for words in expected:
        assert words in said, said
    others = {words[-1] for name, words in WORDINGS.items() if name != case}
    assert not [words for words in others if words in said], said


def test_an_undecided_comparison_comes_with_what_would_decide_it():
    said = told([0.88, 0.915, 0.90])
    assert re.search(r"Cheapest to decide: Made on Randman, by \d+ seeds \(3 so far\)", said)
    assert "Cheapest to decide" not in told([0.96, 0.962, 0.958])


def test_a_run_without_shared_tasks_says_that_nothing_is_known():
    none = Ground(columns.SHARED.table([]), {})
    said = first_screen.words(none, [], columns.PROGRAMME.table([]), FREE, 0.02, {})
    assert "Nothing can be called bought" in said and "is worse" not in said


def test_chance_beside_chance_is_left_out_and_the_twin_is_told():
    own = experiment("made", "randman", ["spiking", "graded"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    guess = metrics(HOME, "mlp", [0.10, 0.11, 0.09])
    best = metrics(HOME, "random_hidden", [0.9, 0.9, 0.9])
    spikes, twin = [0.12, 0.13, 0.14], [0.10, 0.11, 0.12]
    measured = table(guess, best, metrics(own, "spiking", spikes), metrics(own, "graded", twin))
    shared = common_ground.matrix(measured, talks, CONFIG)
    plan = programme.of(shared, measured, talks, CONFIG)
    assert plan.empty, "nobody needs to know which of two guesses is the better one"
    found = first_screen.words(Ground(shared, talks), [], plan, FREE, CONFIG["shared"]["delta"], {})
    said = " ".join(re.sub(r"<[^>]+>", "", found).split())
    assert "Nothing can be called bought: no comparison" in said and "counts." in said
    assert "Not counted: 1 (neither half-way from guessing to the best)." in said
    assert "its graded twin" in said and "better in 1 (Made on Randman)" in said


def test_energy_is_counted_by_one_rule_for_both_sides_and_what_is_not_counted_is_told():
    words = {"cheaper": 3, "dearer": 2, "depends": 1}
    rows = [{"counted": "yes", "energy": word} for word, n in words.items() for _ in range(n)]
    rows += [{"counted": NOT_EQUAL, "energy": "cheaper"}] * 4 + [{"counted": "", "energy": "x"}]
    ground, plan = Ground(columns.SHARED.table([]), {}), columns.PROGRAMME.table([])
    found = first_screen.words(ground, [], plan, columns.PRICES.table(rows), 0.02, {})
    said = " ".join(re.sub(r"<[^>]+>", "", found).split())
    assert (
        "Beside networks without spikes of equal accuracy, graded twins among them, the network "
        "with spikes is cheaper under every cost model in 3 of 6 comparisons, dearer under every "
        "one in 2, and it depends on the model in 1; all prices. In 4 more no network without "
        "spikes is equally accurate, and they are not counted."
    ) in said
    alone = columns.PRICES.table([{"counted": NOT_EQUAL, "energy": "cheaper"}])
    without = first_screen.words(ground, [], plan, alone, 0.02, {})
    assert "Nothing is known of energy" in without and "cheaper" not in without
    assert "In 1 no network without" in " ".join(without.split())


def test_a_claim_of_the_answer_says_what_was_found():
    row = {"says": "Time buys it.", "label": "holds", "verdict": "holds", "value": 0.999}
    row |= {"low": 0.998, "high": 1.0, "unit": "fraction"}
    against = {**row, "says": "It is free.", "verdict": "failed", "label": "not replicated"}
    nobody = columns.SHARED.table([])
    sentences = {"time": [row], "price": [against]}
    plan = columns.PROGRAMME.table([])
    found = first_screen.words(Ground(nobody, {}), [], plan, FREE, 0.02, sentences)
    said = " ".join(re.sub(r"<[^>]+>", "", found).split())
    assert "What time buys. Time buys it (99.90 % [99.80, 100.00])." in said
    assert "Expected, and not replicated (99.90 % [99.80, 100.00]): It is free." in said


def headline(prices, scores=(0.960, 0.962, 0.958)):
    own = experiment("made", "randman", ["spiking"])
    talks = {"home": talk("home", HOME), "made": talk("made", own)}
    floor = metrics(HOME, "random_hidden", [0.70, 0.71, 0.69])
    measured = table(CONTROL, floor, metrics(own, "spiking", list(scores)))
    ground = Ground(common_ground.matrix(measured, talks, CONFIG), talks)
    found = first_screen.Found.of(ground, columns.PRICES.table(prices))
    screen = html.macros("first_screen")
    plain = [
        re.sub(r"<[^>]+>", "", str(x))
        for x in (screen.headline(found), screen.brief(found, "x", "", "2 points"))
    ]
    return [" ".join(words.split()) for words in plain]


@pytest.mark.parametrize(
    ("energies", "title", "told"),
    [
        (["cheaper"] * 2, "for energy, whatever is counted", "in 2 of 2, more in none; in the"),
        (["cheaper", "dearer"], "for energy in some comparisons", "in 1 of 2, more in 1; in the"),
        (
            ["dearer", "depends"],
            "whether for energy depends on what",
            "none of 2, more in 1; in the",
        ),
        (["dearer"] * 5, "nor for energy", "none of 5, more in 5; in the others it depends"),
    ],
)
def test_title_and_sentences_say_what_the_rows_that_are_left_say(energies, title, told):
    price = {"counted": "yes", "task": "randman", "accuracy": 0.75}
    rows = [{**price, "energy": word} for word in energies]
    rows += [{**price, "counted": NOT_EQUAL, "energy": "cheaper"}]
    head, said = headline(rows, [0.80, 0.803, 0.797])
    assert head.startswith(f"Why spiking? Not for accuracy so far; {title}")
    assert "within 2 points either way, the network with spikes needs less energy" in said
    assert told in said and "known limits: in none of 1 comparisons" in said
    assert "in none it is equal, in 1 worse, none stayed open" in said


def test_a_win_is_named_and_nothing_priced_is_said():
    head, said = headline([])
    assert head == "Why spiking? More accurate in some comparisons"
    assert "in 1 of 1 comparisons" in said and "than one without (Made on Randman);" in said
    assert "No comparison of energy counts in this run." in said
