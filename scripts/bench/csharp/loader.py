"""The stack that shmcv replaces: a C# program hosts Python, whose cv2 works on copies of the shared memory."""

from multiprocessing import shared_memory

import cv2
import numpy as np


class ImageLoader:
    """Images in named blocks of shared memory, as 8-bit samples."""

    def __init__(self):
        self._blocks = {}

    def CreateShareMemory(self, name, size):
        self._blocks[name] = shared_memory.SharedMemory(name, create=True, size=size)

    def ClearAllShareMemory(self):
        while self._blocks:
            _, block = self._blocks.popitem()
            block.close()
            block.unlink()

    def Load(self, path, share_name):
        image = cv2.imread(path)
        np.copyto(self._array(share_name, image.shape), image)
        return image.shape

    def Flip(self, share_name_src, share_name_dst, direct, height, width, channel):
        source = self._array(share_name_src, (height, width, channel))
        destination = self._array(share_name_dst, (height, width, channel))
        np.copyto(destination, cv2.flip(source, direct).reshape(destination.shape))

    def SaveImage(self, filename, share_name, height, width, channel):
        cv2.imwrite(filename, self._array(share_name, (height, width, channel)))

    def _array(self, name, shape):
        return np.ndarray(shape, np.uint8, self._blocks[name].buf)
