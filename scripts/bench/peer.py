"""The bench's peers in Python: shmcv, and what people use instead.

`peer.py --lib shmcv|cv2|pillow` answers each line of its standard input, which is a request, by one line. peers.py
describes requests and answers. `peer.py --lib LIB once job path=FILE out=FILE` loads, flips and saves a photograph, and
ends. `peer.py --lib LIB once loadlib` tells what importing the library takes.

Each library works as its documentation shows. cv2 and Pillow have no shared memory, so their results are copied into a
block of multiprocessing.shared_memory, as their users have to do.
"""

from __future__ import annotations

import math
import os
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # `once` measures the imports below too
    from collections.abc import Callable

    import numpy as np

    Array = np.ndarray[Any, Any]

CALLS = 20_000


class Skipped(Exception):  # noqa: N818 # it is no error
    """This library has no such work."""


class Work(NamedTuple):
    """What to repeat, what to do untimed before each repetition, and how many operations a repetition is."""

    repeat: Callable[[], object]
    before: Callable[[], object] = lambda: None
    inner: int = 1


class Library:
    """A library. A work is a method that takes the request's values and prepares the work. `stack` frees it."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.blocks = 0

    def name_block(self) -> str:
        self.blocks += 1
        return f"shmcv-bench-{os.getpid()}-{self.blocks}"


def pattern(shape: tuple[int, ...], depth: str) -> Array:
    """Return random pixels."""
    import numpy as np

    dtype = np.dtype(f"u{int(depth) // 8}")
    return np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def shape_of(values: dict[str, str]) -> tuple[int, ...]:
    size = int(values["height"]), int(values["width"])
    return size if values["channels"] == "1" else (*size, int(values["channels"]))


def resizing(values: dict[str, str]) -> tuple[int, int, int]:
    """Return the width and height of the result, and OpenCV's number of the interpolation."""
    return int(values["to_width"]), int(values["to_height"]), int(values["interpolation"])


def mirrored(array: Array, code: str) -> Array:
    return {"0": array[::-1], "1": array[:, ::-1], "-1": array[::-1, ::-1]}[code]


def verify(flip: Callable[[], object], source: Array, target: Array, code: str) -> None:
    """Raise AssertionError if the flip is wrong, because measuring wrong work is worth nothing."""
    expected = mirrored(source, code).copy()
    flip()
    if not (target == expected).all():
        raise AssertionError("the flip is wrong")


