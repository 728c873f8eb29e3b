"""Which users may open a new segment or stream, as the library takes it."""

from __future__ import annotations

import ctypes
from typing import Any, Union

from ._arguments import integer, text
from ._check import check
from ._library import library
from ._native import ShmcvAccess

#: A user or group: a name, or a number. None is the user of this process, or the group that the system gives new files.
Account = Union[str, int, None]

#: Of what only this user may open.
OWN = 0o600


def access(mode: int, group: Account, owner: Account) -> Any:
    """Return the argument for a function that makes something. Raises NotFoundError for an unknown name."""
    number = integer("mode", mode, ctypes.c_uint32)
    return ctypes.byref(ShmcvAccess(owner=_id("owner", owner, "user"), group=_id("group", group, "group"), mode=number))


def _id(argument: str, account: Account, kind: str) -> int:
    if account is None:
        return -1
    if not isinstance(account, str):
        return integer(argument, account, ctypes.c_int64)
    found = ctypes.c_int64()
    check(getattr(library(), f"shmcv_{kind}_id")(text(argument, account), ctypes.byref(found)), account)
    return found.value
