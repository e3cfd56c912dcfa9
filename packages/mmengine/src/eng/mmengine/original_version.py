"""Version of mmengine that the alias reports.

Libraries accept a range of versions; the narrowest known one is 0.8.3 to 1.0.0.
"""

from __future__ import annotations

import re

__all__ = ["__version__", "parse_version_info", "version_info"]

__version__ = "0.10.7"


def parse_version_info(version_str: str) -> tuple[int | str, ...]:
    """Split a version into numbers, and a suffix for a release candidate.

    Examples:
        >>> parse_version_info("1.2.3rc4")
        (1, 2, 3, 'rc4')
    """
    parts: list[int | str] = []
    for part in version_str.split("."):
        number, text = re.fullmatch(r"(\d*)(.*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
        parts += [int(number)] if number else []
        parts += [text] if text.startswith("rc") else []
    return tuple(parts)


version_info = parse_version_info(__version__)
