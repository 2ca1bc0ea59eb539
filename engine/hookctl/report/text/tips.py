"""What to check next after a failed attempt, by its cause. A test makes sure that every kind of failure has tips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from hookctl.delivery.outcomes import Decision, decision_for, is_delivered, result_of
from hookctl.model import (
    BROKEN_URL,
    CERTIFICATE_EXPIRED,
    CERTIFICATE_UNTRUSTED,
    CERTIFICATE_WRONG_NAME,
    CLIENT_CERTIFICATE_REFUSED,
    CREDENTIALS_REFUSED,
    PROXY_CANNOT_REACH,
    PROXY_CREDENTIALS,
    PROXY_REFUSES,
    Attempt,
    DeliveryPlan,
    FailureKind,
    Response,
)
from hookctl.report.text.token_tips import token_words

FAILURES: Mapping[FailureKind, tuple[str, ...]] = {
    FailureKind.NAME_NOT_FOUND: (
        "Check the spelling of {host} in the webhook's url.",
        "Ask this machine's name service: getent hosts {host}. Private names resolve only inside their network.",
    ),
    FailureKind.ADDRESS_BLOCKED: (
        "Webhooks may not reach this machine or private networks, so nothing was sent.",
        "Check that the url names the public host, and what its name resolves to: getent hosts {host}",
        "If this machine may reach that address, allow it for this host under [allow] in hookctl.toml.",
    ),
    FailureKind.CONNECT: (
        "Is the target up, and does it listen on port 443? Try: curl -v https://{host}/",
        (
            "A firewall may refuse the connection: many targets accept only known addresses, and this machine's "
            "outgoing address may have to be added there."
        ),
        "If you use --connect-to, check its address and port.",
    ),
    FailureKind.TLS: (
        (
            "The TLS handshake failed before the certificate was checked: does the target support TLS 1.2 or newer "
            "on port 443?"
        ),
        "See what it offers: openssl s_client -connect {host}:443 -servername {host}",
    ),
    FailureKind.PROXY: (
        "Nothing was sent to the target. The proxy is set on this machine: --proxy, HOOKCTL_PROXY or hookctl.toml.",
        "Is the proxy up, and does it speak HTTP CONNECT? Try: curl -v --proxy PROXY https://{host}/",
    ),
    FailureKind.TIMEOUT: (
        (
            "The target did not finish its answer within {timeout}. A target should answer first, and process the "
            "event later."
        ),
        "If the target is known to be slow, raise timeout_seconds.",
    ),
    FailureKind.CUT_RESPONSE: (
        (
            "The connection ended inside the response, or the response is not HTTP. The target may have processed "
            "the event."
        ),
        "Check the logs of the target, and of any proxy or load balancer in front of it.",
    ),
    FailureKind.TRANSPORT: (
        "The request could not be sent, or its answer could not be read; no further details are available.",
        "Try the target without hookctl: curl -v https://{host}/",
    ),
    FailureKind.RENDER: (
        "See how the template renders the event: hookctl render {quoted} --event FILE",
        "See which fields an event has, and which are optional: hookctl schema event {event}",
    ),
    FailureKind.SECRET: (
        (
            "Secrets are read when a request is sent: set the variable or write the file where hookctl runs, then "
            "try again."
        ),
        (
            "A secret in a header must not contain a line break, or start or end with a space; files often end with "
            "a line break."
        ),
    ),
    FailureKind.TOKEN: (
        "Nothing was sent to the target, since there is no token to send.",
        "Check {credentials} in the auth block, and that the client may use this grant.",
        "{asks}",
        "{client_auth}",
    ),
    FailureKind.LOCAL: (
        (
            "The target is not the cause: this machine has run out of the resource that the message names. Live "
            "deliveries are retried soon."
        ),
        (
            "See the limits of this process: ulimit -a. For file descriptors, raise ulimit -n; for memory, raise the "
            "limit of the container or service."
        ),
        "See what else uses the resource, and which files hookctl has open: lsof -p PID",
    ),
    FailureKind.PLUGIN: (
        "A plugin failed, not the target. See which plugins are loaded, and where they come from: hookctl plugins",
        "See where it fails: hookctl --debug test {quoted}",
        "Report the message and the traceback to the plugin's author, or try another version of the plugin.",
    ),
}

SECRET_IN_URL = (
    "The secret does not fit into a URL: store it with percent escapes, such as %20 for a space.",
    (
        "Check that it is the right secret, without a line break or a space around it. It is safer to send it in a "
        "header, with auth."
    ),
)
UNTRUSTED = (
    "This machine does not trust the certificate authority.",
    "If it is your own, name it: --cacert FILE, or cacert in hookctl.toml.",
    (
        "If it is a public one, the target may leave out an intermediate certificate: openssl s_client -connect "
        "{host}:443 -servername {host} -showcerts"
    ),
)
WRONG_NAME = (
    "The certificate is not for {host}.",
    "Write the name that it is for into the webhook's url, or have the target get a certificate for {host}.",
)
EXPIRED = (
    "The certificate has expired, or is not valid yet: ask the target's operator to renew it.",
    "If other hosts fail in the same way, check this machine's clock.",
)
CLIENT_CERTIFICATE = (
    "The target requires a client certificate that it accepts: set auth type mtls, or check which certificate is set.",
    "See whose certificates it accepts: openssl s_client -connect {host}:443 -servername {host}",
    "If it was renewed, put the new one where the secret reference reads it: hookctl then continues on its own.",
)
CREDENTIALS = (
    (
        "The token endpoint does not accept the client: check {credentials} in the auth block, and that the client may "
        "use this grant."
    ),
    "{client_auth}",
    "{asks}",
    "If the client's secret was changed at the server, change it where hookctl runs too: deliveries then continue.",
)
PROXY_WANTS_CREDENTIALS = (
    "The proxy does not accept the credentials, so nothing was sent to the target.",
    "Name them in the proxy's URL as secret references: http://${{env:PROXY_USER}}:${{env:PROXY_PASSWORD}}@HOST:PORT",
)
PROXY_FORBIDS = (
    "The proxy's rules do not allow this target, so nothing was sent.",
    "Ask the proxy's operator to allow CONNECT to {host} and its port.",
)
PROXY_FAILED = (
    "The proxy could not resolve {host} or connect to it. It reports what it found in its own log.",
    (
        "If the proxy cannot reach this host but this machine can, list the host under [allow] in hookctl.toml, with "
        "its networks: hookctl then connects directly."
    ),
)
BY_CAUSE: Mapping[tuple[FailureKind, str], tuple[str, ...]] = {
    (FailureKind.SECRET, BROKEN_URL): SECRET_IN_URL,
    (FailureKind.TOKEN, CREDENTIALS_REFUSED): CREDENTIALS,
    (FailureKind.PROXY, PROXY_CREDENTIALS): PROXY_WANTS_CREDENTIALS,
    (FailureKind.PROXY, PROXY_REFUSES): PROXY_FORBIDS,
    (FailureKind.PROXY, PROXY_CANNOT_REACH): PROXY_FAILED,
    (FailureKind.TLS, CERTIFICATE_EXPIRED): EXPIRED,
    (FailureKind.TLS, CERTIFICATE_UNTRUSTED): UNTRUSTED,
    (FailureKind.TLS, CERTIFICATE_WRONG_NAME): WRONG_NAME,
    (FailureKind.TLS, CLIENT_CERTIFICATE_REFUSED): CLIENT_CERTIFICATE,
}
"""The tips of a failure whose cause is known; they replace those of its kind."""
PERHAPS_NOT_CONNECTED = (
    "No connection was made: a firewall may drop the packets.",
    "Many targets accept only known addresses: this machine's outgoing address may have to be added there.",
)
HUNG_UP = (
    "The target accepted the connection and closed it before it answered. It may have processed the event.",
    "Check the logs of the target, and of any proxy or load balancer in front of it.",
)

STATUSES: Mapping[int, tuple[str, ...]] = {
    400: (
        (
            "The target does not understand the request: compare the body with the target's documentation. The "
            "response often says what is wrong."
        ),
        "See the exact body: hookctl render {quoted} --body",
    ),
    401: (
        (
            "The target does not accept the credentials: check the secret in the auth block or the headers, and that "
            "the target uses this kind of auth."
        ),
        "If the secret was changed at the target, change it where hookctl runs too: deliveries then continue.",
    ),
    403: (
        "The target accepts the credentials but does not allow this request: check their roles or scopes.",
        "Some targets also answer 403 to an unknown outgoing address.",
    ),
    404: (
        (
            "The host answers, but has nothing at this path: check the path of the webhook's url, including upper and "
            "lower case and the final slash."
        ),
    ),
    405: ("The path exists, but does not accept {method}: compare method and path with the target's documentation.",),
    408: (
        (
            "The target stopped waiting for the request. Live deliveries are retried; check the network between "
            "here and the target."
        ),
    ),
    409: (
        (
            "The target reports a conflict, often an event that it already has. A repeated event has the same "
            "webhook-id header."
        ),
    ),
    410: (
        "The target says that this address is gone for good.",
        "Ask the target's operator for the new address, or remove the webhook.",
    ),
    413: ("The body is larger than the target accepts: send less of the event in body_template.",),
    415: (
        (
            "The target does not accept this content type: set Content-Type under headers as the target's "
            "documentation says."
        ),
    ),
    422: (
        (
            "The target rejects the content of the body: a field is missing, or has an unknown value. The response "
            "often says which."
        ),
        "See the exact body: hookctl render {quoted} --body",
    ),
    429: (
        "The target limits the rate of requests. Live deliveries wait as long as its Retry-After header asks.",
        "Set rate_limit to the rate that it allows.",
    ),
    501: ("The target does not know the method {method}: compare it with the target's documentation.",),
}
REDIRECT = (
    "Redirects are not followed, so that only the author of the webhook decides where events go.",
    "Write the final address into the webhook's url{location}.",
)
OTHER_STATUS = ("See what the response says, and what the target's documentation says about status {status}.",)
SERVER_ERROR = (
    "The target has an internal problem. Live deliveries are retried on the webhook's retry schedule.",
    (
        "If it persists, contact the target's operator. The header webhook-id of the request identifies it in "
        "their logs."
    ),
)
MISMATCH = (
    "The status means success, but response_validators disagree: compare the response with what they expect.",
    "If the target is right, correct json_path or expected_values; if it refused the event, the response says why.",
)
NOT_TRUSTED_BODY = (
    "The body could not be checked completely: the target should send a shorter response, with a Content-Length.",
)


def tips_for(attempt: Attempt, plan: DeliveryPlan) -> tuple[str, ...]:
    """What to check next, a sentence or two each; empty for an attempt that delivers."""
    if is_delivered(attempt, plan):
        return ()
    words = _Words(attempt, plan)
    tips = (tip.format_map(words) for tip in (*_tips(attempt), *_live(attempt, plan)))
    return tuple(tip for tip in tips if tip)


def _live(attempt: Attempt, plan: DeliveryPlan) -> Iterator[str]:
    """What a live delivery would do, where the other tips cannot say it."""
    result = result_of(attempt)
    decision = decision_for(result, plan.outcomes)
    if decision in (Decision.HOLD, Decision.DEAD_AND_HOLD):
        yield "In a live delivery, this answer holds the webhook: its other deliveries wait."
    elif decision is not decision_for(result, {}):
        what = "is retried on its schedule" if decision is Decision.RETRY else "is dead"
        yield f"The outcomes of this webhook decide: a live delivery with this answer {what}."


def _tips(attempt: Attempt) -> tuple[str, ...]:
    failure, response = attempt.failure, attempt.response
    if failure is not None:
        connected = attempt.timing.connected is not None or attempt.timing.first_byte is not None
        more = PERHAPS_NOT_CONNECTED if failure.kind is FailureKind.TIMEOUT and not connected else ()
        if failure.kind is FailureKind.CONNECT and attempt.timing.tls is not None:
            return HUNG_UP
        return BY_CAUSE.get((failure.kind, failure.cause), FAILURES[failure.kind]) + more
    return () if response is None or attempt.succeeded else _status(response)


def _status(response: Response) -> tuple[str, ...]:
    if 200 <= response.status < 300:
        return NOT_TRUSTED_BODY if response.truncated or not response.framed else MISMATCH
    if 300 <= response.status < 400:
        return REDIRECT
    return STATUSES.get(response.status, SERVER_ERROR if response.status >= 500 else OTHER_STATUS)


class _Words(dict[str, str]):
    """The values for the braces in a tip."""

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
            **token_words(plan),
        )


def _location(response: Response | None) -> str:
    found = next((value for name, value in response.headers if name.lower() == "location"), "") if response else ""
    return f"; the target names {found}" if found else ""
