"""What all tests of the article share."""

import pytest
from made.fixtures import vectors  # noqa: F401  (settles arithmetic before numpy is loaded)

from whyspiking.records import reference
from whyspiking_article import text
from whyspiking_article.record import Record


@pytest.fixture
def record():
    return Record(reference.FOLDER)


@pytest.fixture(scope="session")
def filled():
    return text.filled(Record(reference.FOLDER))
