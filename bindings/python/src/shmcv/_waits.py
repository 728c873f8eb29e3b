"""All asynchronous waits of this process. One thread sleeps for all of them, in the library, on a wait set.

The thread is started with the first wait, and ends when there has been none for a while, or with the interpreter. It
only tells the event loops that a wait is over, whatever their number.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import itertools
import os
import threading
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from . import error
from ._check import check
from ._library import library
from ._memory import Handle
from ._native import ShmcvWaitSet
from ._slices import seconds, too_late
from .constants import ErrorCode
from .error import ShmcvError

T = TypeVar("T")

_IDLE_MS = 5000
_CAPACITY = 256
_LOOK_S = 0.005

#: Adds a wait to a set: takes the set, the handle, newer_than and the key, and returns a code of the library.
Add = Callable[[int, int, int, int], int]


class _Waker(NamedTuple):
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]

    def finish(self, problem: BaseException | None = None) -> None:
        """Wake the task. Any thread may call this."""
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self.loop.call_soon_threadsafe(self._finish, problem)

    def _finish(self, problem: BaseException | None) -> None:
        if self.future.done():
            return
        if problem is None:
            self.future.set_result(None)
        else:
            self.future.set_exception(problem)


class _Pending(NamedTuple):
    handle: Handle
    waker: _Waker


class _Waits:
    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[int, _Pending] = {}
        self._keys = itertools.count(1)
        self._set = 0
        self._thread: threading.Thread | None = None

    async def news(self, add: Add, handle: Handle, newer_than: int, timeout: float | None) -> bool:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        key = self._register(add, _Pending(handle, _Waker(loop, future)), newer_than)
        try:
            done, _ = await asyncio.wait({future}, timeout=timeout)
        finally:
            self._forget(key)
        if done:
            future.result()  # raises the set's error, if that has ended the wait
        return bool(done)

    def _register(self, add: Add, wait: _Pending, newer_than: int) -> int:
        with self._lock:
            if self._set == 0:
                made = ShmcvWaitSet()
                check(library().shmcv_wait_set_create(ctypes.byref(made)))
                self._set = made.value
            key = next(self._keys)
            check(add(self._set, wait.handle.number, newer_than, key))
            self._pending[key] = wait
            if wait.handle.ended:
                wait.waker.finish()
            if self._thread is None:
                # A daemon does not keep the process from ending. _stop ends it.
                self._thread = threading.Thread(target=self._run, args=(self._set,), name="shmcv waits", daemon=True)
                self._thread.start()
            return key

    def _forget(self, key: int) -> None:
        with self._lock:
            if self._pending.pop(key, None) is not None:
                library().shmcv_wait_set_remove(self._set, key)  # it may be over already

    def end(self, handle: Handle) -> None:
        with self._lock:
            handle.ended = True
            ended = [wait.waker for wait in self._pending.values() if wait.handle is handle]
        for waker in ended:
            waker.finish()

    def count(self) -> int:
        with self._lock:
            return len(self._pending)

    def _run(self, handle: int) -> None:
        wait, keys, count = library().shmcv_wait_set_wait, (ctypes.c_uint64 * _CAPACITY)(), ctypes.c_uint64()
        while True:
            status = wait(handle, _IDLE_MS, keys, _CAPACITY, ctypes.byref(count))
            if status == ErrorCode.TIMEOUT:
                with self._lock:
                    if not self._pending:
                        self._thread = None
                        return
            elif status != ErrorCode.OK:
                self._fail(handle, status)
                return
            else:
                self._complete(keys[: count.value])

    # The thread refers to no handle when a task goes on, which may close the handle and expect it to be closed then.
    def _complete(self, keys: list[int]) -> None:
        with self._lock:
            over = [self._pending.pop(key).waker for key in keys if key in self._pending]
        for waker in over:
            waker.finish()

    def _fail(self, handle: int, status: int) -> None:
        """Give all waits the error of the set. The next wait begins with another set."""
        problem: BaseException | None = None
        try:
            check(status)
        except ShmcvError as found:
            problem = found
        with self._lock:
            failed = [wait.waker for wait in self._pending.values()]
            self._pending.clear()
            library().shmcv_wait_set_close(handle)
            self._set, self._thread = 0, None
        for waker in failed:
            waker.finish(problem)

    def stop(self) -> None:
        """End the thread, at the interpreter's end."""
        thread = self._thread
        if thread is not None:
            library().shmcv_wait_set_close(self._set)
            thread.join(5)


_waits = _Waits()
atexit.register(_waits.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_waits._reset)


async def news(add: Add, handle: Handle, newer_than: int, timeout: float | None) -> bool:
    """Wait for what ``add`` adds to a wait set, or until ``end``. Return False if the time, in seconds, is up.

    Call the object itself afterwards: it gives what there is, or the error that ended the wait. A task that is
    cancelled leaves nothing behind.
    """
    return await _waits.news(add, handle, newer_than, timeout)


async def repeat(
    ask: Callable[[], T], more: Callable[[float | None], Awaitable[bool]], timeout: float | None, late: str
) -> T:
    """Return what ``ask`` gives once it raises no TimeoutError, and await ``more`` of the time that is left meanwhile.

    Raises TimeoutError with the text ``late`` if the whole time is up.
    """
    limit, loop = seconds(timeout), asyncio.get_running_loop()
    deadline = None if limit is None else loop.time() + limit
    while True:
        try:
            return ask()
        except error.TimeoutError:
            left = None if deadline is None else deadline - loop.time()
        if not (left is None or left > 0) or not await more(left):
            raise too_late(late, limit)


async def until_found(find: Callable[[], T], timeout: float | None, late: str) -> T:
    """Return what ``find`` gives once it raises no NotFoundError, and look again every few milliseconds.

    With a timeout of 0 the error is NotFoundError. Raises TimeoutError with the text ``late`` if the time is up.
    """
    limit, loop = seconds(timeout), asyncio.get_running_loop()
    deadline = None if limit is None else loop.time() + limit
    while True:
        try:
            return find()
        except error.NotFoundError:
            if limit == 0:
                raise
        if deadline is not None and loop.time() >= deadline:
            raise too_late(late, limit)
        await asyncio.sleep(_LOOK_S)


def end(handle: Handle) -> None:
    """End all asynchronous waits on an object that is closed."""
    _waits.end(handle)


def count() -> int:
    """Return the number of waits that are not over, for tests."""
    return _waits.count()
