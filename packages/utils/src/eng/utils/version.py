"""Parse versions, and find the commit of a git checkout."""

from __future__ import annotations

import re

from .errors import ArgumentValueError

__all__ = ["digit_version", "get_git_hash"]

# Versions as of PEP 440, https://peps.python.org/pep-0440/#appendix-b.
_VERSION = re.compile(
    r"""v?(?:\d+!)?(?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>\d+)?)?
    (?P<post>-(?P<post_n1>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_n2>\d+)?)?
    (?P<dev>[-_.]?dev[-_.]?\d*)?
    (?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_STAGE = {"a": -3, "b": -2, "p": -1, "c": -1, "r": -1}  # by the first letter


def digit_version(version_str: str, length: int = 4) -> tuple[int, ...]:
    """Parse a version into numbers that compare in release order.

    Args:
        version_str: PEP 440 version.
        length: Number of release levels; missing levels are 0.

    Returns:
        The levels, then a pair for the stage: dev ``(-4, 0)``, alpha ``(-3, n)``, beta
        ``(-2, n)``, release candidate ``(-1, n)``, final ``(0, 0)``, post ``(1, n)``.

    Raises:
        ValueError: The version is not a valid PEP 440 version.

    Examples:
        >>> digit_version("1.2.3rc1")
        (1, 2, 3, 0, -1, 1)
    """
    match = _VERSION.fullmatch(version_str.strip())
    if match is None:
        raise ArgumentValueError(
            f"failed to parse version {version_str!r}: not a valid PEP 440 version"
        )
    release = [int(level) for level in match["release"].split(".")][:length]
    release += [0] * (length - len(release))
    if match["pre"]:
        stage = (_STAGE[match["pre"][0].lower()], int(match["pre_n"] or 0))
    elif match["dev"]:
        stage = (-4, 0)
    elif match["post"]:
        stage = (1, int(match["post_n1"] or match["post_n2"] or 0))
    else:
        stage = (0, 0)
    return (*release, *stage)


def get_git_hash(fallback: str = "unknown", digits: int | None = None) -> str:
    """Return the commit of the git checkout that contains the working directory.

    Args:
        fallback: Value to return without git, or outside a checkout.
        digits: Number of digits to keep. Default: all.

    Raises:
        TypeError: ``digits`` is not an integer.
    """
    import subprocess

    if digits is not None and not isinstance(digits, int):
        raise TypeError(f"digits must be None or an integer, not {digits!r}")
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return fallback
    return found.stdout.strip()[:digits]
