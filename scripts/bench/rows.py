"""The tables of the bench, and their rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ratios import Target

WIDTH, HEIGHT = 3840, 2160
SIZE = WIDTH * HEIGHT * 3  # bytes, in BGR
C, PYTHON, CSHARP = "shmcv C", "shmcv Python", "shmcv C#"
SIZES = ((640, 480), (1920, 1080), (3840, 2160), (8192, 8192), (16384, 16384))


@dataclass(frozen=True)
class Kind:
    """A table."""

    title: str
    note: str
    unit: str = "ns"
    base: str | None = None  # the label that is 1; None: the table shows amounts


KINDS = {
    "load": Kind(
        "Loading a file's pixels into shared memory",
        "cv2, Pillow, OpenCvSharp and SkiaSharp decode, and copy into the block, as their users have to.",
        base="cv2",
    ),
    "faults": Kind(
        "Page faults of a repeated load",
        "A 4K image of 3 channels has 6075 pages, of 4 channels 8100.",
        unit="",
    ),
    "flip": Kind(
        "Flipping",
        "To another block unless it says in place. cv2 flips and copies, as in the tutorial; dst= is cv2.flip straight "
        "into the block. Random pixels.",
        base="memcpy",
    ),
    "resize": Kind(
        "Resizing 4K to 1080p",
        "From block to block. cv2 resizes and copies; dst= is cv2.resize straight into the block. Random pixels.",
        base="cv2",
    ),
    "save": Kind("Saving", "Each with its own defaults.", base="cv2"),
    "bitmap": Kind(
        "Between a segment and an SKBitmap",
        "memcpy is of as many bytes as the result has, into new memory where the result is a new bitmap.",
        base="memcpy",
    ),
    "view": Kind("A BGRA segment as an SKBitmap, without a copy", ""),
    "job": Kind(
        "The whole job in a program that runs: load a JPEG, flip it horizontally, save it as a JPEG",
        "Into and out of shared memory at each step. Noisy: cv2 and OpenCvSharp differ by a half from run to run.",
        base="cv2",
    ),
    "program": Kind("The same job, from a program's start to its end", "", base="cv2"),
    "memory": Kind("That program's peak memory", "ru_maxrss, shared memory included.", unit="KiB", base="cv2"),
    "call": Kind(
        "What a call costs",
        "image_get enters Go; abi_version does not, and is the language's own floor. next is Frame.Next and AsSpan, "
        "for a frame that is there already.",
    ),
    "library": Kind(
        "Having the library, in a process that is new, from the page cache",
        "dlopen is the library alone, with a call into it. The imports bring numpy with them, where they use it.",
    ),
    "growth": Kind("From small to large: time per pixel", "", base=f"{WIDTH}x{HEIGHT}"),
    "handover": Kind(
        "A frame's way from the writer to a reader in another process: the median",
        "From just before publish or send until the reader has the pixels' address (Python: a memoryview, C#: a span). "
        "4K frames, 3 ms between two frames, in which the writer sleeps (asleep) or spins (busy). The writer writes a "
        "stamp of 64 bytes and not all 25 MB, so that this is the hand-over and not memset. Each side has a processor. "
        "A frame that the reader missed counts as 3 ms.\n"
        "Reader waits: shmcv_stream_wait without a timeout; iceoryx2's Listener.blocking_wait for a notify, then "
        "receive(); a futex word, which is the floor; multiprocessing's Event or Condition beside shared_memory.\n"
        "Reader spins, again and again: shmcv_stream_wait after shmcv_stream_spin; iceoryx2's receive() without a "
        "notify, as in its own benchmark. 'shmcv waits' is the ordinary wait beside them.\n"
        "iceoryx2 is its Rust crate for C, and its wheel for Python.",
        base="iceoryx2",
    ),
    "handover-p99": Kind("The same frames: the 99th percentile", "", base="iceoryx2"),
}


LANGUAGES = {"C": ("handover", "handover-iceoryx2"), "Python": ("handover-python", "handover-iceoryx2-python")}
WAYS = [(way, pause) for way in ("waits", "spins") for pause in ("asleep", "busy")]


def handover_name(language: str, way: str, pause: str) -> str:
    return f"{language}, reader {way}, writer {pause}"


# Targets for other results of a row than time.
EXTRA_TARGETS = {
    **{
        ("handover-p99", handover_name(language, *way)): (Target("shmcv", "iceoryx2", 1.5),)
        for language in LANGUAGES
        for way in WAYS
    },
    ("memory", "cold"): (Target(CSHARP, "tutorial", 0.33),),
    ("library", "memory"): (Target("dlopen", None, 8192),),
}


@dataclass(frozen=True)
class Entry:
    """A peer's part in a row: which program does which work."""

    program: str
    request: str
    per: float = 1  # the value is divided by it


@dataclass(frozen=True)
class Row:
    """A row: the entries that take turns in it, by their labels."""

    kind: str
    name: str
    entries: dict[str, Entry]
    targets: tuple[Target, ...] = ()
    essential: bool = True  # also measured by --quick, and shown in the README
    way: str = "peers"  # "programs": each turn is a process, from start to end; "pairs" and "readers": see frames.py
    repetitions: int = 1
    faults: bool = False
    large: bool = False  # its processes hold so much memory that they end when the row ends


