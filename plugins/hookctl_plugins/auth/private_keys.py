"""Reads private keys from secrets, with errors that say what is wrong and repeat nothing of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hookctl.errors import SecretError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_KEY = re.compile(
    r"-----BEGIN (?P<kind>(?:[A-Z0-9]+ )*)PRIVATE KEY-----.*?-----END (?P=kind)PRIVATE KEY-----", re.DOTALL
)
_ENCRYPTED = re.compile(r"BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: *4, *ENCRYPTED", re.MULTILINE)


def load_private_key(text: str, password: str, who: str) -> PrivateKeyTypes:
    """The first private key in PEM text: PKCS #8 or traditional, encrypted or not.

    Args:
        text: The text, which may also contain certificates.
        password: Decrypts the key if it is encrypted; empty if there is none.
        who: The auth, as messages name it: ``auth mtls``.

    Raises:
        SecretError: There is no key that can be used.
    """
    found = _KEY.search(text)
    if found is None:
        raise SecretError(
            f"the key of {who} is not a private key in PEM format",
            hint="It begins with a line such as -----BEGIN PRIVATE KEY-----. Keep its line breaks.",
        )
    is_encrypted = _ENCRYPTED.search(found[0]) is not None
    if is_encrypted and not password:
        raise SecretError(
            f"the key of {who} is encrypted, and there is no key_password",
            hint="Add key_password as a secret reference.",
        )
    try:
        return load_pem_private_key(found[0].encode(), password.encode() if is_encrypted else None)
    except UnsupportedAlgorithm:
        problem = "uses an algorithm that is not supported"
    except (ValueError, TypeError):
        problem = "is damaged"
        if is_encrypted:
            raise SecretError(
                f"key_password does not decrypt the key of {who}, or the key is damaged",
                hint="Try it: openssl pkey -in KEY -noout",
            ) from None
    raise SecretError(f"the key of {who} {problem}", hint="Try it: openssl pkey -in KEY -noout")
