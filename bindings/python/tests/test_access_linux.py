"""Who may see a segment: folders, modes, groups, and what a reader without the right to write can do."""

from __future__ import annotations

import grp
import os
import pickle
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest
from support import PATIENCE, environment, python
from system_linux import SHM, present

import shmcv

ROOT_ALONE = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root with setpriv can be other users"
)

#: A group that nobody is in, and two users of no name.
GROUP, CAMERA, VIEWER = 54322, 54321, 54323


def as_user(user: int, group: int = GROUP) -> tuple[str, ...]:
    return "setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"


@pytest.fixture
def folder(tmp_path):
    """A folder that all may enter, where a group may make names, which stay their makers'. It is on a disk."""
    for parent in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o011)
    made = tmp_path / "cams"
    made.mkdir()
    if os.geteuid() == 0:
        os.chown(made, 0, GROUP)
    made.chmod(0o3770)
    return made


def mode_of(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_path_is_a_name_in_another_folder(folder, name):
    path = str(folder / "cam0")
    with shmcv.Segment.create(path, 100, clear_on_close=True) as made:
        assert (made.name, made.info.name) == (path, path)
        assert (folder / "cam0").stat().st_size == 65536
        made.buffer[0] = 7
        with shmcv.Segment.open(path) as opened, shmcv.ReadOnlySegment.open(path) as reader:
            assert opened.buffer[0] == reader.buffer[0] == 7
        with pytest.raises(FileExistsError, match=path):
            shmcv.Segment.create(path, 1)
        with pytest.raises(shmcv.NotFoundError):
            shmcv.Segment.open("cam0")
    assert not (folder / "cam0").exists()
    with shmcv.Stream.create(path, 100, clear_on_close=True) as stream, shmcv.Stream.open(path):
        assert stream.info.name == path
    with pytest.raises(FileNotFoundError, match="no folder /nowhere") as caught:
        shmcv.Segment.create("/nowhere/cam0", 1)
    assert caught.value.filename == "/nowhere/cam0"
    with shmcv.Segment.create(f"{SHM}/{name}", 1, clear_on_close=True) as made:
        assert made.info.name == name  # the plain name, in this process's own folder


def test_a_pickled_segment_is_opened_by_its_path(folder):
    with shmcv.Segment.create(str(folder / "cam0"), 100, clear_on_close=True) as made:
        again = pickle.loads(pickle.dumps(made))
        assert again.name == made.name
        again.close()


def test_the_variable_names_the_folder_of_plain_names(folder):
    env = environment(SHMCV_FOLDER=str(folder))
    python("import shmcv; shmcv.Segment.create('cam0', 100)", env=env)
    assert (folder / "cam0").exists()
    assert python("import shmcv; print([i.name for i in shmcv.list_segments()])", env=env).stdout == "['cam0']\n"
    with shmcv.Segment.open(str(folder / "cam0")) as opened:
        assert opened.size == 100
    assert python("import shmcv; print(shmcv.sweep())", env=env).stdout == "1\n"
    assert not (folder / "cam0").exists()
    program = "import shmcv\ntry: shmcv.list_segments()\nexcept shmcv.InvalidError as e: print(e)"
    assert "SHMCV_FOLDER" in python(program, env=environment(SHMCV_FOLDER="relative")).stdout


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o644])
def test_a_segment_has_the_mode_that_was_asked_for(name, mode):
    before = os.umask(0o777)
    try:
        with shmcv.Segment.create(name, 100, mode=mode, clear_on_close=True):
            assert mode_of(SHM / name) == mode
        with shmcv.Segment.open_or_create(name, 100, mode=mode, clear_on_close=True):
            assert mode_of(SHM / name) == mode
        with shmcv.Segment.from_array(name, [[1]], mode=mode, clear_on_close=True):
            assert mode_of(SHM / name) == mode
        with shmcv.Stream.create(name, 100, mode=mode, clear_on_close=True):
            assert mode_of(SHM / name) == mode
        with shmcv.Stream.open_or_create(name, 100, mode=mode, clear_on_close=True):
            assert mode_of(SHM / name) == mode
    finally:
        os.umask(before)


