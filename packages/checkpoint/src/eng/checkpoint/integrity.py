"""Verify the checksums in a checkpoint file."""

from __future__ import annotations

import zipfile
from typing import IO

__all__ = ["ARCHIVE", "find_damage"]

#: First bytes of the files that torch.save writes.
ARCHIVE = b"PK\x03\x04"
#: Attribute of a directory entry, for which torch reads no bytes. It is outside all checksums.
_FOLDER = 0x10


def find_damage(file: IO[bytes]) -> str | None:
    """Compare every record of an archive of :func:`torch.save` with its checksum.

    :func:`torch.load` does not verify them: a bit flipped on the disk becomes a wrong weight. The
    checksums are those of the ZIP format, which ``torch.save`` writes, so no second file is needed.
    Bytes outside of them, such as padding, do not reach the loaded objects.

    Files of the format before torch 1.6 have no checksums and pass unverified, as does an archive
    written without them (:func:`torch.serialization.set_crc32_options`).

    Args:
        file: A seekable file. It is rewound to its start.

    Returns:
        The damage in one line, or None if all checksums match.
    """
    file.seek(0)
    beginning = file.read(len(ARCHIVE))
    try:
        if not beginning:
            return "the file is empty"
        return _check_records(file) if beginning == ARCHIVE else None
    except Exception as error:  # zipfile parses corrupt bytes and may raise anything
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"the archive is truncated or corrupt: {reason}"
    finally:
        file.seek(0)


def _check_records(file: IO[bytes]) -> str | None:
    with zipfile.ZipFile(file) as archive:
        records = archive.infolist()
        for record in records:
            if record.external_attr & _FOLDER and not record.is_dir():
                return f"record {record.filename!r} is marked as a directory"
        if not any(record.CRC for record in records):
            return None  # written without checksums
        damaged = archive.testzip()
        return None if damaged is None else f"checksum mismatch in record {damaged!r}"
