"""The bench's peers: programs that do a work on request, each in a process of its own.

The driver writes a line, and the peer answers by one line. Everything else that a peer prints goes to its standard
error. A request is a verb and `key=value`s, with no spaces in a value. An answer begins with ok, or is `error TEXT`, or
is `skip TEXT` if the peer has no such work.

    hello                         ok name=... VERSION=...
    prepare work=WORK key=...     ok inner=K: all is ready, so that only the work is left to do
    run count=N                   ok NS ...: how long each of N repetitions took, divided by the K operations in it
    faults count=N                ok NUMBER ...: the minor page faults of each of N repetitions
    memory                        ok rss_kib=... peak_kib=...
    quit                          (the peer ends, as it does at the end of its standard input)

The works, and the other values of their requests:

    load format=jpeg|png3|png4 path= into=same|fresh     a file's pixels into shared memory: the same again and again,
                                                         or one that no process has touched; BGR, or BGRA for png4
    thumbnail path=                                      a JPEG's bytes to BGRA, a quarter of each side
    flip code=0|1|-1 channels= depth=8|16 width= height= where=apart|inplace
    resize interpolation=0..4 channels= depth=8|16 width= height= to_width= to_height=
    save format=jpeg|png path= source=                   the pixels of the file `source`
    job path= out=                                       load, flip horizontally, save
    tobitmap, frombitmap channels= width= height= into=  between a segment and an SKBitmap
    call name=image_get|abi_version|next                 one call into the library; next: take a frame (C#)
    copy bytes= into=warm|fresh                          memcpy, the floor: between segments, or into memory of malloc's

A whole program, from start to end, is measured from outside: `PEER once job path= out=`.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self


class PeerError(Exception):
    """A peer could not do what it was asked to."""


class PeerSkipped(PeerError):  # noqa: N818 # it is no error
    """A peer has no such work."""


def parse(answer: str) -> list[str]:
    """Return the words of an answer that is ok. Raises PeerSkipped or PeerError for another answer."""
    kind, _, rest = answer.strip().partition(" ")
    if kind == "ok":
        return rest.split()
    if kind == "skip":
        raise PeerSkipped(rest)
    raise PeerError(rest if kind == "error" else f"it answers {answer!r}")


def parse_values(words: list[str]) -> dict[str, str]:
    """Return the `key=value`s of an answer."""
    return dict(word.split("=", 1) for word in words)


class Peer:
    """A process that answers requests."""

    def __init__(self, command: list[str], environment: Mapping[str, str], log: IO[str]) -> None:
        # A session of its own: Ctrl-C reaches the driver alone. The peer's input ends when the driver ends.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=dict(environment),
            text=True,
            bufsize=1,
            start_new_session=True,
        )

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def process_id(self) -> int:
        return self._process.pid

    def ask(self, request: str) -> list[str]:
        """Return the words behind ok."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018
        try:
            self._process.stdin.write(request + "\n")
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise PeerError(f"it has ended with status {self._process.wait()}")
        return parse(answer)

    def values(self, request: str) -> dict[str, str]:
        return parse_values(self.ask(request))

    def numbers(self, request: str) -> list[float]:
        return [float(word) for word in self.ask(request)]

    def close(self) -> None:
        """End the process. It frees what it holds unless it has to be killed."""
        assert self._process.stdin is not None and self._process.stdout is not None  # noqa: PT018
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Pool:
    """The processes of all peers. A peer that a row needs twice at the same time has two processes."""

    def __init__(self, programs: Mapping[str, list[str]], environment: Mapping[str, str], log: Path) -> None:
        self.programs = programs
        self.environment = environment
        self.versions: dict[str, dict[str, str]] = {}
        self._log = log.open("a")
        self._peers: dict[tuple[str, int], Peer] = {}

    def peer(self, program: str, number: int = 0) -> Peer:
        """Return the number-th process of a program. Start it if need be."""
        found = self._peers.get((program, number))
        if found is not None and found.ended:
            self.forget(program, number)
            found = None
        if found is None:
            if program not in self.programs:
                raise PeerSkipped("it is not here")
            found = self._peers[program, number] = Peer(self.programs[program], self.environment, self._log)
            try:
                self.versions[program] = found.values("hello")
            except PeerError:
                self.forget(program, number)
                raise
        return found

    def forget(self, program: str, number: int) -> None:
        """End a process. The next request starts a new one."""
        self._peers.pop((program, number)).close()

    def end_all(self) -> None:
        """End all processes."""
        while self._peers:
            self._peers.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end_all()
        self._log.close()
