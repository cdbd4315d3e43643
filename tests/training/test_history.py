"""What every training does beside learning."""

import numpy as np

from whyspiking.training.history import History, batches


def test_rows_of_epochs_in_the_order_in_which_they_were_noted():
    history = History()
    history.note(0.5, alignment=np.float32(0.25))
    history.note(1, train_loss=3, epoch_seconds=2.0)
    history.note(2, train_loss=1, epoch_seconds=4.0)
    assert history.rows[0] == {"epoch": 0.5, "metric": "alignment", "value": 0.25}
    assert type(history.rows[1]["value"]) is float, "a row can be written as JSON"
    assert history.values("train_loss") == [3.0, 1.0]
    assert history.mean("epoch_seconds") == 3.0


def test_an_incomplete_last_batch_is_left_out_and_differs():
    rng = np.random.default_rng(0)
    first, second = (batches(10, 4, rng) for _ in range(2))
    for found in (first, second):
        assert found.shape == (2, 4)
        assert len(set(found.ravel())) == 8
    assert set(first.ravel()) != set(second.ravel())
