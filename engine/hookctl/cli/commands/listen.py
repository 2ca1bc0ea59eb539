"""``hookctl listen``: a local HTTPS receiver that shows the requests it gets."""

from __future__ import annotations

import json
import queue
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hookctl.cli import listening
from hookctl.cli.echo import echo
from hookctl.cli.listening import default_answer
from hookctl.errors import FileError, SettingsError
from hookctl.files import SHARED, write_file
from hookctl.network.url import is_host
from hookctl.report.text.printable import printable_lines
from hookctl.report.text.received import received_text, summary_text
from hookctl.signatures.schemes import SCHEMES
from hookctl.testing.answers import Answer, Misbehavior

if TYPE_CHECKING:
    from hookctl.testing.answers import ReceivedRequest, Respond
    from hookctl.testing.receiver import Receiver

    Seen = queue.SimpleQueue[tuple[ReceivedRequest, Answer, Sequence[str]] | None]

HOSTS = ("siem.example.com", "login.example.com")
EPILOG = """
\b
Examples:
  hookctl listen                                  show each request, and answer 200
  hookctl listen --respond 503                    answer with another status
  hookctl listen --misbehave trickle-headers      answer slowly, incompletely, endlessly, ...
  hookctl listen --host hooks.slack.com           for webhooks to this host
  hookctl listen --on /records 201 '{"result": {"sys_id": "1"}}'
  hookctl listen --on /in '500,503;retry-after=2,200' '' one after the other; the last one repeats
  hookctl listen --on /slow '200;delay=2s;type=text/xml' @answer.xml
  hookctl listen --secret env:SIGNING_SECRET      answer 401 unless the signature verifies
  hookctl listen --forward-to http://127.0.0.1:3000
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
    "--on",
    "entries",
    metavar="PATH STATUS BODY",
    nargs=3,
    type=str,
    multiple=True,
    help="Answer this path with this status and body; can be given several times. STATUS may be several, with commas: "
    "they come one after the other, and the last one repeats. Each may have settings after semicolons: retry-after=2, "
    "delay=500ms, type=text/xml, misbehave=NAME. BODY may be @FILE; an empty one is accepted or rejected.",
)
@click.option(
    "--forward-to",
    metavar="URL",
    help="Forward each request that has no other answer to a program on this machine, and answer what it answers.",
)
@click.option(
    "--secret",
    metavar="REFERENCE",
    help="Verify signatures with this secret, env:NAME or file:PATH, and answer 401 to requests that do not verify.",
)
@click.option(
    "--scheme", type=click.Choice([*SCHEMES]), help="How requests are signed.  [default: what their headers show]"
)
@click.option("--show-secrets", is_flag=True, help="Show credentials as they arrive, and not as ***.")
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
def command(  # noqa: PLR0917  # one parameter, and sometimes one condition, for each option
    ctx: click.Context,
    port: int,
    hosts: tuple[str, ...],
    ca_out: str | None,
    respond: int,
    answers: tuple[str, ...],
    entries: tuple[tuple[str, str, str], ...],
    forward_to: str | None,
    secret: str | None,
    scheme: str | None,
    show_secrets: bool,
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

    _check(ctx, hosts, scheme, secret)
    seen: Seen = queue.SimpleQueue()
    verifier = listening.Verifier(ctx.obj, secret, scheme, hosts[0]) if secret else None
    verified = ("signature verified",) if verifier else ()
    receiver = Receiver(
        hosts=hosts,
        port=port,
        keep=1,
        token_endpoint=TokenEndpoint(client_id, client_secret) if token_endpoint else None,
        seen=lambda request, answer: seen.put((request, answer, () if request.path == PATH else verified)),
    )

    def note(request: ReceivedRequest, answer: Answer, notes: Sequence[str]) -> None:
        seen.put((request, answer, notes))

    def guarded(answer: Respond) -> Respond:
        return verifier.guard(answer, note) if verifier else answer

    default = listening.forwarder(forward_to, note) if forward_to else _default(respond, misbehave)
    receiver.default = guarded(default)
    if not token_endpoint:
        receiver.answer(PATH, receiver.default)
    for path, body in map(_path_and_body, answers):
        receiver.answer(path, guarded(Answer(respond, body=body)))
    for path, script in listening.scripts(entries).items():
        receiver.answer(path, guarded(listening.in_order(script)))
    for path in protected:
        receiver.require_token(path)
    _start(receiver, ca_out)
    try:
        echo(printable_lines(_ready(receiver, hosts, ca_out)))
        counts = _show(seen, quiet=quiet, show_secrets=show_secrets)
    finally:
        receiver.stop()
    echo(summary_text(counts))


def _check(ctx: click.Context, hosts: Sequence[str], scheme: str | None, secret: str | None) -> None:
    """Raise click.UsageError for options that do not fit."""
    for host in hosts:
        if not is_host(host):
            raise click.BadParameter(f"{host!r} is not a host name.", ctx, param_hint="--host")
    if scheme and not secret:
        raise click.UsageError("--scheme says how to verify signatures, so it needs --secret.")


def _default(status: int, misbehave: str | None) -> Answer:
    return replace(default_answer(status), misbehave=Misbehavior(misbehave) if misbehave else None)


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


def _show(seen: Seen, *, quiet: bool, show_secrets: bool) -> Counter[tuple[str, str, str]]:
    """Show requests as they arrive, until SIGINT or SIGTERM. Returns their number by method, path and answer."""
    counts: Counter[tuple[str, str, str]] = Counter()
    before = {number: signal.signal(number, lambda *_: seen.put(None)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while (item := seen.get()) is not None:
            request, answer, notes = item
            counts[request.method, request.path, answer.misbehave or str(answer.status)] += 1
            if not quiet:
                echo(received_text(counts.total(), request, answer, notes=notes, show_secrets=show_secrets))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return counts
