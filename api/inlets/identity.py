"""The secret and the address that come with a message over HTTP."""

import base64
import binascii

from fastapi import Request


def secret_of(request: Request) -> str | None:
    """``Authorization: Bearer``, the password of ``Basic``, ``token``, or a part of the path."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    given = given.strip()
    if scheme.lower() == "bearer" and given:
        return given
    if scheme.lower() == "basic" and given:
        try:
            text = base64.b64decode(given, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            return None
        return text.partition(":")[2] or None
    return request.query_params.get("token") or request.path_params.get("secret") or None
