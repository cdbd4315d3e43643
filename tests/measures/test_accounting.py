"""One formula for everyone: what is the same work costs the same, whoever does it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made.project import config

from whyspiking.contract.counts import Counts
from whyspiking.measures import accounting
from whyspiking.measures.accounting import ACCOUNTS, MAIN


def spent(counts, name):
    return accounting.energy(counts, ACCOUNTS[name], config()["energy"])


def counted(bits, numbers, units, buffered_values=0.0):
    """Counts of messages (sent, targets), and units (number, steps, reached, multiplications)."""
    arrivals, graded = (sum(sent * targets for sent, targets in x) for x in (bits, numbers))
    pairs = [(n * reached, n * steps, each) for n, steps, reached, each in units]
    return Counts(
        acs=arrivals,
        macs=graded,
        updates_event_driven=sum(events for events, *_ in pairs),
        updates_clock_driven=sum(clocked for _, clocked, _ in pairs),
        multiplications_event_driven=sum(events * each for events, _, each in pairs),
        multiplications_clock_driven=sum(clocked * each for _, clocked, each in pairs),
        binary_messages=sum(sent for sent, _ in bits),
        graded_messages=sum(sent for sent, _ in numbers),
        buffered_values=buffered_values,
    )


def test_by_hand_in_each_account():
    """3 additions, 2 multiply-adds; updates: 5 of 50 at events, 5 of a gated unit in any case."""
    counts = counted([(3.0, 1)], [(1.0, 2)], [(10, 5, 0.5, 1), (1, 5, 5, 3)], buffered_values=2)
    free = 3 * 0.03 + 2 * 0.23 + 5 * 2 * 0.23
    said = 5 * 10 / 8 + 3 * 10 + 1 * 12.5  # weights, then messages
    # States, as many times of the last update, and what is buffered; clocked no times.
    near = free + 10 * 0.23 + said + (10 + 10 + 2) * 2 * 10 / 4
    clocked = free + 55 * 0.23 + said + (55 + 2) * 2 * 10 / 4
    assert {name: spent(counts, name) for name in ACCOUNTS} == pytest.approx(
        {
            "free_updates": free,
            "operations_event_driven": free + 10 * 0.23,
            "operations_clock_driven": free + 55 * 0.23,
            "memory_8kb_event_driven": near,
            "memory_8kb_clock_driven": clocked,
            "memory_1mb_event_driven": near + 5 * 90 / 8,
            "memory_1mb_clock_driven": clocked + 5 * 90 / 8,
            "memory_dram_event_driven": near + 5 * 1290 / 8,
            "memory_dram_clock_driven": clocked + 5 * 1290 / 8,
        }
    )


@pytest.mark.parametrize(
    ("reached", "leaks", "updated", "words"),
    [(2, 1, 2, 4), (3, 1, 5, 5), (5, 1, 5, 5), (3, 0, 3, 3)],
)
def test_a_time_is_kept_where_a_leaky_unit_is_left_alone(reached, leaks, updated, words):
    """Ten units, five steps: state and time where reached, or both update and state in each."""
    counts = counted([], [], [(10, 5, reached, leaks)])
    here = 10 * updated * leaks * 0.23 + 10 * words * 5
    assert spent(counts, "memory_8kb_event_driven") == pytest.approx(here)
    assert spent(counts, "memory_8kb_clock_driven") == pytest.approx(50 * leaks * 0.23 + 50 * 5)
    assert spent(counts, "free_updates") == 0


@pytest.mark.parametrize("name", ACCOUNTS)
@given(st.floats(0, 1e4), st.integers(1, 64), st.integers(1, 64), st.floats(0, 1e4))
def test_the_same_work_costs_the_same_up_to_the_message(name, sent, targets, units, reached):
    """Spikes or numbers: these are multiplied at each target, and sent with their value."""
    own, here = [(sent, targets)], [(units, 1e4, reached, 1)]
    spikes, numbers = counted(own, [], here), counted([], own, here)
    more = sent * (targets * 0.2 + (2 * 10 * 8 / 64 if ACCOUNTS[name].memory else 0))
    assert spent(numbers, name) == pytest.approx(spent(spikes, name) + more)


def test_identical_work_of_span_recall_costs_the_same_on_both_sides():
    """Four spiking and four non-spiking units that do almost the same work."""
    inputs, units = [(60, 1), (5, 4)], [(4, 104, 20, 1), (4, 104, 3, 1)]
    spiking = counted([*inputs, (5, 4), (1, 1)], [], units)
    leaky = counted(inputs, [(4, 1)], units)
    assert (spiking.acs, leaky.acs, leaky.macs) == (101, 80, 4)
    here, there = ([spent(own, name) for name in MAIN] for own in (leaky, spiking))
    assert here == pytest.approx(there, rel=0.03)
