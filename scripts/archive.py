"""Packs a folder, the same bytes for the same files: `archive.py FOLDER FILE`, where FILE is a .zip or a .tar.gz."""

from __future__ import annotations

import gzip
import sys
import tarfile
import zipfile
from pathlib import Path


def main(folder: Path, output: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    pack = pack_zip if output.suffix == ".zip" else pack_tar
    pack(output, {str(path.relative_to(folder.parent)): path for path in files})


def pack_zip(output: Path, files: dict[str, Path]) -> None:
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in files.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes())


def pack_tar(output: Path, files: dict[str, Path]) -> None:
    """Pack symbolic links as such; tar makes the folders that files are in."""
    with (
        output.open("wb") as file,
        gzip.GzipFile("", "wb", 9, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for name, path in files.items():
            entry = tarfile.TarInfo(name)  # of the user 0, and the year 1970
            entry.mode = 0o644
            if path.is_symlink():
                entry.type, entry.linkname = tarfile.SYMTYPE, str(path.readlink())
                archive.addfile(entry)
                continue
            entry.size = path.stat().st_size
            with path.open("rb") as content:
                archive.addfile(entry, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