class ShmCv(Library):
    """The project's own package."""

    def __init__(self) -> None:
        super().__init__()
        import shmcv

        self.shmcv = shmcv

    def hello(self) -> str:
        return f"shmcv={self.shmcv.version()}"

    def segment(self, size: int) -> Any:
        segment = self.shmcv.Segment.create(self.name_block(), size)
        self.stack.callback(segment.close)
        self.stack.callback(segment.clear)
        return segment

    def load(self, values: dict[str, str]) -> Work:
        flags = self.shmcv.LoadFlags.UNCHANGED if values["format"] == "png4" else self.shmcv.LoadFlags.COLOR
        path = values["path"]
        need = self.shmcv.probe(path, flags).size
        segment = self.segment(need)
        segment.load(path, flags)
        if values["into"] == "same":
            return Work(lambda: segment.load(path, flags))

        def renew() -> None:
            nonlocal segment
            self.stack.close()
            segment = self.segment(need)

        return Work(lambda: segment.load(path, flags), renew)

    def thumbnail(self, values: dict[str, str]) -> Work:
        data = Path(values["path"]).read_bytes()
        how = {"scale": 4, "order": self.shmcv.ColorOrder.BGRA}
        segment = self.segment(self.shmcv.probe_bytes(data, **how).size)
        return Work(lambda: segment.decode(data, **how))

    def flip(self, values: dict[str, str]) -> Work:
        code = int(values["code"])
        pixels = pattern(shape_of(values), values["depth"])
        source = self.segment(pixels.nbytes)
        source.write(pixels)
        target = self.segment(pixels.nbytes) if values["where"] == "apart" else source
        target.image = source.image
        verify(lambda: source.flip_into(target, code), source.array, target.array, values["code"])
        return Work(lambda: source.flip_into(target, code))

    def resize(self, values: dict[str, str]) -> Work:
        pixels = pattern(shape_of(values), values["depth"])
        width, height, interpolation = resizing(values)
        source, target = self.segment(pixels.nbytes), self.segment(width * height * pixels[0, 0].nbytes)
        source.write(pixels)
        return Work(lambda: source.resize_into(target, width, height, interpolation))

    def save(self, values: dict[str, str]) -> Work:
        segment = self.segment(self.shmcv.probe(values["source"]).size)
        segment.load(values["source"])
        return Work(lambda: segment.save(values["path"]))

    def job(self, values: dict[str, str]) -> Work:
        need = self.shmcv.probe(values["path"]).size
        photo, flipped = self.segment(need), self.segment(need)

        def repeat() -> None:
            photo.load(values["path"])
            photo.flip_into(flipped, self.shmcv.FlipCode.HORIZONTAL)
            flipped.save(values["out"])

        return Work(repeat)

    def call(self, values: dict[str, str]) -> Work:
        """Call the library by ctypes alone, without the package's objects."""
        import ctypes

        from shmcv import _native
        from shmcv._library import library

        if values["name"] == "abi_version":
            function, arguments = library().shmcv_abi_version, ()
        else:
            segment = self.segment(48)
            segment.image = self.shmcv.ImageInfo(4, 4)
            function = library().shmcv_image_get
            arguments = (segment._handle, ctypes.byref(_native.ShmcvImageInfo()))

        def repeat() -> None:
            for _ in range(CALLS):
                function(*arguments)

        return Work(repeat, inner=CALLS)


class Copying(Library):
    """A library without shared memory. Its results are copied into a block."""

    def block(self, shape: tuple[int, ...], depth: str = "8") -> Array:
        """Return a new block of shared memory as an array, which must be gone when the stack is closed."""
        from multiprocessing import shared_memory

        import numpy as np

        dtype = np.dtype(f"u{int(depth) // 8}")
        memory = shared_memory.SharedMemory(self.name_block(), create=True, size=math.prod(shape) * dtype.itemsize)
        self.stack.callback(memory.unlink)
        self.stack.callback(memory.close)
        return np.ndarray(shape, dtype, buffer=memory.buf)

    def decode(self, path: str, form: str) -> Array:
        raise NotImplementedError

    def encode(self, path: str, pixels: Array) -> None:
        raise NotImplementedError

    def flipper(self, source: Array, target: Array, values: dict[str, str]) -> Callable[[], object]:
        raise NotImplementedError

    def load(self, values: dict[str, str]) -> Work:
        path, form = values["path"], values["format"]
        shape = self.decode(path, form).shape
        blocks = [self.block(shape)]

        def renew() -> None:
            blocks.clear()
            self.stack.close()
            blocks.append(self.block(shape))

        def repeat() -> None:
            blocks[0][:] = self.decode(path, form)

        return Work(repeat, renew) if values["into"] == "fresh" else Work(repeat)

    def flip(self, values: dict[str, str]) -> Work:
        shape, depth = shape_of(values), values["depth"]
        source = self.block(shape, depth)
        source[:] = pattern(shape, depth)
        target = self.block(shape, depth) if values["where"] == "apart" else source
        repeat = self.flipper(source, target, values)
        verify(repeat, source, target, values["code"])
        return Work(repeat)

    def save(self, values: dict[str, str]) -> Work:
        pixels = self.decode(values["source"], "png3")
        block = self.block(pixels.shape)
        block[:] = pixels
        return Work(lambda: self.encode(values["path"], block))

    def job(self, values: dict[str, str]) -> Work:
        blocks: list[Array] = []
        how = {"code": "1", "depth": "8", "where": "apart"}

        def repeat() -> None:
            pixels = self.decode(values["path"], "jpeg")
            while len(blocks) < 2:  # their size is known now
                blocks.append(self.block(pixels.shape))
            photo, flipped = blocks
            photo[:] = pixels
            self.flipper(photo, flipped, how)()
            self.encode(values["out"], flipped)

        return Work(repeat)


