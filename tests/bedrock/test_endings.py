"""The ways out of a stream. The client is not asynchronous."""

from __future__ import annotations

import pytest
from tests.bedrock.clients import Case, package
from tests.model_clients.endings import SyncStreamEndings


@pytest.fixture(autouse=True)
def _needed() -> None:
    package()


# the client leaves the connection of a stream that is not read to its end to the collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
class TestEndings(SyncStreamEndings):
    case = Case()
