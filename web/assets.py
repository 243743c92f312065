"""Static files, read once when the application is made, served under URLs that carry a hash of their content.

The stylesheet and the script are joined from their parts here, in the order of their names, so that a new component is
a new file and nothing else. There is no build step.
"""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brotli
from litestar import Request, Response, get
from litestar.params import FromPath

from domain.errors import NotFound
from web.requests import accepted_encodings

ROOT = Path(__file__).parent / "static"
LAYERS = ("tokens", "reset", "base", "components", "utilities")
CLOSELY_COMPRESSED_BYTES = 100_000
"""Larger texts, which few pages load, are compressed less closely: they would cost each start half a second."""
COMPRESSIBLE = ("text/", "image/svg")
IMMUTABLE = "public, max-age=31536000, immutable"
COMMENT = re.compile(r"^\s*(?:/\*.*?\*/|//[^\n]*)\s*$", re.MULTILINE | re.DOTALL)
INDENT = re.compile(r"^\s+", re.MULTILINE)
AROUND_SIGN = re.compile(r"\s*([{};,])\s*|(?<=[\w-]:)\s+")
LAST_SIGN = re.compile(r";(?=})")
ASSET_REFERENCE = re.compile(r"asset\(([^)]+)\)")


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, ready to be sent."""

    media_type: str
    content: bytes
    compressed: Mapping[str, bytes]
    """A text's content by encoding, the smallest first; nothing for what is compressed in itself."""


class Assets:
    """Every static file of the product, by its hashed URL."""

    def __init__(self, root: Path = ROOT) -> None:
        self._urls: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not name.startswith(("css/", "js/", "vendor/htmx")) and path.suffix != ".md":
                self._add(name, path.read_bytes())
        self._add("css/app.css", self._linked(stylesheet(root / "css")).encode())
        self._add("js/htmx.js", b"\n".join(path.read_bytes() for path in sorted((root / "vendor").glob("htmx-*.js"))))
        self._add("js/app.js", script(root / "js").encode())

    def url(self, name: str) -> str:
        """Return the URL of a file, such as `css/app.css`. Raises: KeyError when there is none."""
        return self._urls[name]

    def find(self, hashed_name: str) -> Asset:
        """Return the file behind a hashed name. Raises: NotFound."""
        asset = self._assets.get(hashed_name)
        if asset is None:
            raise NotFound("This file is not part of KnowledgeVault any more. Reload the page.")
        return asset

    def _add(self, name: str, content: bytes) -> None:
        stem, dot, suffix = name.rpartition(".")
        hashed_name = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{suffix}"
        media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        is_text = media_type.startswith(COMPRESSIBLE) or media_type.endswith("javascript")
        self._urls[name] = f"/static/{hashed_name}"
        self._assets[hashed_name] = Asset(media_type, content, compressed(content) if is_text else {})

    def _linked(self, text: str) -> str:
        return ASSET_REFERENCE.sub(lambda match: f"url({self.url(match[1])})", text)


def compressed(content: bytes) -> dict[str, bytes]:
    """Return a text in the encodings that browsers ask for, the smallest first."""
    quality = 11 if len(content) <= CLOSELY_COMPRESSED_BYTES else 9
    return {"br": brotli.compress(content, quality=quality), "gzip": gzip.compress(content, 9, mtime=0)}


def stylesheet(folder: Path) -> str:
    """Return the layers of the stylesheet as one text: `tokens.css` and the like, then every component."""
    parts = [f"@layer {', '.join(LAYERS)};"]
    for layer in LAYERS:
        files = sorted((folder / layer).glob("*.css")) if (folder / layer).is_dir() else [folder / f"{layer}.css"]
        parts += [f"@layer {layer} {{\n{file.read_text()}}}" for file in files]
    return LAST_SIGN.sub("", AROUND_SIGN.sub(r"\1", packed("\n".join(parts))))


def script(folder: Path) -> str:
    """Return the behaviours as one text, each in a scope of its own."""
    return packed("\n".join(f"{{\n{file.read_text()}}}" for file in sorted(folder.glob("*.js"))))


def packed(text: str) -> str:
    """Return a text without its comments (those on lines of their own) and indents; what remains is left as written."""
    return INDENT.sub("", COMMENT.sub("", text))


@get("/static/{name:path}", include_in_schema=False, sync_to_thread=False, opt={"is_public": True})
def static_file(request: Request[Any, Any, Any], name: FromPath[Path]) -> Response[bytes]:
    """Send a static file; its URL changes with its content, so browsers may keep it for good."""
    asset: Asset = request.app.state.renderer.assets.find(name.as_posix().lstrip("/"))
    headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}
    accepted = accepted_encodings(request.headers.get("Accept-Encoding", ""))
    for encoding, content in asset.compressed.items():
        if encoding in accepted:
            return Response(content, media_type=asset.media_type, headers={**headers, "Content-Encoding": encoding})
    return Response(asset.content, media_type=asset.media_type, headers=headers)
