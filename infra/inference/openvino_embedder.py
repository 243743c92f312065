"""The embedder that runs an exported model with OpenVINO: several times as fast as torch, in a third of its memory."""

import asyncio
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
import openvino
from tokenizers import Tokenizer

from domain.embedding import EmbeddingModel, Matrix
from infra.inference.exported import GRAPH_FILE, TOKENIZER_FILE, ExportedModel
from infra.inference.processors import allowed_processors

Precision = Literal["bf16", "f32"]

BATCH_TEXTS = 32
BATCH_TOKENS = 2048
"""Rows × longest row of a batch: bounds the memory of activations while short texts still share a pass.

Measured with 200-token chunks: batches of 8, 16 and 32 are equally fast, and 32 takes 75 MB more than 8.
"""

LENGTH_STEP = 8
"""Rows are padded to a multiple: the runtime keeps prepared kernels for each shape it has met, 20 MB more without."""

CHARACTERS_PER_TOKEN = 100
"""No token is longer in practice; cutting first keeps a text of megabytes from being tokenized whole."""


class OpenVinoEmbedder:
    """Embeds with an exported model, in threads of its own; whoever makes it closes it.

    Making one is cheap: the model is read at the first use, or by `warm`. Calls may overlap; their batches take turns.
    By default each thread is a stream that works on a batch alone: threads that share a batch wait for each other, and
    where the machine does other work meanwhile, all of them wait for the one that was interrupted. One stream of all
    threads answers a single short text sooner, and takes less memory.
    """

    def __init__(
        self,
        exported: ExportedModel,
        *,
        precision: Precision | None = None,
        n_threads: int | None = None,
        n_streams: int | None = None,
    ) -> None:
        self._exported = exported
        self._precision = precision
        self._n_threads = n_threads or allowed_processors()
        self._n_streams = min(n_streams or self._n_threads, self._n_threads)
        self._executor = ThreadPoolExecutor(max_workers=self._n_streams, thread_name_prefix="embedder")
        self._loading = threading.Lock()
        self._encoder: _Encoder | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def model(self) -> EmbeddingModel:
        """The model behind this embedder."""
        return self._exported.model

    async def warm(self) -> None:
        """Read the model now rather than at the first question."""
        await self._in_thread(self._load)

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """Return one row per text, in order: (n, d) float32, unit norm. Longer texts than the model reads are cut."""
        vectors = np.zeros((len(texts), self.model.n_dimensions), dtype=np.float32)
        if not texts:
            return vectors
        encoder = await self._in_thread(self._load)
        token_ids = await self._in_thread(lambda: encoder.tokenize(texts))
        batches = _batches([len(ids) for ids in token_ids])

        async def work() -> None:
            for rows in batches:
                vectors[rows] = await self._in_thread(partial(encoder.encode, [token_ids[row] for row in rows]))

        await asyncio.gather(*(work() for _ in range(self._n_streams)))
        return vectors

    async def close(self) -> None:
        """Let the running batch end, then free the thread and the model."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)
        self._encoder = None

    async def _in_thread(self, call: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def _load(self) -> "_Encoder":
        with self._loading:
            if self._encoder is None:
                self._encoder = _Encoder(self._exported, self._precision, self._n_threads, self._n_streams)
            return self._encoder


class Processors(Protocol):
    """What the runtime says about the machine; `openvino.Core` does."""

    def get_property(self, device: str, name: str) -> Any:
        """Return what it knows of a device under this name."""


class _Encoder:
    """Tokenizer and compiled graph; for as many threads at a time as there are streams."""

    def __init__(self, exported: ExportedModel, precision: Precision | None, n_threads: int, n_streams: int) -> None:
        self._pad_id = exported.card.pad_id
        self._n_characters = exported.card.max_tokens * CHARACTERS_PER_TOKEN
        self._tokenizer = Tokenizer.from_file(str(exported.folder / TOKENIZER_FILE))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(exported.card.max_tokens)
        core = openvino.Core()
        compiled = core.compile_model(
            core.read_model(exported.folder / GRAPH_FILE),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": precision or best_precision(core),
                "INFERENCE_NUM_THREADS": n_threads,
                "NUM_STREAMS": n_streams,
                "ENABLE_CPU_PINNING": False,  # pinned processes on one machine fight for the same cores
            },
        )
        self._requests: queue.SimpleQueue[openvino.InferRequest] = queue.SimpleQueue()
        for _ in range(n_streams):
            self._requests.put(compiled.create_infer_request())
        # The binding looks numpy up at its first inference, and two threads that do so at once wait for each other
        # for ever: one holds the interpreter's lock, the other the binding's own. So the first one is made alone.
        self.encode([[self._pad_id]])

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._tokenizer.encode(text[: self._n_characters]).ids for text in texts]

    def encode(self, token_ids: Sequence[Sequence[int]]) -> Matrix:
        shape = (len(token_ids), -(-max(map(len, token_ids)) // LENGTH_STEP) * LENGTH_STEP)
        ids: npt.NDArray[np.int64] = np.full(shape, self._pad_id, dtype=np.int64)
        mask: npt.NDArray[np.int64] = np.zeros(shape, dtype=np.int64)
        for row, tokens in enumerate(token_ids):
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
        request = self._requests.get()
        try:
            request.infer([ids, mask])
            vectors: Matrix = np.array(request.get_output_tensor(0).data, dtype=np.float32)
        finally:
            self._requests.put(request)
        return vectors


def best_precision(core: Processors) -> Precision:
    """Return bf16 where the CPU computes it natively; elsewhere it would be emulated, slower than f32."""
    return "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield row numbers, longest first, so that little is spent on padding and a lack of memory shows at once."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: (-lengths[row], row)):
        if batch and (len(batch) == BATCH_TEXTS or (len(batch) + 1) * lengths[batch[0]] > BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
