"""Files to which bodies are appended, one in a line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hookctl.errors import ConnectError
from hookctl.model import reveal
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

if TYPE_CHECKING:
    from hookctl.plugin import Settings


class Spool(BaseAdapter):
    """Appends to the file that the URL names."""

    def __init__(self, settings: Settings) -> None:
        """Take the directory out of the settings."""
        super().__init__()
        self._directory = Path(reveal(settings["directory"]))

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ANN401  # requests defines the parameters
        verify: Any = True,  # noqa: ANN401
        cert: Any = None,  # noqa: ANN401
        proxies: Any = None,  # noqa: ANN401
    ) -> Response:
        """Append the body. Raises ConnectError, after which hookctl tries again, if the file cannot be written."""
        body = request.body or b""
        line = (body.encode() if isinstance(body, str) else body).replace(b"\n", b" ") + b"\n"
        path = self._directory / f"{str(request.url).removeprefix('spool:')}.jsonl"
        try:
            with path.open("ab") as file:
                file.write(line)
        except OSError as error:
            raise ConnectError(f"{path} cannot be written: {error.strerror}", hint="Create its directory.") from error
        response = Response()
        response.status_code, response.raw = 202, io.BytesIO()
        return response

    def close(self) -> None:
        """Nothing is open between requests."""
