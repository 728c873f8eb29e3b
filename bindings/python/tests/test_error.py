"""Errors: each code has its exception, which says what happened and is also one of Python's own."""

from __future__ import annotations

import ctypes
import errno
import pickle
import threading

import pytest
from support import PATIENCE

import shmcv
from shmcv import ErrorCode
from shmcv._check import check
from shmcv._library import library
from shmcv.constants import MESSAGE_SIZE
from shmcv.error import EXCEPTIONS

BUILT_IN = {
    ErrorCode.INVALID: ValueError,
    ErrorCode.NOT_FOUND: FileNotFoundError,
    ErrorCode.EXISTS: FileExistsError,
    ErrorCode.CLOSED: ValueError,
    ErrorCode.NO_SPACE: OSError,
    ErrorCode.TOO_SMALL: ValueError,
    ErrorCode.TRUNCATED: OSError,
    ErrorCode.NO_IMAGE: ValueError,
    ErrorCode.PERMISSION: PermissionError,
    ErrorCode.DECODE: ValueError,
    ErrorCode.ENCODE: ValueError,
    ErrorCode.UNSUPPORTED: ValueError,
    ErrorCode.IO: OSError,
    ErrorCode.NO_DISPLAY: RuntimeError,
    ErrorCode.FORKED: RuntimeError,
    ErrorCode.CORRUPT: ValueError,
    ErrorCode.LIMIT: ValueError,
    ErrorCode.BUSY: OSError,
    ErrorCode.TIMEOUT: TimeoutError,
    ErrorCode.INTERNAL: RuntimeError,
    ErrorCode.ENDED: EOFError,
    ErrorCode.WRITER_GONE: ConnectionResetError,
    ErrorCode.REPLACED: OSError,
}


@pytest.mark.parametrize("code", [code for code in ErrorCode if code != ErrorCode.OK], ids=lambda code: code.name)
def test_each_code_is_an_exception_of_its_own_and_a_built_in_one(code):
    kind = EXCEPTIONS[code]
    assert issubclass(kind, BUILT_IN[code])
    assert issubclass(kind, shmcv.ShmcvError)
    assert getattr(shmcv, kind.__name__) is kind
    with pytest.raises(kind) as caught:
        check(code)
    assert caught.value.code is code


def test_ok_is_no_error():
    check(ErrorCode.OK)


def test_every_code_has_its_exception_named_after_it():
    assert set(EXCEPTIONS) == set(ErrorCode) - {ErrorCode.OK}
    for code, kind in EXCEPTIONS.items():
        words = code.name.split("_")
        assert kind.__name__ == "".join(word if word == "IO" else word.title() for word in words) + "Error"
        assert kind.code is code
        assert kind.__doc__


def test_error_name_is_the_headers():
    for code in ErrorCode:
        wanted = "SHMCV_OK" if code == ErrorCode.OK else f"SHMCV_E_{code.name}"
        assert library().shmcv_error_name(code) == wanted.encode()
    for other in (1, -len(ErrorCode), -999, 2**31 - 1, -(2**31)):
        assert library().shmcv_error_name(other) == b"unknown"


def test_a_code_of_a_newer_library_is_still_an_error():
    with pytest.raises(shmcv.ShmcvError) as caught:
        check(-999)
    assert (type(caught.value), caught.value.code) == (shmcv.ShmcvError, -999)
    assert str(caught.value)


def test_the_system_errors_carry_their_number(name):
    with pytest.raises(OSError, match=name) as caught:
        shmcv.Segment.open(name)
    assert caught.value.errno == errno.ENOENT


def test_errors_travel_between_processes(name):
    with pytest.raises(shmcv.NotFoundError) as caught:
        shmcv.Segment.open(name)
    unknown = shmcv.ShmcvError("of a newer library")
    unknown.code = -999
    for problem in (caught.value, unknown):
        there = pickle.loads(pickle.dumps(problem))
        assert (type(there), str(there), there.code) == (type(problem), str(problem), problem.code)


def test_each_thread_has_its_own_message():
    both_failed = threading.Barrier(2, timeout=PATIENCE)
    messages = {}

    def fail(name):
        assert library().shmcv_clear(name.encode()) == ErrorCode.INVALID
        both_failed.wait()
        buffer = ctypes.create_string_buffer(MESSAGE_SIZE)
        library().shmcv_last_error(buffer, MESSAGE_SIZE)
        messages[name] = buffer.value.decode()

    names = ["bad/one", "bad/two"]
    threads = [threading.Thread(target=fail, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(name in messages[name] for name in names)


def test_a_message_is_cut_at_a_whole_character(tmp_path):
    # The path is shifted byte by byte, so that some cuts fall inside a character of three bytes.
    for shift in range(3):
        with pytest.raises(FileNotFoundError) as caught:
            shmcv.probe(tmp_path / ("x" * shift + "/".join(["猫" * 80] * 6)))
        assert "�" not in str(caught.value)
    buffer = ctypes.create_string_buffer(b"x" * 10)
    assert library().shmcv_last_error(buffer, 0) == ErrorCode.INVALID
    assert library().shmcv_last_error(None, 10) == ErrorCode.INVALID
    assert buffer.value == b"x" * 10
    assert library().shmcv_last_error(buffer, 5) == ErrorCode.OK
    assert len(buffer.value) == 4
