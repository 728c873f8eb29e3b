"""ImageLoader: the tutorial's class on segments, with the tutorial's names, arguments and results.

Programs that were written for that class keep working, and other programs can open their segments. New programs are
better served by Segment, where an image knows its own geometry.
"""

from __future__ import annotations

from ._arguments import StrPath
from .constants import NO_KEY
from .error import NoImageError
from .image import ImageInfo, order_of
from .segment import Segment, clear, clear_all
from .window import close_windows, delay, show


class ImageLoader:
    """Loads, flips, shows and saves images in segments that are given by name.

    The segments may be this loader's own, another process's, in any language, or of ``multiprocessing.shared_memory``.
    ``height``, ``width`` and ``channel`` say what the pixels are: 8-bit gray (1), BGR (3) or BGRA (4), rows without
    gaps. An image of that size that the segment holds already keeps its description.

    Every method may be called from any thread.
    """

    def __init__(self) -> None:
        # The segment that was used last under each name. As long as one handle is open, opening another one is cheap,
        # and a foreign segment keeps its image. Each call opens the name again, because it can mean another segment
        # by now.
        self._kept: dict[str, Segment] = {}

    def __getstate__(self) -> dict[str, object]:
        """Return the state without segments, which a pickled or copied loader opens again by their names."""
        return {**self.__dict__, "_kept": {}}

    def CreateShareMemory(self, name: str, size: int) -> None:
        """Make a segment for ``size`` bytes of pixels. Raises ExistsError if the name is taken."""
        self._kept[name] = Segment.create(name, size)

    def ClearShareMemory(self, name: str) -> None:
        """Remove the segment, whichever process created it. Raises NotFoundError if there is none of that name."""
        try:
            clear(name)
        finally:  # not before: on Windows a segment ends with the last object that has it open, and with it the name
            self._kept.pop(name, None)

    def ClearAllShareMemory(self) -> None:
        """Remove all segments that this process created and that are still there."""
        clear_all()
        self._kept.clear()

    def Load(self, path: StrPath, share_name: str) -> tuple[int, int, int]:
        """Decode an image file into the segment as 8-bit BGR, and return its (height, width, channels)."""
        image = self._segment(share_name).load(path)
        return image.height, image.width, image.channels

    def Show(self, window_name: str, share_name: str, height: int, width: int, channel: int) -> None:
        """Draw the segment's pixels in the window of that name. Raises NoDisplayError if there is no display."""
        show(window_name, self._image(share_name, height, width, channel))

    def Delay(self, ms: int) -> int:
        """Let the windows live for that many milliseconds, or until a key is pressed. Returns the key, or -1.

        The key is that of ``cv2.waitKey``: the low byte alone, in which an arrow key is a letter. ``shmcv.delay`` tells
        them apart.
        """
        key = delay(ms)
        return key if key == NO_KEY else key & 0xFF

    def CloseWindows(self) -> None:
        """Close all windows."""
        close_windows()

    def Flip(
        self, share_name_src: str, share_name_dst: str, direct: int, height: int, width: int, channel: int
    ) -> None:
        """Mirror the pixels of one segment into another: 0 top and bottom, 1 left and right, -1 both."""
        source = self._image(share_name_src, height, width, channel)
        source.flip_into(self._segment(share_name_dst), direct)

    def SaveImage(self, filename: StrPath, share_name: str, height: int, width: int, channel: int) -> None:
        """Write the segment's pixels to a file, in the format that its extension names."""
        self._image(share_name, height, width, channel).save(filename)

    def _segment(self, name: str) -> Segment:
        segment = Segment.open(name)
        self._kept[name] = segment
        return segment

    def _image(self, name: str, height: int, width: int, channel: int) -> Segment:
        """Return the segment with an image of that size."""
        wanted = ImageInfo(width, height, order_of(channel))
        segment = self._segment(name)
        try:
            there = segment.image
        except NoImageError:
            segment.image = wanted
            return segment
        if (there.height, there.width, there.channels) != (height, width, channel):
            segment.image = wanted
        return segment