class Cv2(Copying):
    """OpenCV as `pip install opencv-python-headless` brings it, with its own number of threads."""

    def __init__(self) -> None:
        super().__init__()
        import cv2

        self.cv2 = cv2

    def hello(self) -> str:
        return f"cv2={self.cv2.__version__} threads={self.cv2.getNumThreads()}"

    def resize(self, values: dict[str, str]) -> Work:
        shape, depth = shape_of(values), values["depth"]
        width, height, interpolation = resizing(values)
        source, target = self.block(shape, depth), self.block((height, width, *shape[2:]), depth)
        source[:] = pattern(shape, depth)
        if values.get("how") == "dst":
            return Work(lambda: self.cv2.resize(source, (width, height), dst=target, interpolation=interpolation))

        def copying() -> None:
            target[:] = self.cv2.resize(source, (width, height), interpolation=interpolation)

        return Work(copying)

    def decode(self, path: str, form: str) -> Array:
        return self.cv2.imread(path, self.cv2.IMREAD_UNCHANGED if form == "png4" else self.cv2.IMREAD_COLOR)

    def thumbnail(self, values: dict[str, str]) -> Work:
        """Decode, resize, convert and copy, as users of imdecode do."""
        import numpy as np

        cv2, data = self.cv2, np.fromfile(values["path"], np.uint8)
        height, width = cv2.imdecode(data, cv2.IMREAD_COLOR).shape[:2]
        block = self.block((height // 4, width // 4, 4))

        def repeat() -> None:
            pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
            small = cv2.resize(pixels, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
            block[:] = cv2.cvtColor(small, cv2.COLOR_BGR2BGRA)

        return Work(repeat)

    def encode(self, path: str, pixels: Array) -> None:
        self.cv2.imwrite(path, pixels)

    def flipper(self, source: Array, target: Array, values: dict[str, str]) -> Callable[[], object]:
        """Flip and copy. In place, and with how=dst, let cv2 write into the array."""
        code = int(values["code"])
        if values["where"] == "inplace" or values.get("how") == "dst":
            return lambda: self.cv2.flip(source, code, dst=target)

        def copying() -> None:
            target[:] = self.cv2.flip(source, code)

        return copying


class Pillow(Copying):
    """Pillow, which has RGB where the others have BGR, and converts the order as it copies."""

    MODES = {1: ("L", "L"), 3: ("RGB", "BGR"), 4: ("RGBA", "BGRA")}  # noqa: RUF012
    TURNS = {"0": "FLIP_TOP_BOTTOM", "1": "FLIP_LEFT_RIGHT", "-1": "ROTATE_180"}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        from PIL import Image

        self.Image = Image

    def hello(self) -> str:
        import PIL

        return f"pillow={PIL.__version__}"

    def array_of(self, image: Any) -> Array:
        import numpy as np

        channels = len(image.getbands())
        shape = (image.height, image.width) if channels == 1 else (image.height, image.width, channels)
        return np.frombuffer(image.tobytes("raw", self.MODES[channels][1]), np.uint8).reshape(shape)

    def image_of(self, pixels: Array) -> Any:
        mode, raw = self.MODES[1 if pixels.ndim == 2 else pixels.shape[2]]
        return self.Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels, "raw", raw, 0, 1)

    def decode(self, path: str, form: str) -> Array:  # noqa: ARG002 # the file names its format
        with self.Image.open(path) as image:
            return self.array_of(image)

    def encode(self, path: str, pixels: Array) -> None:
        self.image_of(pixels).save(path)

    def flipper(self, source: Array, target: Array, values: dict[str, str]) -> Callable[[], object]:
        if values["depth"] != "8" or values["where"] != "apart":
            raise Skipped("Pillow flips 8-bit images, and none in place")
        how = self.Image.Transpose[self.TURNS[values["code"]]]

        def copying() -> None:
            target[:] = self.array_of(self.image_of(source).transpose(how))

        return copying


LIBRARIES: dict[str, Any] = {"shmcv": ShmCv, "cv2": Cv2, "pillow": Pillow}


def page_faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


class Server:
    """Answers requests."""

    def __init__(self, library: Any, name: str) -> None:
        self.library = library
        self.name = name
        self.work: Work | None = None

    def answer(self, verb: str, values: dict[str, str]) -> str:
        if verb == "hello":
            version = sys.version.split()[0]
            return f"ok name={self.name} python={version} {self.library.hello()}"
        if verb == "prepare":
            return self.prepare(values)
        if verb == "run":
            return self.repeat(int(values["count"]), time.monotonic_ns)
        if verb == "faults":
            return self.repeat(int(values["count"]), page_faults)
        if verb == "memory":
            return f"ok rss_kib={status_kib('VmRSS')} peak_kib={status_kib('VmHWM')}"
        return f"error there is no {verb!r}"

    def prepare(self, values: dict[str, str]) -> str:
        self.work = None  # frees its arrays before the memory behind them
        self.library.stack.close()
        make = getattr(self.library, values["work"], None)
        if make is None:
            return f"skip there is no {values['work']} in {self.name}"
        self.work = make(values)
        return f"ok inner={self.work.inner}"

    def repeat(self, count: int, meter: Callable[[], int]) -> str:
        """Return how far the meter moved in each of count repetitions."""
        if self.work is None:
            return "error nothing is prepared"
        told = []
        for _ in range(count):
            self.work.before()
            start = meter()
            self.work.repeat()
            told.append((meter() - start) / self.work.inner)
        return "ok " + " ".join(f"{value:.3f}" for value in told)


def serve(server: Server) -> None:
    """Answer until the request "quit" or the end of the input."""
    with server.library.stack:
        for line in sys.stdin:
            verb, *words = line.split()
            if verb == "quit":
                break
            try:
                answer = server.answer(verb, dict(word.split("=", 1) for word in words))
            except Skipped as reason:
                answer = f"skip {reason}"
            except Exception as problem:  # the driver is told, and goes on
                answer = f"error {type(problem).__name__}: {' '.join(str(problem).split())}"
            print(answer, flush=True)
        server.work = None


def status_kib(key: str) -> int:
    from pathlib import Path

    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def libraries() -> set[str]:
    """Return the files that have a mapping to execute."""
    from pathlib import Path

    lines = [line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines()]
    return {line[5] for line in lines if len(line) == 6 and "x" in line[1] and line[5].startswith("/")}


def load_library(name: str) -> str:
    """Import the library and call it. The call matters because shmcv loads its native part with the first call."""
    resident, before = status_kib("VmRSS"), libraries()
    start = time.monotonic_ns()
    LIBRARIES[name]().hello()
    end = time.monotonic_ns()
    more = len(libraries() - before)
    return f"ok ns={end - start} rss_kib={status_kib('VmRSS') - resident} libraries={more}"


def main(arguments: list[str]) -> None:
    """Serve, or do one job and end."""
    if arguments[:1] != ["--lib"] or arguments[1:2] == [] or arguments[1] not in LIBRARIES:
        sys.exit(f"usage: peer.py --lib {'|'.join(LIBRARIES)} [once job path=FILE out=FILE | once loadlib]")
    name, rest = arguments[1], arguments[2:]
    if rest == ["once", "loadlib"]:
        print(load_library(name))
        return
    library: Any = LIBRARIES[name]()
    if not rest:
        serve(Server(library, name))
    elif rest[:2] == ["once", "job"]:
        with library.stack:
            library.job(dict(word.split("=", 1) for word in rest[2:])).repeat()
    else:
        sys.exit(f"peer.py: there is no {' '.join(rest)}")


if __name__ == "__main__":
    main(sys.argv[1:])