def test_groups_are_named_or_numbered(name):
    group = grp.getgrgid(os.getegid())
    for given in (group.gr_name, str(group.gr_gid), group.gr_gid, None):
        with shmcv.Segment.create(name, 100, mode=0o640, group=given, owner=os.geteuid(), clear_on_close=True):
            assert (SHM / name).stat().st_gid == group.gr_gid


def test_access_that_makes_no_sense_is_refused(name):
    for mode in (0, 0o400, 0o666, 0o700, 0o4600, 0o1000):
        with pytest.raises(shmcv.InvalidError, match="mode"):
            shmcv.Segment.create(name, 100, mode=mode)
    with pytest.raises(shmcv.NotFoundError, match="no such group of ours"):
        shmcv.Segment.create(name, 100, group="no such group of ours")
    with pytest.raises(shmcv.NotFoundError, match="no such user of ours"):
        shmcv.Stream.create(name, 100, owner="no such user of ours")
    with pytest.raises(shmcv.InvalidError, match="group -2"):
        shmcv.Segment.create(name, 100, group=-2)
    assert name not in present()


@ROOT_ALONE
def test_a_group_opens_what_its_member_gave_it(folder):
    env = environment(SHMCV_FOLDER=str(folder))
    make = f"""
import shmcv
shmcv.Segment.create("shared", 100, mode=0o660).buffer[0] = 1
shmcv.Segment.create("seen", 100, mode=0o640, group={GROUP}).buffer[0] = 2
shmcv.Segment.create("own", 100)
shmcv.Stream.create("frames", 100, mode=0o660)
try:
    shmcv.Segment.create("given", 100, group=0)
except shmcv.PermissionError as e:
    print(e)
"""
    assert "group 0" in python(make, env=env, prefix=as_user(CAMERA)).stdout
    look = """
import shmcv
def refused(use):
    try:
        use()
    except shmcv.PermissionError:
        return "refused"
with shmcv.Segment.open("shared") as shared, shmcv.ReadOnlySegment.open("seen") as seen, shmcv.Stream.open("frames"):
    print(shared.buffer[0], seen.buffer[0], refused(lambda: shmcv.Segment.open("seen")))
    shared.buffer[0] = 3
print(refused(lambda: shmcv.Segment.open("own")), refused(lambda: shmcv.clear("shared")))
print([i.name for i in shmcv.list_segments()], shmcv.sweep())
"""
    assert python(look, env=env, prefix=as_user(VIEWER)).stdout.splitlines() == [
        "1 2 refused",
        "refused refused",
        "['frames', 'seen', 'shared'] 0",
    ]
    stranger = "import shmcv\ntry: shmcv.ReadOnlySegment.open('seen')\nexcept shmcv.PermissionError: print('refused')"
    assert python(stranger, env=env, prefix=as_user(VIEWER, VIEWER)).stdout == "refused\n"
    assert (folder / "shared").read_bytes()[0] == 3
    # Root is not in the group, and may open everything; it must ask for a group's files to be safe.
    with pytest.raises(shmcv.PermissionError, match=f"group {GROUP}"):
        shmcv.Segment.open(str(folder / "shared"))


