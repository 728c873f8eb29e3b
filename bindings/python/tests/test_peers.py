"""Streams between languages: every pair of a producer and a consumer in C, Python and C#.

A party is a program in ``peers``, called as ``produce NAME -`` or ``consume NAME LAST``. A producer publishes as many
frames as each line of its input says, and then prints the last frame's number. Frame n is gray, 64 + n % 3 pixels wide
and 48 high, and every sample of it is n modulo 256. A consumer prints the number of each frame that it gets, and
"whole" or "torn".
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import IMPORTED, LIBRARY, PATIENCE, Process, built, clear, compiled
from system import ENDS_WITH_US, linux_alone

import shmcv

PEERS = Path(__file__).resolve().parent / "peers"
LANGUAGES = ("c", "python", "csharp")
FRAMES = 300
Command = list[str]


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Command]:
    """A function that returns the command of a party in a language. Each party is built once."""
    built: dict[str, Command] = {}

    def build(language: str) -> Command:
        if language not in built:
            built[language] = BUILDERS[language](tmp_path_factory.mktemp(language))
        return built[language]

    return build


def build_c(folder: Path) -> Command:
    """Compile the party."""
    return compiled(PEERS / "peer.c", folder)


def build_python(_: Path) -> Command:
    """Python needs no build."""
    return [sys.executable, str(PEERS / "peer.py")]


def build_csharp(folder: Path) -> Command:
    """Build the party."""
    return built(PEERS / "csharp" / "Peer.csproj", folder)


BUILDERS: dict[str, Callable[[Path], Command]] = {"c": build_c, "python": build_python, "csharp": build_csharp}


class Party:
    """A party that runs and has opened the stream."""

    def __init__(self, command: Command, *arguments: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(IMPORTED)}
        environment.setdefault("SHMCV_LIBRARY", str(LIBRARY))
        self.process = subprocess.Popen(
            [*ENDS_WITH_US, *command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self.line() == "ready"

    def line(self) -> str:
        """Return the next line of the party's output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def say(self, line: str) -> None:
        """Write a line to the party's input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self, *, kill: bool = False) -> str:
        """Wait for the party to end, or kill it, and return the rest of its output, if that has not been returned."""
        if self.process.returncode is not None:
            return ""
        if kill:
            self.process.kill()
        rest, _ = self.process.communicate(timeout=PATIENCE)
        return rest


@pytest.fixture
def party(command: Callable[[str], Command]) -> Iterator[Callable[..., Party]]:
    """A function that starts a party in a language. A party that has not ended is killed after the test."""
    with contextlib.ExitStack() as started:

        def start(language: str, *arguments: str) -> Party:
            made = Party(command(language), *arguments)
            started.callback(made.end, kill=True)
            return made

        yield start


@pytest.fixture
def stream(name: str) -> Iterator[shmcv.Stream]:
    """A stream for the parties' frames."""
    with shmcv.Stream.create(name, 66 * 48) as made:
        yield made
    clear(name)


@pytest.mark.parametrize("consumer", LANGUAGES)
@pytest.mark.parametrize("producer", LANGUAGES)
def test_frames_go_from_language_to_language(
    producer: str, consumer: str, stream: shmcv.Stream, party: Callable[..., Party]
) -> None:
    reader = party(consumer, "consume", stream.name, str(FRAMES))
    writer = party(producer, "produce", stream.name, "-")
    for sequence in range(1, 31):  # one at a time: the reader skips none, and each frame wakes the reader
        writer.say("1")
        assert writer.line() == str(sequence)
        assert reader.line() == f"{sequence} whole"
    writer.say(str(FRAMES - 30))  # as fast as the writer can
    seen = [line.split() for line in reader.end().splitlines()]
    assert {state for _, state in seen} == {"whole"}
    numbers = [int(number) for number, _ in seen]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == FRAMES
    assert writer.line() == str(FRAMES)
    assert writer.end() == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_is_killed_another_language_goes_on(
    language: str, stream: shmcv.Stream, party: Callable[..., Party]
) -> None:
    writer = party(language, "produce", stream.name, "-")
    reader = party(language, "consume", stream.name, "1000000")
    writer.say("5")
    assert writer.line() == "5"
    while reader.line() != "5 whole":
        pass
    with pytest.raises(shmcv.BusyError, match=str(writer.process.pid)):
        stream.begin()
    writer.say("1000000")
    with stream.wait(500):
        pass
    reader.end(kill=True)
    writer.end(kill=True)
    sequence = 0
    for _ in range(20):
        with stream.begin() as frame:
            frame.image = shmcv.ImageInfo(64, 48, shmcv.ColorOrder.GRAY)
        assert frame.sequence is not None
        assert frame.sequence > sequence
        sequence = frame.sequence


@linux_alone("Windows ends no program with the program that started it")
def test_party_does_not_outlive_killed_tests(stream: shmcv.Stream) -> None:
    """The tests are a process here, which starts a party and is killed."""
    if not ENDS_WITH_US:
        pytest.skip("NO setpriv HERE: PARTIES OUTLIVE TESTS THAT ARE KILLED")
    tests = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_peers import Party, build_python
print(Party(build_python(None), "consume", sys.argv[1], "1000000").process.pid)
input()
"""
    with Process(tests, stream.name) as killed:
        party = os.pidfd_open(int(killed.hear()))
        killed.child.kill()
        ended, _, _ = select.select([party], [], [], PATIENCE)
        os.close(party)
        assert ended
