"""The style sheet, the script and the icon, under names that change with their content, so that browsers keep them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hookctl.serve.access import public

if TYPE_CHECKING:
    from starlette.requests import Request

DIRECTORY = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"
DIGEST_LENGTH = 16


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    """With the digest: ``style.0123456789abcdef.css``."""
    content: bytes
    media_type: str


@cache
def _files() -> Mapping[str, _File]:
    """Every file by its name in the directory. They are read once, so that a path in a request never reaches a disk."""
    files = {}
    for path in sorted(DIRECTORY.iterdir()):
        content = path.read_bytes()
        digest = sha256(content).hexdigest()[:DIGEST_LENGTH]
        files[path.name] = _File(f"{path.stem}.{digest}{path.suffix}", content, TYPES[path.suffix])
    return MappingProxyType(files)


def url_of(name: str) -> str:
    """The path under which a file is served: ``/static/style.0123456789abcdef.css`` for ``style.css``."""
    return f"/static/{_files()[name].name}"


@public
async def serve_file(request: Request) -> Response:
    """A file, for anyone: none of them contains data."""
    wanted = request.path_params["name"]
    for file in _files().values():
        if file.name == wanted:
            return Response(file.content, media_type=file.media_type, headers={"Cache-Control": FOREVER})
    return PlainTextResponse("There is no such file.\n", status_code=404)


ROUTES = (Route("/static/{name}", serve_file),)
