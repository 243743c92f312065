"""The exported form of an embedding model: a folder that can be read without torch."""

from pathlib import Path

import msgspec

from domain.embedding import EmbeddingModel

FORMAT = 1
"""Grows when the export changes, so that older folders are made anew."""

GRAPH_FILE = "model.xml"
TOKENIZER_FILE = "tokenizer.json"
CARD_FILE = "card.json"


class Card(msgspec.Struct, frozen=True):
    """What is written beside the graph; `revision` is the SHA-256 of the weights it was made from."""

    name: str
    revision: str
    n_dimensions: int
    max_tokens: int
    pad_id: int
    format: int = FORMAT


class ExportedModel(msgspec.Struct, frozen=True):
    """A complete export in `folder`."""

    folder: Path
    card: Card

    @property
    def model(self) -> EmbeddingModel:
        """The model as vectors are labelled with it."""
        return EmbeddingModel(self.card.name, self.card.revision, self.card.n_dimensions)


def read_export(folder: Path) -> ExportedModel | None:
    """Return the export in this folder, or None when there is none or it is of an older format."""
    try:
        card = msgspec.json.decode((folder / CARD_FILE).read_bytes(), type=Card)
    except (OSError, msgspec.MsgspecError):
        return None
    is_complete = all((folder / name).is_file() for name in (GRAPH_FILE, TOKENIZER_FILE))
    return ExportedModel(folder, card) if is_complete and card.format == FORMAT else None
