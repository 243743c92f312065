"""What every test may ask for: real Postgres on the migrated schema, real Redis, stores and tools over them."""

import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from argon2.profiles import CHEAPEST
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.facts import Fact
from domain.kinds import Kinds
from domain.people import Role, Viewer
from domain.triggers import Matcher
from domain.vault import Tools
from infra.analysis import WordAnalyzer
from infra.connectors import REGISTRY
from infra.database import make_engine
from infra.embedded import Embedded
from infra.migrations import migrate
from infra.parsers.process import parser_process
from infra.passwords import Argon2Passwords
from infra.queue import make_queue
from infra.secrets import Sealer
from infra.store import Stores
from infra.triggers import make_matcher
from tests import factories
from tests.distribution import ByWhatIsShared
from tests.domain.fakes import WordEmbedder
from tests.peers.drive import running_drive
from tests.peers.emulate import Emulators, running_emulators
from tests.peers.onedrive import running_onedrive
from tests.servers import own_servers

SHARED_DATA = Path(__file__).parent.parent.parent / "shared" / "data"
"""Public evaluation sets; tests that read them skip where the folder is absent."""
SEALED_WITH = "a secret of the tests alone"


def utc_now() -> datetime:
    return datetime.now(UTC)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByWhatIsShared | None:
    return ByWhatIsShared(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def servers() -> Iterator[Embedded]:
    """Servers of this test run alone; DATABASE_URL and REDIS_URL replace the embedded ones."""
    given = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    with own_servers() as own:
        yield Embedded(given[0] or own.database_url, given[1] or own.redis_url)


@pytest.fixture(scope="session")
def redis_url(servers: Embedded) -> str:
    return servers.redis_url


@pytest.fixture(scope="session")
def database_url(servers: Embedded) -> str:
    migrate(servers.database_url)
    return servers.database_url


@pytest_asyncio.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database_url, pool_size=10)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def viewer(engine: AsyncEngine) -> Viewer:
    """The admin of a new tenant."""
    return await factories.member(engine, role=Role.ADMIN)


@pytest.fixture(scope="session")
def emulators() -> Iterator[Emulators]:
    """GitHub, Google and Slack, as others emulate them."""
    with tempfile.TemporaryDirectory(prefix="peers-") as folder, running_emulators(Path(folder)) as running:
        yield running


@pytest.fixture(scope="session")
def drive_url() -> Iterator[str]:
    """Google Drive, as others mock it."""
    with running_drive() as url:
        yield url


@pytest.fixture(scope="session")
def onedrive_url() -> Iterator[str]:
    """OneDrive, as others mock it."""
    with running_onedrive() as url:
        yield url


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the public evaluation sets are not here")
    return SHARED_DATA


@pytest.fixture
def published() -> list[tuple[int, Fact]]:
    """What was announced after a commit, in order."""
    return []


@pytest.fixture
def stores(engine: AsyncEngine, database_url: str, published: list[tuple[int, Fact]]) -> Stores:
    """The stores over the real database, with the analyzer of the product."""

    async def publish(tenant_id: int, facts: Sequence[Fact]) -> None:
        published.extend((tenant_id, fact) for fact in facts)

    return Stores(engine, make_queue(database_url), WordAnalyzer(), "words@1", publish, Sealer([SEALED_WITH]))


@pytest.fixture
def source() -> factories.Source:
    """A source whose content a test sets."""
    return factories.Source()


@pytest.fixture(scope="session")
def matcher() -> Matcher:
    """The product's table of triggers; compiling it takes longer than most tests."""
    return make_matcher()


@pytest.fixture
def tools(source: factories.Source, matcher: Matcher) -> Tools:
    """Real analyzer and parser, cheap passwords, word vectors, and `source` behind every integration."""
    return Tools(
        embedder=WordEmbedder(384),
        analyzer=WordAnalyzer(),
        language_model=None,
        make_parser=parser_process,
        connect=lambda *_: source,
        passwords=Argon2Passwords(CHEAPEST),
        now=utc_now,
        kinds=Kinds(tuple(each.described for each in REGISTRY)),
        matcher=matcher,
    )
