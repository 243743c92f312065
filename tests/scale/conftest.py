"""One cluster for the tests that leave it as they found it: three web and two worker processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.emulate import Emulators
from tests.scale.cluster import Cluster, cluster
from tests.scale.consents import provider_environment
from tests.servers import FORGETFUL


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.scale)


@pytest.fixture(scope="session")
def several(emulators: Emulators) -> Iterator[Cluster]:
    """The cluster most tests share."""
    with cluster(n_webs=3, n_workers=2, postgres=FORGETFUL, **provider_environment(emulators)) as running:
        yield running
