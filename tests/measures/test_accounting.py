"""One formula for everyone: what is the same work costs the same, whoever does it."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.project import config

from whyspiking.measures import accounting
from whyspiking.measures.accounting import ACCOUNTS, MAIN, Counts, Messages, Units

PRICES = config()["energy"]
some = st.floats(0, 1e4)


def spent(counts, name):
    return accounting.energy(counts, ACCOUNTS[name], PRICES)


def test_by_hand_in_each_account():
    """3 additions, 2 multiply-adds, 5 updates at events of 50; messages: 3 of one bit, 1 number."""
    sent = [Messages(3.0, 1), Messages(1.0, 2, graded=True)]
    counts = Counts.of(sent, [Units(10, 5, 0.5)], buffered=2)
    operations = 3 * 0.03 + 2 * 0.23 + 5 * 0.23
    assert spent(counts, "operations_events") == pytest.approx(operations)
    assert spent(counts, "operations_clocked") == pytest.approx(operations + 45 * 0.23)
    assert spent(counts, "updates_free") == pytest.approx(3 * 0.03 + 2 * 0.23)
    near = operations + 5 * 10 / 8 + (5 + 2) * 2 * 10 / 4 + 3 * 10 + 1 * 12.5
    assert spent(counts, "8kb_events") == pytest.approx(near)
    assert spent(counts, "8kb_clocked") == pytest.approx(near + 45 * (0.23 + 5))
    assert spent(counts, "1mb_events") == pytest.approx(near + 5 * 90 / 8)
    assert spent(counts, "dram_events") == pytest.approx(near + 5 * 1290 / 8)


def test_gates_pay_for_what_they_do_beyond_a_leak():
    gated, leaky = (Counts.of([], [Units(4, 60, 60, n)]) for n in (3, 1))
    assert spent(gated, "operations_events") == spent(gated, "operations_clocked")
    assert spent(leaky, "updates_free") == 0
    assert spent(gated, "updates_free") == pytest.approx(4 * 60 * 2 * 0.23)


@pytest.mark.parametrize("name", ACCOUNTS)
@given(sent=some, targets=st.integers(1, 64), units=st.integers(1, 64), reached=some)
def test_the_same_work_costs_the_same_up_to_the_message(name, sent, targets, units, reached):
    """Whether its messages are spikes or numbers: a multiplication at each target, and the value."""
    here = [Units(units, 1e4, reached)]
    spikes, numbers = (Counts.of([Messages(sent, targets, g)], here) for g in (False, True))
    value = 2 * 10 * 8 / 64 if ACCOUNTS[name].memory else 0
    more = sent * (targets * 0.2 + value)
    assert spent(numbers, name) == pytest.approx(spent(spikes, name) + more)


@given(st.builds(Counts, *[some] * len(fields(Counts))), st.sampled_from(list(ACCOUNTS)))
def test_energy_is_a_sum_over_operations(counts, name):
    parts = [replace(Counts(*[0.0] * 9), **{f.name: getattr(counts, f.name)}) for f in fields(Counts)]
    assert spent(counts, name) == pytest.approx(sum(spent(part, name) for part in parts))


def test_identical_work_of_span_recall_costs_nearly_the_same_on_both_sides():
    """By the recorded models 966 pJ with spikes and 4,280 without, for four units and four."""
    inputs = [Messages(60, 1), Messages(5, 4)]
    units = [Units(4, 104, 20), Units(4, 104, 3)]
    spiking = Counts.of([*inputs, Messages(5, 4), Messages(1, 1)], units)
    leaky = Counts.of([*inputs, Messages(4, 1, graded=True)], units)
    assert (spiking.additions, leaky.additions, leaky.multiply_adds) == (101, 80, 4)
    for name in MAIN:
        assert spent(leaky, name) == pytest.approx(spent(spiking, name), rel=0.03)
