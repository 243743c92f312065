"""The exported embedder beside the model it was made from: chunks/s, question latency, memory; rounds are interleaved.

`python -m bench.embedding [N_CHUNKS]`; each side runs in a process of its own, so that memory is counted apart.
"""

# ruff: noqa: PLC0415 -- each side imports its own runtime only, or the memory of both would be counted

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import numpy as np

N_ROUNDS = 3
PEER = "torch f32"
"""Plain `SentenceTransformer.encode`, with its own batches."""
N_QUESTIONS = 100
WORDS_A_CHUNK = 130
"""About 200 tokens."""


def chunks(n_chunks: int, n_words: int) -> list[str]:
    """Texts of made-up but pronounceable words, the same in each process."""
    chance = random.Random(7)
    syllables = [first + last for first in "bdfgklmnprstv" for last in ("a", "e", "i", "o", "u", "an", "er", "is")]
    words = ["".join(chance.choices(syllables, k=chance.randint(1, 3))) for _ in range(4000)]
    common = ["the", "of", "and", "to", "in", "report", "meeting", "customer", "project", "invoice", "release", "team"]
    return [
        " ".join(chance.choice(words if chance.random() < 0.12 else common) for _ in range(n_words))
        for _ in range(n_chunks)
    ]


def memory_mb(field: str = "VmRSS") -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return next(int(line.split()[1]) // 1024 for line in status.read_text().splitlines() if line.startswith(field))


async def measure_exported(
    folder: Path, precision: Literal["bf16", "f32"], n_chunks: int, kept: Path
) -> dict[str, float]:
    from infra.inference.export import DEFAULT_MODEL, ensure_exported
    from infra.inference.openvino_embedder import OpenVinoEmbedder

    exported = ensure_exported(DEFAULT_MODEL, folder)
    async with OpenVinoEmbedder(exported, precision=precision) as embedder:
        await embedder.warm()
        questions = []
        for question in chunks(N_QUESTIONS, 9):
            began = time.perf_counter()
            await embedder.embed([question])
            questions.append(time.perf_counter() - began)
        after_questions = memory_mb()
        texts = chunks(n_chunks, WORDS_A_CHUNK)
        began = time.perf_counter()
        vectors = await embedder.embed(texts)
        took = time.perf_counter() - began
    np.save(kept, vectors)
    return result(n_chunks / took, questions, after_questions)


def measure_published(n_chunks: int, kept: Path) -> dict[str, float]:
    from sentence_transformers import SentenceTransformer

    from infra.inference.export import DEFAULT_MODEL, model_folder

    model = SentenceTransformer(str(model_folder(DEFAULT_MODEL)), device="cpu")
    questions = []
    for question in chunks(N_QUESTIONS, 9):
        began = time.perf_counter()
        model.encode([question])
        questions.append(time.perf_counter() - began)
    after_questions = memory_mb()
    texts = chunks(n_chunks, WORDS_A_CHUNK)
    began = time.perf_counter()
    vectors = model.encode(texts)
    took = time.perf_counter() - began
    np.save(kept, vectors)
    return result(n_chunks / took, questions, after_questions)


def result(chunks_per_s: float, questions: list[float], after_questions: int) -> dict[str, float]:
    return {
        "chunks/s": chunks_per_s,
        "question p50 ms": statistics.median(questions) * 1000,
        "MB after questions": after_questions,
        "MB at most": memory_mb("VmHWM"),
    }


def measure(side: str, folder: str, n_chunks: int, kept: Path) -> dict[str, float]:
    if side == PEER:
        return measure_published(n_chunks, kept)
    return asyncio.run(measure_exported(Path(folder), "bf16" if "bf16" in side else "f32", n_chunks, kept))


def main() -> None:
    n_chunks = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    folder = str(Path(".vault") / "models")
    sides = ["openvino bf16", "openvino f32", PEER]
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    with tempfile.TemporaryDirectory() as name:
        kept = {side: Path(name) / f"{number}.npy" for number, side in enumerate(sides)}
        for _ in range(N_ROUNDS):
            for side in sides:
                command = [
                    sys.executable,
                    "-m",
                    "bench.embedding",
                    "--one",
                    side,
                    folder,
                    str(n_chunks),
                    str(kept[side]),
                ]
                said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                runs[side].append(json.loads(said.splitlines()[-1]))
        vectors = {side: np.load(path) for side, path in kept.items()}
    columns = list(runs[sides[0]][0])
    print(f"median of {N_ROUNDS} interleaved rounds, {n_chunks} chunks of {WORDS_A_CHUNK} words")
    print(f"{'':16}" + "".join(f"{column:>20}" for column in columns) + f"{'times torch':>12}{'mean cosine':>14}")
    for side in sides:
        medians = [statistics.median(run[column] for run in runs[side]) for column in columns]
        cosine = (vectors[side] * vectors[PEER]).sum(axis=1).mean()
        faster = statistics.median(
            ours["chunks/s"] / theirs["chunks/s"] for ours, theirs in zip(runs[side], runs[PEER], strict=True)
        )
        print(f"{side:16}" + "".join(f"{median:20.1f}" for median in medians) + f"{faster:12.2f}{cosine:14.5f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))))
    else:
        main()
