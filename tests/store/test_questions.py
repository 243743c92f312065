"""How a question reaches the index: embedded beside the look-ups of its words, and told when that cannot be done."""

import dataclasses
from collections.abc import Sequence

import pytest

from domain.embedding import Embedder, EmbeddingModel, Matrix
from domain.errors import Unavailable
from domain.people import Viewer
from domain.retrieval import search
from domain.search import SearchFilter
from domain.vault import Tools
from infra.store import Stores
from tests import factories
from tests.factories import Source


class Overheard:
    """Embeds, and remembers what."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.texts: list[str] = []

    @property
    def model(self) -> EmbeddingModel:
        return self._embedder.model

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self.texts += texts
        if "away" in texts:
            raise Unavailable("The model is away.")
        return await self._embedder.embed(texts)


async def test_a_question_is_embedded_once_and_again_where_a_word_was_mended(
    stores: Stores, tools: Tools, viewer: Viewer, source: Source
) -> None:
    source.files = {"a.md": "# A\n\nThe turbine hums."}
    await factories.synced(stores, tools, viewer)
    overheard = Overheard(tools.embedder)
    listening = dataclasses.replace(tools, embedder=overheard)
    async with stores.open_vault(viewer) as vault:
        assert (await search(vault, listening, "turbine", SearchFilter())).hits
        assert overheard.texts == ["turbine"]
        mended = await search(vault, listening, "turbnie", SearchFilter())
    assert mended.corrections
    assert overheard.texts[1] == "turbnie"
    assert "turbin" in overheard.texts[2], "what was added is searched for by meaning as well"


async def test_a_search_whose_model_is_away_says_so_and_leaves_the_vault_usable(
    stores: Stores, tools: Tools, viewer: Viewer
) -> None:
    async with stores.open_vault(viewer) as vault:
        with pytest.raises(Unavailable, match="away"):
            await search(vault, dataclasses.replace(tools, embedder=Overheard(tools.embedder)), "away", SearchFilter())
        assert (await search(vault, tools, "turbine", SearchFilter())).hits == ()
