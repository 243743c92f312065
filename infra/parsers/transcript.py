"""Transcripts of chat: one block for each message, labelled with who wrote it and when."""

from collections import Counter

import msgspec

from domain.errors import Invalid
from domain.parsing import BlockKind, ParsedDocument
from infra.parsers.builder import TextBuilder
from infra.transcript import TRANSCRIPT_TYPE, decode


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a transcript; its author is who wrote most. Raises: Invalid when it is damaged or says nothing."""
    try:
        transcript = decode(content)
    except msgspec.DecodeError as error:
        raise Invalid("This conversation is damaged. Sync its source again.") from error
    builder = TextBuilder()
    for utterance in transcript.utterances:
        label = f"{utterance.author}, {utterance.at:%Y-%m-%d %H:%M}"
        text = "\n".join(line for line in utterance.text.split("\n") if line.strip())
        builder.add(BlockKind.MESSAGE, text, label=label)
    authors = Counter(utterance.author for utterance in transcript.utterances)
    moments = [utterance.at for utterance in transcript.utterances]
    return builder.build(
        name,
        TRANSCRIPT_TYPE,
        title=transcript.title,
        author=authors.most_common(1)[0][0] if authors else "",
        created_at=min(moments, default=None),
        modified_at=max(moments, default=None),
        metadata={"place": transcript.place, "participants": ", ".join(authors)},
    )
