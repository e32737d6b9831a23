"""Tokens: opaque to callers, and only those given out here are read again."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

from flowy_swf.emulator import faults

_KEY = os.urandom(16)
_SEAL = 12


def _seal(purpose: str, text: bytes) -> bytes:
    digest = hashlib.blake2b(text, key=_KEY, person=purpose.encode(), digest_size=_SEAL)
    return digest.digest()


def write(purpose: str, value: Any) -> str:
    """Make a token that remembers a value for a purpose."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return base64.b64encode(_seal(purpose, text) + text).decode()


def read(purpose: str, token: str) -> Any:
    """Give the value of a token, or raise the fault if it was not made for the purpose."""
    try:
        raw = base64.b64decode(token, validate=True)
    except ValueError:
        raise faults.invalid("Invalid token") from None
    text = raw[_SEAL:]
    if raw[:_SEAL] != _seal(purpose, text):
        raise faults.invalid("Invalid token")
    return json.loads(text.decode("utf-8", "surrogatepass"))
