"""Verify that a checkpoint file is as it was written."""

from __future__ import annotations

import zipfile
from typing import IO

__all__ = ["ARCHIVE", "find_damage"]

#: How files of torch.save begin.
ARCHIVE = b"PK\x03\x04"
#: The mark of a folder, of which torch reads no bytes. No checksum covers it.
_FOLDER = 0x10


def find_damage(file: IO[bytes]) -> str | None:
    """Compare every record of an archive of :func:`torch.save` with its checksum.

    :func:`torch.load` itself does not: a bit that was flipped on the disk becomes a weight. The
    checksums are those of the ZIP format, which ``torch.save`` writes, so that files need nothing
    beside them. What they do not cover, such as padding, does not reach what is loaded.

    Files of the format before torch 1.6 have none and are taken as they are, as is an archive that
    was written without (:func:`torch.serialization.set_crc32_options`).

    Args:
        file: The file, which can be read at any place. Its position afterwards is its beginning.

    Returns:
        The damage in one line, None where there is none.
    """
    file.seek(0)
    beginning = file.read(len(ARCHIVE))
    try:
        if not beginning:
            return "the file is empty"
        return _damaged_record(file) if beginning == ARCHIVE else None
    except Exception as error:  # zipfile takes any byte as a number: all may go wrong
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"the archive is truncated or damaged: {reason}"
    finally:
        file.seek(0)


def _damaged_record(file: IO[bytes]) -> str | None:
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
        for record in records:
            if record.external_attr & _FOLDER and not record.is_dir():
                return f"record {record.filename!r} is marked as a folder"
        if not any(record.CRC for record in records):
            return None  # written without checksums
        damaged = archive.testzip()
        return None if damaged is None else f"the checksum of record {damaged!r} does not match"
