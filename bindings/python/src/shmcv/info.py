"""What is known of a segment or stream from its file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from uuid import UUID

from ._native import ShmcvSegmentInfo
from .constants import WhenBehind
from .image import ImageInfo

#: The beginning of the times of the library.
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class SegmentInfo:
    """What is known of a segment or stream.

    A foreign segment, which another program made, has no uuid, owner or time of creation.
    """

    #: By which this process opens it: its name, or a path if it is not in this process's folder.
    name: str
    #: Bytes for pixels, as asked for when it was created.
    size: int
    #: Bytes of shared memory that it takes.
    file_size: int
    #: The image in it, or None. Of a stream: the image of the newest frame.
    image: ImageInfo | None
    #: Identity of this segment. A name can be given again, a uuid is not.
    uuid: UUID | None
    #: When it was created, in UTC.
    created_at: datetime | None
    #: Process id of its creator.
    owner: int | None
    #: True while the creator has it open.
    owner_alive: bool
    #: True if a program that does not use this library made it.
    foreign: bool
    #: Slots of a stream, 0 for a segment that holds a single image.
    slots: int = 0
    #: Bytes for the pixels of one frame of a stream, 0 for a segment that holds a single image.
    slot_size: int = 0
    #: What a stream's writer does when a reader of every frame is behind; None for a segment.
    when_behind: WhenBehind | None = None
    #: Process id of a stream's writer, or None if it has none.
    writer: int | None = None
    #: Nanoseconds to add to a frame's times for nanoseconds since 1970 (UTC), as of the stream's creation.
    utc_offset_ns: int = 0

    @classmethod
    def _from_native(cls, native: ShmcvSegmentInfo) -> SegmentInfo:
        own = not native.foreign
        return cls(
            name=native.name.decode(),
            size=native.size,
            file_size=native.file_size,
            image=ImageInfo._from_native(native.image) if native.has_image else None,
            uuid=UUID(bytes=bytes(native.uuid)) if own else None,
            created_at=EPOCH + timedelta(microseconds=native.created_at // 1000) if own else None,
            owner=native.owner if own else None,
            owner_alive=bool(native.owner_alive),
            foreign=bool(native.foreign),
            slots=native.slots,
            slot_size=native.slot_size,
            when_behind=WhenBehind(native.when_behind) if native.when_behind else None,
            writer=native.writer or None,
            utc_offset_ns=native.utc_offset_ns,
        )
