"""Bodies of uploads, made piece by piece, so that a test of large ones stays small."""

from collections.abc import AsyncIterator

MEBIBYTE = b"\0" * 1024 * 1024


async def body_of(fields: dict[str, str], name: str, n_mebibytes: int) -> AsyncIterator[bytes]:
    """Yield a form with these fields and one file of this size; its boundary is `line`."""
    for field, value in fields.items():
        yield f'--line\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
    yield f'--line\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    for _ in range(n_mebibytes):
        yield MEBIBYTE
    yield b"\r\n--line--\r\n"
