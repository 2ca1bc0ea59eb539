"""The problems that the API of ``hookctl serve`` answers with: each id, with which status it comes, what it means."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PREFIX = "urn:hookctl:problem:"
"""What the ``type`` of every problem begins with."""

PROBLEMS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "form-invalid": (400, "a browser's form cannot be read"),
        "idempotency-key-invalid": (400, "`Idempotency-Key` is not valid, or is used with `partial`"),
        "parameter-invalid": (400, "a query parameter or its value is not known"),
        "token-missing": (401, "there is no token"),
        "token-refused": (
            401,
            "the token is unknown, has expired or was revoked, or the header is not `Bearer TOKEN`",
        ),
        "signature-refused": (
            401,
            "the token requires a signature, which is missing, wrong, too old or in the future",
        ),
        "cross-site-write": (403, "a write of a browser does not come from a page of this server"),
        "event-type-forbidden": (403, "the token may not send events of this type"),
        "scope-missing": (403, "the token does not have the scope"),
        "event-unknown": (404, "there is no event with this id"),
        "not-found": (404, "there is nothing at this path"),
        "method-not-allowed": (405, "the path does not have this method; `Allow` lists those that it has"),
        "body-too-large": (413, "a form or a signed body is too large"),
        "too-large": (413, "the body, the number of events or an event is too large"),
        "unsupported-media-type": (415, "the form of the body is not supported"),
        "host-unknown": (421, "the `Host` header does not have a name of this server"),
        "event-changed": (422, "an event has the id of an earlier one, and other content"),
        "event-invalid": (422, "an event is not valid; `errors` has the rule that each one breaks"),
        "idempotency-key-reused": (422, "the token has sent another body with this `Idempotency-Key`"),
        "payload-invalid": (422, "a signed payload cannot become an event"),
        "rate-limited": (429, "the token has used up its rate"),
        "too-many-failures": (429, "too many tokens or links were not accepted"),
        "access-unavailable": (503, "the store, or the secret of a signature, cannot be read"),
        "server-busy": (503, "too many large requests are being read at the same time"),
        "store-busy": (503, "other processes use the store for too long"),
        "store-full": (503, "the backlog or the disk is full"),
        "store-unavailable": (503, "the store cannot be read or written"),
    }
)
