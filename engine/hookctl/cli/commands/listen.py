"""``hookctl listen``: a local HTTPS receiver that shows the requests it gets."""

from __future__ import annotations

import json
import queue
import signal
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli.echo import echo
from hookctl.errors import FileError, SettingsError
from hookctl.files import SHARED, write_file
from hookctl.network.url import is_host
from hookctl.report.text.printable import printable_lines
from hookctl.report.text.received import received_text, summary_text
from hookctl.testing.answers import Answer, Misbehavior

if TYPE_CHECKING:
    from hookctl.testing.answers import ReceivedRequest
    from hookctl.testing.receiver import Receiver

    Seen = queue.SimpleQueue[tuple[ReceivedRequest, Answer] | None]

ACCEPTED, REJECTED = b'{"status":"accepted"}', b'{"status":"rejected"}'
"""The body of an answer, with a 2xx and with another status."""
HOSTS = ("siem.example.com", "login.example.com")
EPILOG = """
\b
Examples:
  hookctl listen                                  show each request, and answer 200
  hookctl listen --respond 503                    answer with another status
  hookctl listen --misbehave trickle-headers      answer slowly, incompletely, endlessly, ...
  hookctl listen --host hooks.slack.com           for webhooks to this host
  hookctl listen --answer '/in={"status":"queued"}'
  hookctl listen --token-endpoint --client-id me --client-secret s --require-token /in

It prints a line when ready, then the options to pass to hookctl.
"""


@click.command("listen", epilog=EPILOG)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8443,
    show_default=True,
    help="Listen on this port of 127.0.0.1; 0 chooses a free one.",
)
@click.option(
    "--host",
    "hosts",
    metavar="NAME",
    multiple=True,
    default=HOSTS,
    show_default=True,
    help="A host name of the receiver, for which it has a certificate; can be given several times.",
)
@click.option(
    "--ca-out",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the certificate authority to this file, in PEM. Each start makes another one. Without the option, the "
    "printed path is valid only until the command ends.",
)
@click.option(
    "--respond",
    metavar="STATUS",
    type=click.IntRange(200, 599),
    default=200,
    show_default=True,
    help="Answer every request with this status. The body says accepted with 2xx, and rejected with others.",
)
@click.option(
    "--answer",
    "answers",
    metavar="PATH=JSON",
    multiple=True,
    help="Answer this path with this body; can be given several times.",
)
@click.option(
    "--misbehave",
    metavar="NAME",
    type=click.Choice([kind.value for kind in Misbehavior]),
    help=f"Misbehave in one of these ways: {', '.join(Misbehavior)}.",
)
@click.option("--token-endpoint", is_flag=True, help="Issue OAuth tokens at /oauth/token, for client credentials.")
@click.option("--client-id", default="client", show_default=True, help="The client id that the token endpoint accepts.")
@click.option("--client-secret", default="secret", show_default=True, help="The client secret that it accepts.")
@click.option(
    "--require-token",
    "protected",
    metavar="PATH",
    multiple=True,
    help="Answer 401 on this path to requests without a token that this receiver issued.",
)
@click.option("--quiet", is_flag=True, help="Show only the counts at the end.")
@click.pass_context
def command(  # noqa: PLR0917  # one parameter for each option
    ctx: click.Context,
    port: int,
    hosts: tuple[str, ...],
    ca_out: str | None,
    respond: int,
    answers: tuple[str, ...],
    misbehave: str | None,
    token_endpoint: bool,
    client_id: str,
    client_secret: str,
    protected: tuple[str, ...],
    quiet: bool,
) -> None:
    """Receive webhooks on this machine until stopped, over HTTPS with its own certificate authority."""
    from hookctl.testing.receiver import Receiver
    from hookctl.testing.tokens import PATH, TokenEndpoint

    for host in hosts:
        if not is_host(host):
            raise click.BadParameter(f"{host!r} is not a host name.", ctx, param_hint="--host")
    seen: Seen = queue.SimpleQueue()
    receiver = Receiver(
        hosts=hosts,
        port=port,
        keep=1,
        token_endpoint=TokenEndpoint(client_id, client_secret) if token_endpoint else None,
        seen=lambda request, answer: seen.put((request, answer)),
    )
    body = ACCEPTED if 200 <= respond < 300 else REJECTED
    receiver.default = Answer(respond, body=body, misbehave=Misbehavior(misbehave) if misbehave else None)
    if not token_endpoint:
        receiver.answer(PATH, receiver.default)
    for path, body in map(_path_and_body, answers):
        receiver.answer(path, Answer(respond, body=body))
    for path in protected:
        receiver.require_token(path)
    _start(receiver, ca_out)
    try:
        echo(printable_lines(_ready(receiver, hosts, ca_out)))
        counts = _show(seen, quiet=quiet)
    finally:
        receiver.stop()
    echo(summary_text(counts))


def _path_and_body(entry: str) -> tuple[str, bytes]:
    path, equals, body = entry.partition("=")
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        equals = ""
    if not path.startswith("/") or not equals:
        raise click.BadParameter(f"{entry!r} is not PATH=JSON.", param_hint="--answer")
    return path, body.encode()


def _start(receiver: Receiver, ca_out: str | None) -> None:
    try:
        receiver.start()
    except OSError as error:
        raise SettingsError(
            f"cannot listen on port {receiver.port}: {error.strerror}",
            hint="Choose another port with --port; 0 chooses a free one.",
        ) from error
    if ca_out:
        try:
            write_file(ca_out, Path(receiver.ca_file).read_bytes(), mode=SHARED)
        except FileError as error:
            receiver.stop()
            raise SettingsError(
                f"--ca-out {ca_out} cannot be written: {error.message}", hint="Name a file in an existing directory."
            ) from error


def _ready(receiver: Receiver, hosts: tuple[str, ...], ca_out: str | None) -> str:
    options = [f"--connect-to {host}:443:{receiver.address}:{receiver.port}" for host in hosts]
    lines = [*options, f"--cacert {ca_out or receiver.ca_file}"]
    return "\n".join(
        [
            f"Listening on {receiver.address}:{receiver.port}. Connect hookctl with:",
            *(f"  {line}" for line in lines),
            "",
        ]
    )


def _show(seen: Seen, *, quiet: bool) -> Counter[tuple[str, str, str]]:
    """Show requests as they arrive, until SIGINT or SIGTERM. Returns their number by method, path and answer."""
    counts: Counter[tuple[str, str, str]] = Counter()
    before = {number: signal.signal(number, lambda *_: seen.put(None)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while (item := seen.get()) is not None:
            request, answer = item
            counts[request.method, request.path, answer.misbehave or str(answer.status)] += 1
            if not quiet:
                echo(received_text(counts.total(), request, answer))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return counts
