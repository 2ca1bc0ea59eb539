"""What to look at next after a failed attempt, by its cause. A test asks for tips for every kind of failure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from hookctl.model import Attempt, DeliveryPlan, FailureKind, Response

FAILURES: Mapping[FailureKind, tuple[str, ...]] = {
    FailureKind.NAME_NOT_FOUND: (
        "Check the spelling of {host} in the webhook's url.",
        "Ask this machine's name service: getent hosts {host}. A name of a private network is known only inside it.",
    ),
    FailureKind.ADDRESS_BLOCKED: (
        "A webhook may not reach into this machine's own or private networks, so nothing was sent.",
        "Check that the url names the public host, and where its DNS entry points: getent hosts {host}",
        "If this machine may reach that address, say so for this host under [allow] in hookctl.toml.",
    ),
    FailureKind.CONNECT: (
        "Is the target up, and does it listen on port 443? Try: curl -v https://{host}/",
        "A firewall on the way may refuse: many targets admit known addresses only, so this machine's outgoing address may have to be added there.",
        "With --connect-to, check the address and the port that it names.",
    ),
    FailureKind.TLS: (
        "The TLS handshake failed before any certificate was looked at: does the target speak TLS 1.2 or newer on port 443?",
        "Look at what it offers: openssl s_client -connect {host}:443 -servername {host}",
    ),
    FailureKind.TIMEOUT: (
        "The target did not finish its answer within {timeout}. A target should accept first, and work afterwards.",
        "If it is known to be slow, raise timeout_seconds.",
    ),
    FailureKind.CUT_RESPONSE: (
        "The connection ended inside the response, or what came is no HTTP. The target may have handled the event nevertheless.",
        "Look into the target's log, and into that of the proxy or load balancer before it.",
    ),
    FailureKind.TRANSPORT: (
        "The request could not be sent, or its answer not be read: the message above is all that is known.",
        "Try the target without hookctl: curl -v https://{host}/",
    ),
    FailureKind.RENDER: (
        "See what the template makes of the event: hookctl render {quoted} --event FILE",
        "See which fields an event has, and which are optional: hookctl schema event {event}",
    ),
    FailureKind.SECRET: (
        "Secrets are read when a request is sent: set the variable, or write the file, where hookctl runs, and start it again.",
        "A secret that is sent in a header must not hold a line break, or begin or end with a space: files often end with one.",
    ),
    FailureKind.TOKEN: (
        "The target itself was not asked: there was no token to ask with.",
        "Check client_id, client_secret, token_url and scopes in the auth block, and that the client is allowed client credentials.",
        "Some servers take the credentials in the form alone: token_endpoint_auth_method: client_secret_post",
    ),
    FailureKind.LOCAL: (
        "The target is not at fault: the machine that hookctl runs on lacks what the message names. Live deliveries are tried again soon.",
        "See the limits of this process: ulimit -a. For file descriptors raise ulimit -n; for memory, the limit of the container or the service.",
        "See what else uses it up, and what hookctl itself has open: lsof -p PID",
    ),
    FailureKind.PLUGIN: (
        "A plugin failed, not the target. See which is loaded and where it comes from: hookctl plugins",
        "Tell its author what the message says; another version of it may do.",
    ),
}

SECRET_IN_URL = (
    "What the secret stands for does not fit into a URL: write its characters as percent escapes where the secret is kept, %20 for a space.",
    "Check that it is the secret that is meant, and that neither a line break nor a space came with it. Better: send it in a header, by auth.",
)
UNTRUSTED = (
    "The certificate's authority is not one that is trusted here.",
    "If it is your own, name it: --cacert FILE, or cacert in hookctl.toml.",
    "If it is a public one, the target may leave out an intermediate certificate: openssl s_client -connect {host}:443 -servername {host} -showcerts",
)
WRONG_NAME = (
    "The certificate is not for {host}.",
    "Write the name that it is for into the webhook's url, or have the target get a certificate for {host}.",
)
EXPIRED = (
    "The certificate is expired, or not valid yet: have the target renew it.",
    "If other hosts fail in the same way, check this machine's clock.",
)
PERHAPS_NOT_CONNECTED = (
    "If not even a connection was made: a firewall that drops packets looks like this.",
    "Many targets admit known addresses only, so this machine's outgoing address may have to be added there.",
)
HUNG_UP = (
    "The target took the connection and hung up before it answered. It may have handled the event nevertheless.",
    "Look into the target's log, and into that of the proxy or load balancer before it.",
)

STATUSES: Mapping[int, tuple[str, ...]] = {
    400: (
        "The target does not understand the request: compare the body with what its documentation asks for. Its response often says what is wrong.",
        "See the exact body: hookctl render {quoted} --body",
    ),
    401: (
        "The target does not accept the credentials: check the secret that the auth block refers to, and that the auth type is the one that it asks for.",
        "A secret that was changed there has to be changed here too.",
    ),
    403: (
        "The target knows the credentials and does not allow this: check their roles or scopes.",
        "Some targets answer so to an unknown outgoing address.",
    ),
    404: (
        "The host answers, and has nothing at this path: check the path of the webhook's url, down to upper and lower case and the slash at its end.",
    ),
    405: (
        "The path exists, and does not take {method}: check method, and the path, against the target's documentation.",
    ),
    408: (
        "The target gave up waiting for the request. It is tried again in live deliveries; check the way between here and there.",
    ),
    409: (
        "The target sees a conflict, often an event that it has already: the webhook-id header tells repetitions apart.",
    ),
    410: (
        "The target says that this address is gone for good. A live delivery that gets this answer suspends the webhook.",
        "Ask the target's operator for the new address, or remove the webhook.",
    ),
    413: ("The body is larger than the target takes: send less of the event in body_template.",),
    415: (
        "The target does not take this content type: set Content-Type under headers to the one that its documentation asks for.",
    ),
    422: (
        "The target reads the body and rejects its content: a field is missing, or has a value that it does not know. Its response often says which.",
        "See the exact body: hookctl render {quoted} --body",
    ),
    429: (
        "The target limits how often it may be called. Live deliveries wait as long as its Retry-After asks.",
        "Set rate_limit to what it allows.",
    ),
    501: ("The target does not know the method {method}: check it against the target's documentation.",),
}
REDIRECT = (
    "Redirects are not followed, so that nobody but the author of the webhook decides where events go.",
    "Write the final address into the webhook's url{location}.",
)
OTHER_STATUS = ("See what the response says, and what the target's documentation says of status {status}.",)
SERVER_ERROR = (
    "The target has a problem of its own. Live deliveries are tried again by the webhook's retry schedule.",
    "If it lasts, tell the target's operator; the webhook-id (see --show-invocation) helps to find the request in a log.",
)
MISMATCH = (
    "The status says success, and response_validators say otherwise: compare the response with what they expect.",
    "If the target is right, correct json_path or expected_values; if it refused the event, the response says why.",
)
NOT_TRUSTED_BODY = (
    "The body could not be checked as a whole: let the target answer with less, and with its Content-Length.",
)


def tips_for(attempt: Attempt, plan: DeliveryPlan) -> tuple[str, ...]:
    """What to look at next; empty for an attempt that succeeded."""
    return tuple(tip.format_map(_Words(attempt, plan)) for tip in _tips(attempt))


def _tips(attempt: Attempt) -> tuple[str, ...]:
    failure, response = attempt.failure, attempt.response
    if failure is not None:
        connected = attempt.timing.connected is not None or attempt.timing.first_byte is not None
        more = PERHAPS_NOT_CONNECTED if failure.kind is FailureKind.TIMEOUT and not connected else ()
        if failure.kind is FailureKind.CONNECT and attempt.timing.tls is not None:
            return HUNG_UP
        if failure.kind is FailureKind.SECRET and "the rule url-" in failure.message:
            return SECRET_IN_URL
        return _tls(failure.message) if failure.kind is FailureKind.TLS else FAILURES[failure.kind] + more
    return () if response is None or attempt.succeeded else _status(response)


def _status(response: Response) -> tuple[str, ...]:
    if 200 <= response.status < 300:
        return NOT_TRUSTED_BODY if response.truncated or not response.framed else MISMATCH
    if 300 <= response.status < 400:
        return REDIRECT
    return STATUSES.get(response.status, SERVER_ERROR if response.status >= 500 else OTHER_STATUS)


def _tls(message: str) -> tuple[str, ...]:
    """By the words of OpenSSL, which both transports repeat."""
    said = message.lower()
    if "expired" in said or "not yet valid" in said:
        return EXPIRED
    if "hostname" in said or "subject name" in said or "match" in said:
        return WRONG_NAME
    if "issuer" in said or "self-signed" in said or "self signed" in said or "unable to verify" in said:
        return UNTRUSTED
    return FAILURES[FailureKind.TLS]


class _Words(dict[str, str]):
    """What stands in the braces of a tip."""

    def __init__(self, attempt: Attempt, plan: DeliveryPlan) -> None:
        response = attempt.response
        super().__init__(
            host=urlsplit(plan.url).hostname or "the host",
            timeout=f"{plan.timeout_seconds:g} s",
            quoted=f'"{plan.name}"' if " " in plan.name else plan.name,
            event=plan.event,
            method=plan.method,
            status=str(response.status) if response else "",
            location=_location(response),
        )


def _location(response: Response | None) -> str:
    found = next((value for name, value in response.headers if name.lower() == "location"), "") if response else ""
    return f"; the target names {found}" if found else ""