PROGRAMS = {
    C: "c",
    PYTHON: "python",
    CSHARP: "csharp",
    "cv2": "cv2",
    "Pillow": "pillow",
    "OpenCvSharp": "opencvsharp",
    "SkiaSharp": "skia",
    "tutorial": "tutorial",
}


def everyone(request: str) -> dict[str, Entry]:
    """Return entries that ask all programs for the same work. Programs without that work answer so."""
    return {label: Entry(program, request) for label, program in PROGRAMS.items()}


def copy(size: int, into: str = "warm") -> dict[str, Entry]:
    return {"memcpy": Entry("c", f"copy bytes={size} into={into}")}


def rows(inputs: Path, largest: int) -> list[Row]:
    """Return all rows; `largest` is the number of pixels up to which there are images."""
    return [
        *_loads(inputs),
        *_thumbnails(inputs),
        *_flips(),
        *_resizes(),
        *_saves(inputs),
        *_bitmaps(),
        *_jobs(inputs),
        *_calls(),
        *_handovers(),
        Row("handover", "eight readers", {}, way="readers"),
        *_growth(inputs, [size for size in SIZES if size[0] * size[1] <= largest]),
    ]


def image_name(width: int, height: int) -> str:
    return f"{width}x{height}.jpg"


def _loads(inputs: Path) -> list[Row]:
    files = (
        ("jpeg", "photograph.jpg", "JPEG", 0.5),
        ("png3", "bgr.png", "PNG, BGR", 0.32),
        ("png4", "bgra.png", "PNG, BGRA", 0.5),
        ("png3", "page.png", "PNG, a page of text", 0.35),
    )
    return [
        Row(
            "load",
            f"{name}, {'again and again' if into == 'same' else 'into new memory'}",
            everyone(f"load format={form} path={inputs / file} into={into}")
            | copy(WIDTH * HEIGHT * (4 if form == "png4" else 3)),
            (Target(C, "cv2", target if into == "same" else 0.5),),
            essential=into == "same" and form != "png4",
            faults=into == "same",
        )
        for into in ("same", "fresh")
        for form, file, name, target in files
    ]


