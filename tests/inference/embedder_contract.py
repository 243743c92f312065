"""What every embedder promises; the fakes that tests of the domain use are held to it too."""

import asyncio

import numpy as np

from domain.embedding import Embedder


async def keeps_the_promises_of_an_embedder(embedder: Embedder) -> None:
    n_dimensions = embedder.model.n_dimensions
    texts = ["The invoice is due in June.", "", "Payroll runs on the 25th.", "a b " * 5000, "🎉 Zürich"]
    vectors = await embedder.embed(texts)
    assert vectors.shape == (len(texts), n_dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)

    assert (await embedder.embed([])).shape == (0, n_dimensions)

    backwards = await embedder.embed(texts[::-1])
    assert ((vectors * backwards[::-1]).sum(axis=1) > 0.999).all()

    together = await asyncio.gather(*(embedder.embed([text]) for text in texts))
    assert ((vectors * np.vstack(together)).sum(axis=1) > 0.999).all()

    near, far = await embedder.embed(["When is the invoice due?", "zebra crossing safari"])
    assert vectors[0] @ near > vectors[0] @ far