#: Writes wherever it can through a read-only handle, as C code of the same process could.
HOSTILE = """
import ctypes, mmap, os, shmcv
reader = shmcv.ReadOnlySegment.open("pixels")
path = os.environ["SHMCV_FOLDER"] + "/pixels"
fd = next(int(n) for n in os.listdir("/proc/self/fd") if os.readlink("/proc/self/fd/" + n) == path)
libc = ctypes.CDLL(None, use_errno=True)
address = reader.array.ctypes.data
length = 1 << 20
def ways():
    yield lambda: mmap.mmap(fd, length)
    yield lambda: os.pwrite(fd, b"x", 0)
    yield lambda: os.ftruncate(fd, 0)
    yield lambda: os.truncate(path, 0)
    yield lambda: os.fchmod(fd, 0o666)
    yield lambda: os.open(path, os.O_RDWR)
    yield lambda: os.open(f"/proc/self/fd/{fd}", os.O_RDWR)
    yield lambda: os.pwrite(os.open("/proc/self/mem", os.O_RDWR), b"x", address)
    yield lambda: reader.buffer.__setitem__(0, 1)
    yield lambda: reader.array.__setitem__((0, 0), 1)
    yield lambda: reader.array.setflags(write=True)
    yield lambda: failed(libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(length), 3))
    yield lambda: kept(libc.madvise(ctypes.c_void_p(address), ctypes.c_size_t(length), 9))
    yield lambda: failed(libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(length)))
def failed(result):
    if result != 0:
        raise OSError(ctypes.get_errno())
def kept(result):  # QEMU's emulation of processes says yes to every advice, and does nothing.
    failed(result)
    if reader.array[0, 0] == 7:
        raise OSError
for way, write in enumerate(ways()):
    try:
        write()
    except (OSError, TypeError, ValueError):
        continue
    print("way", way, "succeeded")
print("tried")
"""


@ROOT_ALONE
def test_a_reader_without_the_right_changes_no_pixel(folder):
    path = str(folder / "pixels")
    with shmcv.Segment.create(path, 1000 * 1000, mode=0o640, group=GROUP, clear_on_close=True) as made:
        made.image = shmcv.ImageInfo(1000, 1000, shmcv.ColorOrder.GRAY)
        made.array[:] = 7
        env = environment(SHMCV_FOLDER=str(folder))
        assert python(HOSTILE, env=env, prefix=as_user(VIEWER)).stdout == "tried\n"
        assert (made.array == 7).sum() == 1000 * 1000
        assert (folder / "pixels").stat().st_size == 1 << 20


#: Reads a stream as another user of the group, and then writes wherever it can. It tells how its frame is at the end.
HOSTILE_VIEWER = (
    """
import shmcv
stream = shmcv.Stream.open("pixels")
frame = stream.wait()
print(frame.held, frame.sequence, (frame.array == 7).all())
with stream.wait() as whole:
    assert (whole.array == 7).all()
try:
    stream.begin()
except shmcv.PermissionError as e:
    print("read-only" in str(e))
print("sleeps", flush=True)
with stream.wait(1) as second:
    print(second.sequence, second.array[0, 0], flush=True)
reader = frame
"""
    + HOSTILE[HOSTILE.index("path = ") :].replace("import ctypes, mmap, os, shmcv", "")
    + """
frame.check()
"""
)


@ROOT_ALONE
def test_a_viewer_of_a_stream_without_the_right_changes_no_pixel(folder):
    path = str(folder / "pixels")
    with shmcv.Stream.create(path, 1000 * 1000, mode=0o640, group=GROUP, clear_on_close=True) as stream:
        stream.publish(np.full((1000, 1000), 7, np.uint8))
        program = subprocess.Popen(
            [*as_user(VIEWER), sys.executable, "-c", "import ctypes, mmap, os\n" + HOSTILE_VIEWER],
            env=environment(SHMCV_FOLDER=str(folder)),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert program.stdout is not None
        told = [program.stdout.readline() for _ in range(3)]
        assert told == ["False 1 True\n", "True\n", "sleeps\n"]
        stream.publish(np.full((1000, 1000), 8, np.uint8))
        assert program.communicate(timeout=PATIENCE)[0] == "2 8\ntried\n"
        assert program.returncode == 0
        with stream.wait() as frame:
            assert (frame.array == 8).sum() == 1000 * 1000
        assert stream.publish(np.full((1000, 1000), 9, np.uint8)) == 3
