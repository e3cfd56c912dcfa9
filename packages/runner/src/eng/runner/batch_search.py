"""Search for the largest size that fits, by doubling or halving, then by bisection."""

from __future__ import annotations

__all__ = ["SizeSearch"]


class SizeSearch:
    """The next size to try, until the largest that fits is known.

    It is assumed that a size fits if a larger one does.

    Args:
        first: The first size to try.
        most: The largest size allowed. Defaults to None.

    Attributes:
        most: The largest size allowed, which may be lowered meanwhile.
        found: The largest size that fitted so far, 0 without any.

    Examples:
        >>> search = SizeSearch(first=4)
        >>> sizes = []
        >>> while (size := search.next()) is not None:
        ...     sizes.append(size)
        ...     search.record(size, fits=size <= 11)
        >>> sizes, search.found
        ([4, 8, 16, 12, 10, 11], 11)
    """

    def __init__(self, first: int, most: int | None = None) -> None:
        self.most = most
        self.found = 0
        self._first = first
        self._least_too_large: int | None = None

    def next(self) -> int | None:
        """Return the next size to try, None if the largest that fits is known."""
        too_large = self._least_too_large
        if self.most is not None and (too_large is None or too_large > self.most + 1):
            size = min(self._grow(too_large), self.most)
        else:
            size = self._grow(too_large)
        return size if size > self.found and (too_large is None or size < too_large) else None

    def record(self, size: int, fits: bool) -> None:
        """Record whether a size fits.

        Args:
            size: The size.
            fits: Whether it does.
        """
        if fits:
            self.found = max(self.found, size)
        elif self._least_too_large is None or size < self._least_too_large:
            self._least_too_large = size

    def _grow(self, too_large: int | None) -> int:
        if too_large is None:
            return 2 * self.found or self._first
        return (self.found + too_large) // 2