def _thumbnails(inputs: Path) -> list[Row]:
    entries = everyone(f"thumbnail path={inputs / 'photograph.jpg'}") | copy(WIDTH * HEIGHT // 16 * 4)
    return [Row("load", "a JPEG's bytes to a quarter of each side, BGRA", entries, (Target(C, "cv2", 0.35),))]


def _flips() -> list[Row]:
    found = []
    for depth in (8, 16):
        for channels in (3, 1, 4):
            for code, direction in ((1, "horizontal"), (0, "vertical"), (-1, "both")):
                what = f"flip code={code} channels={channels} depth={depth} width={WIDTH} height={HEIGHT}"
                entries = {
                    C: Entry("c", f"{what} where=apart"),
                    "in place": Entry("c", f"{what} where=inplace"),
                    "cv2": Entry("cv2", f"{what} where=apart"),
                    "cv2 dst=": Entry("cv2", f"{what} where=apart how=dst"),
                    "cv2 in place": Entry("cv2", f"{what} where=inplace"),
                    "Pillow": Entry("pillow", f"{what} where=apart"),
                    "OpenCvSharp": Entry("opencvsharp", f"{what} where=apart"),
                    **copy(WIDTH * HEIGHT * channels * depth // 8),
                }
                targets = [Target("in place", C, 1.0)]
                if channels == 3:
                    targets.insert(0, Target(C, "memcpy", 1.2 if code == 0 else 1.3))
                essential = channels == 3 and depth == 8
                name = f"{channels} x {depth}-bit, {direction}"
                found.append(Row("flip", name, entries, tuple(targets), essential, repetitions=3))
    return found


def _resizes() -> list[Row]:
    what = f"resize channels=3 depth=8 width={WIDTH} height={HEIGHT} to_width={WIDTH // 2} to_height={HEIGHT // 2}"
    targets = (Target(C, "cv2 dst=", 1.0), Target(C, "cv2", 0.8))
    found = []
    for number, interpolation in ((3, "area"), (1, "linear")):
        request = f"{what} interpolation={number}"
        entries = {
            C: Entry("c", request),
            PYTHON: Entry("python", request),
            "cv2": Entry("cv2", request),
            "cv2 dst=": Entry("cv2", f"{request} how=dst"),
            **copy(SIZE // 4),
        }
        found.append(Row("resize", f"3 x 8-bit, {interpolation}", entries, targets, repetitions=3))
    return found


def _saves(inputs: Path) -> list[Row]:
    return [
        Row(
            "save",
            form.upper(),
            everyone(f"save format={form} path={inputs}/saved.{extension} source={inputs / source}") | copy(SIZE),
            essential=form == "jpeg",
        )
        for form, extension, source in (("jpeg", "jpg", "photograph.jpg"), ("png", "png", "bgr.png"))
    ]


def _bitmaps() -> list[Row]:
    size, pixels = f"width={WIDTH} height={HEIGHT}", WIDTH * HEIGHT
    new, reused, back = (
        "tobitmap channels=3 {} into=fresh",
        "tobitmap channels=3 {} into=reused",
        "frombitmap channels={} {}",
    )
    target = (Target(CSHARP, "memcpy", 1.2),)

    def row(name: str, request: str, size: int, into: str = "warm", targets: tuple[Target, ...] = ()) -> Row:
        entries = {CSHARP: Entry("csharp", request), "tutorial": Entry("tutorial", request)} | copy(size, into)
        return Row("bitmap", name, entries, targets, repetitions=3)

    views = {
        f"{width}x{height}": Entry("csharp", f"tobitmap channels=4 width={width} height={height} into=fresh")
        for width, height in SIZES[:4]
    }
    return [
        row("BGR to a new SKBitmap", new.format(size), pixels * 4, "fresh", target),
        row("BGR to the same SKBitmap", reused.format(size), pixels * 4, "warm", target),
        row("SKBitmap to BGR", back.format(3, size), pixels * 3),
        row("SKBitmap to BGRA", back.format(4, size), pixels * 4),
        Row("view", "a view", views, tuple(Target(label, None, 1000) for label in views), large=True),
    ]


def _jobs(inputs: Path) -> list[Row]:
    what = f"job path={inputs / 'photograph.jpg'} out={inputs}/flipped.jpg"
    targets = (Target(CSHARP, "OpenCvSharp", 0.4), Target(CSHARP, "tutorial", 0.65))
    return [
        Row("job", "warm", everyone(what) | copy(SIZE), targets),
        Row("program", "cold", everyone(f"once {what}"), targets, way="programs"),
    ]


def _calls() -> list[Row]:
    callers = {"C": "c", "ctypes": "python", "P/Invoke": "csharp"}
    loaders = {"dlopen": "loadlib", "import shmcv": "python", "import cv2": "cv2", "import PIL": "pillow"}

    def row(name: str, targets: tuple[Target, ...] = ()) -> Row:
        entries = {label: Entry(program, f"call name={name}") for label, program in callers.items()}
        return Row("call", name, entries, targets, repetitions=5)

    return [
        row("image_get", (Target("ctypes", None, 200), Target("P/Invoke", None, 600))),
        row("abi_version"),
        Row("call", "next", {"C#": Entry("csharp", "call name=next")}, (Target("C#", None, 3000),), repetitions=5),
        Row(
            "library",
            "time",
            {
                label: Entry(program, "" if program == "loadlib" else "once loadlib")
                for label, program in loaders.items()
            },
            (Target("dlopen", None, 5e6),),
            way="programs",
        ),
    ]


def _handovers() -> list[Row]:
    """Return rows in which both readers wait, or both spin. The rest of the entries are for comparison."""
    found = []
    for language, (ours, theirs) in LANGUAGES.items():
        for way, pause in WAYS:
            entries = {"shmcv": Entry(ours, f"shmcv {way} {pause}")}
            if (way, pause) == ("spins", "busy"):
                entries["shmcv waits"] = Entry(ours, f"shmcv waits {pause}")
            entries["iceoryx2"] = Entry(theirs, f"iceoryx2 {way} {pause}")
            if language == "C" and way == "waits":
                entries["futex"] = Entry(ours, f"futex {way} {pause}")
            if language == "Python" and (way, pause) == ("waits", "asleep"):
                entries.update({label: Entry(ours, f"{label} {way} {pause}") for label in ("Event", "Condition")})
            name, targets = handover_name(language, way, pause), (Target("shmcv", "iceoryx2", 1.0),)
            essential = (way, pause) in (("waits", "asleep"), ("spins", "busy"))
            found.append(Row("handover", name, entries, targets, essential, way="pairs"))
    found += [
        Row(
            "handover",
            handover_name("C#", "waits", pause),
            {"shmcv": Entry("handover-csharp", f"shmcv waits {pause}")},
            essential=False,
            way="pairs",
        )
        for pause in ("asleep", "busy")
    ]
    return found


def _growth(inputs: Path, sizes: list[tuple[int, int]]) -> list[Row]:
    def row(name: str, program: str, request: str) -> Row:
        entries = {
            f"{width}x{height}": Entry(
                program,
                request.format(
                    path=inputs / image_name(width, height), width=width, height=height, bytes=width * height * 3
                ),
                per=width * height,
            )
            for width, height in sizes
        }
        return Row("growth", name, entries, essential=False, large=True)

    flip = "flip code=1 channels=3 depth=8 width={width} height={height} where=apart"
    return [
        row("load a JPEG, shmcv C", "c", "load format=jpeg path={path} into=same"),
        row("load a JPEG, cv2", "cv2", "load format=jpeg path={path} into=same"),
        row("flip horizontally, shmcv C", "c", flip),
        row("flip horizontally, cv2", "cv2", flip),
        row("memcpy", "c", "copy bytes={bytes} into=warm"),
    ]
