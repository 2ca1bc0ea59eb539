"""What intake is compared with: a Starlette handler that only parses and answers, with the settings of `hookctl serve`.

It prints its port, and stops when its standard input ends.
"""

from __future__ import annotations

import json
import socket
import sys
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def events(request: Request) -> JSONResponse:
    event = json.loads(await request.body())
    return JSONResponse({"id": event["id"], "status": "accepted", "webhooks": []}, 202)


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    application = Starlette(routes=[Route("/v1/events", events, methods=["POST"])])
    config = uvicorn.Config(application, access_log=False, log_config=None, lifespan="off")
    Thread(target=uvicorn.Server(config).run, kwargs={"sockets": [listener]}, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
