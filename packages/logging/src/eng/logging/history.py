"""Histories of scalars, with constant time to record an entry."""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from eng.utils import ArgumentKeyError, ArgumentTypeError, ArgumentValueError, StateDict

from .pending import PendingTensors, copy_scalar, read_scalar
from .types import Scalar, Tensor

__all__ = ["HistoryBuffer"]

Array = NDArray[np.float64]
Method = TypeVar("Method", bound=Callable[..., object])
#: Sums are computed block by block, so that sums of whole blocks can replace their entries.
_BLOCK = 64
#: The latest entries are in a list. At this length, those before the last block are dropped.
MOST_RECENT = 2 * _BLOCK
#: The usual count, compared by identity, which any value has.
ONE = 1
#: Of a sum by numpy.
_PARTIAL_SUMS = 8
#: Beyond what is kept, an array has room for a whole list.
_FIRST_CAPACITY = 2 * MOST_RECENT


class Totals(NamedTuple):
    """Statistics of entries that are no longer kept, in whole blocks.

    Attributes:
        entries: Number of entries.
        value: Sum of their values.
        samples: Sum of their counts.
        largest: Largest value.
        smallest: Smallest value.
    """

    entries: int = 0
    value: float = 0.0
    samples: float = 0.0
    largest: float = -np.inf
    smallest: float = np.inf

    def plus(self, values: Array, counts: Array) -> "Totals":
        """Return the statistics with further entries, which start a block."""
        return Totals(
            self.entries + len(values),
            _add_blocks(self.value, values),
            _add_blocks(self.samples, counts),
            float(np.maximum(self.largest, values.max())),
            float(np.minimum(self.smallest, values.min())),
        )


def _add_blocks(start: float, values: Array) -> float:
    sums = np.add.reduceat(values, np.arange(0, len(values), _BLOCK))
    # Accumulated from left to right, whatever is already summed.
    return float(np.add.accumulate(np.concatenate([[start], sums]))[-1])


def _add_up(values: list[float]) -> float:
    """Add up to 128 numbers to the bit as numpy does, which takes three times as long for a few.

    Pairwise summation, unrolled to eight partial sums: N. J. Higham, "The accuracy of floating
    point summation", SIAM J. Sci. Comput. 14 (1993).
    """
    if len(values) < _PARTIAL_SUMS:
        return reduce(add, values)
    end = len(values) & -_PARTIAL_SUMS
    a, b, c, d, e, f, g, h = (
        values[:_PARTIAL_SUMS]
        if end == _PARTIAL_SUMS
        else [reduce(add, values[start:end:_PARTIAL_SUMS]) for start in range(_PARTIAL_SUMS)]
    )
    return reduce(add, values[end:], ((a + b) + (c + d)) + ((e + f) + (g + h)))


class HistoryBuffer:
    """A history of values and their numbers of samples.

    Values are kept in arrays that grow by doubling. Beyond ``max_length`` the oldest are dropped.
    Tensors stay on their device until the history is read; then all pending ones move in one
    transfer.

    Args:
        log_history: Initial values, of any shape; the last ``max_length`` are kept.
        count_history: Numbers of samples of the initial values.
        max_length: Maximum number of entries to keep.

    Raises:
        ValueError: The two histories differ in length, or ``max_length`` is below 1.

    Examples:
        >>> history = HistoryBuffer()
        >>> history.update(1)
        >>> history.update(2)
        >>> float(history.mean())
        1.5
    """

    _statistics_methods: ClassVar[dict[str, Callable[..., object]]] = {}

    _max_length: int
    _values: Array
    _counts: Array
    _end: int
    _recorded: int
    _recent: list[float | Tensor]
    _moved: int
    _recent_counts: dict[int, float]
    _has_tensors: bool
    _pending: PendingTensors
    _is_pending: bool
    _earlier: Totals

    def __init__(
        self,
        log_history: ArrayLike = (),
        count_history: ArrayLike = (),
        max_length: int = 1000000,
    ) -> None:
        self._fill(
            np.array(log_history, dtype=np.float64),
            np.array(count_history, dtype=np.float64),
            max_length,
        )

    def update(self, log_val: Scalar, count: Scalar = 1) -> None:
        """Add an entry, and drop the oldest beyond ``max_length``.

        Args:
            log_val: A number, or an array or tensor of one element. A tensor is copied on its
                device, without waiting for it.
            count: Number of samples of the value.

        Raises:
            TypeError: ``log_val`` or ``count`` is not a number.
        """
        recent = self._recent
        value: float | Tensor
        if type(log_val) is float:
            value = log_val
        else:
            value = copy_scalar(log_val)
            if type(value) is not float:
                self._has_tensors = True
        if count is not ONE:
            self._recent_counts[len(recent)] = read_scalar(count)
        recent.append(value)
        if len(recent) == MOST_RECENT:
            self._trim_recent()

    @property
    def data(self) -> tuple[Array, Array]:
        """Copies of the values and counts, oldest first."""
        return self._log_history.copy(), self._count_history.copy()

    @property
    def max_length(self) -> int:
        """Maximum number of entries that are kept."""
        return self._max_length

    def __len__(self) -> int:
        return min(self._end + len(self._recent) - self._moved, self._max_length)

    @classmethod
    def register_statistics(cls, method: Method) -> Method:
        """Register a function of a history, to be called by name by :meth:`statistics`.

        Args:
            method: Function of the buffer and the arguments of :meth:`statistics`. It may read
                ``self._log_history`` and ``self._count_history``.

        Returns:
            The function.

        Raises:
            ValueError: Another function of the same name is registered.
        """
        known = cls._statistics_methods.get(method.__name__)
        if known is not None and known.__module__ != method.__module__:
            raise ArgumentValueError(
                f"statistics method {method.__name__!r} is already registered by {known.__module__}"
            )
        cls._statistics_methods[method.__name__] = method
        return method

    def statistics(self, method_name: str, *arg: object, **kwargs: object) -> Any:
        """Call a statistics method by name.

        Raises:
            KeyError: The method is unknown; the message lists the known ones.
        """
        if method_name not in self._statistics_methods:
            known = ", ".join(sorted(self._statistics_methods))
            raise ArgumentKeyError(
                f"unknown statistics method {method_name!r}, known methods: {known}"
            )
        return self._statistics_methods[method_name](self, *arg, **kwargs)

    def mean(self, window_size: int | None = None) -> np.float64:
        """Return the sum of the latest values divided by the sum of their counts.

        Args:
            window_size: Number of latest values. Default: all.
        """
        recent = self._recent
        # In each line of the log: not all of the entries, and none that is not in the list.
        if (
            type(window_size) is int
            and 0 < window_size <= len(recent)
            and window_size < self._max_length
            and (self._end > self._moved or window_size < len(recent))
            and not (self._has_tensors or self._recent_counts)
        ):
            return np.float64(_add_up(recent[-window_size:]) / window_size)  # type: ignore[arg-type]
        values, counts, is_all = self._select_window(window_size)
        if is_all:
            totals = self._earlier.plus(values, counts)
            return np.float64(totals.value) / np.float64(totals.samples)
        return np.add.reduce(values) / np.add.reduce(counts)

    def max(self, window_size: int | None = None) -> np.float64:
        """Return the maximum of the latest ``window_size`` values. Default: all."""
        values, _, is_all = self._select_window(window_size)
        largest = values.max()
        return np.maximum(largest, self._earlier.largest) if is_all else largest

    def min(self, window_size: int | None = None) -> np.float64:
        """Return the minimum of the latest ``window_size`` values. Default: all."""
        values, _, is_all = self._select_window(window_size)
        smallest = values.min()
        return np.minimum(smallest, self._earlier.smallest) if is_all else smallest

    def current(self) -> np.float64:
        """Return the latest value.

        Raises:
            ValueError: The history is empty.
        """
        if self._recent and not self._has_tensors:
            return np.float64(self._recent[-1])  # type: ignore[arg-type]
        return self._select_window(1)[0][-1]

    def latest(self, least: int) -> "HistoryBuffer":
        """Return a history of the latest entries, with totals of the earlier ones.

        Windows of up to ``least`` entries, and mean, maximum and minimum of all entries, equal
        those of this history bit for bit, now and after the same further updates, up to
        ``max_length`` entries.

        Args:
            least: Minimum number of entries to keep.
        """
        values, counts = self.data
        surplus = max(0, (len(values) - max(least, 1)) // _BLOCK * _BLOCK)
        other = HistoryBuffer.__new__(HistoryBuffer)
        other._fill(values[surplus:], counts[surplus:], self._max_length)
        other._earlier = self._earlier
        if surplus:
            other._earlier = self._earlier.plus(values[:surplus], counts[:surplus])
        return other

    def __getstate__(self) -> StateDict:
        values, counts = self.data
        state = {"log_history": values, "count_history": counts, "max_length": self._max_length}
        return {**state, "earlier": list(self._earlier)} if self._earlier.entries else state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # Older engines pickled attributes, whose names begin with an underscore.
        plain = {key.lstrip("_"): value for key, value in state.items()}
        self._fill(
            np.array(plain["log_history"], dtype=np.float64),
            np.array(plain["count_history"], dtype=np.float64),
            plain["max_length"],
        )
        self._earlier = Totals(*plain.get("earlier", ()))

    @property
    def _log_history(self) -> Array:
        self._settle()
        return self._values[max(0, self._end - self._max_length) : self._end]

    @property
    def _count_history(self) -> Array:
        self._settle()
        return self._counts[max(0, self._end - self._max_length) : self._end]

    def _select_window(self, size: int | None) -> tuple[Array, Array, bool]:
        """Return the latest values and counts, and whether they include all entries ever recorded.

        Entries that are no longer kept are in the totals.
        """
        if self._moved < len(self._recent) or self._is_pending:
            self._settle()
        end = self._end
        if type(size) is int and 0 < size < end and size < self._max_length:  # in each log line
            return self._values[end - size : end], self._counts[end - size : end], False
        if type(size) is not int and size is not None:
            if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
                raise ArgumentTypeError(f"window_size must be an int or None, but got {size!r}")
            size = int(size)
        if size is not None and size < 1:
            raise ArgumentValueError(f"window_size must be at least 1, but got {size}")
        if not end:
            raise ArgumentValueError("the history is empty: call update first")
        kept = end if end < self._max_length else self._max_length
        if size is None or size >= kept:
            is_all = size is None or size >= self._earlier.entries + kept
            return self._values[end - kept : end], self._counts[end - kept : end], is_all
        return self._values[end - size : end], self._counts[end - size : end], False

    def _fill(self, values: Array, counts: Array, max_length: int) -> None:
        if max_length < 1:
            raise ArgumentValueError(f"max_length must be at least 1, but got {max_length}")
        if values.size != counts.size:
            raise ArgumentValueError(
                "the lengths of log_history and count_history should be equal, but got "
                f"{values.size} and {counts.size}"
            )
        values, counts = values.ravel(), counts.ravel()
        self._max_length = int(max_length)
        self._values, self._counts = values[-max_length:], counts[-max_length:]
        self._end = self._recorded = len(self._values)
        #: Latest values; how many of them, from the first on, are in the arrays as well; and counts
        #: other than 1 of the others, by their positions.
        self._recent = []
        self._moved = 0
        self._recent_counts = {}
        self._has_tensors = False
        self._pending = PendingTensors()
        self._is_pending = False
        self._earlier = Totals()

    def _make_room(self) -> int:
        """Double the arrays; at full size, move the kept entries to the front."""
        keep = min(self._end, self._max_length)
        # The spare room makes moves rare: their cost is amortized over that many updates.
        most = self._max_length + max(_FIRST_CAPACITY, self._max_length // 8)
        size = min(max(_FIRST_CAPACITY, 2 * keep), most)
        for name in ("_values", "_counts"):
            grown = np.empty(size)
            grown[:keep] = getattr(self, name)[self._end - keep : self._end]
            setattr(self, name, grown)
        self._end = keep
        self._pending.forget_before(self._recorded - keep)
        return keep

    def _trim_recent(self) -> None:
        """Move the latest values into the arrays, and drop those before the last block."""
        self._move_recent()
        del self._recent[:-_BLOCK]
        self._moved = len(self._recent)

    def _move_recent(self) -> None:
        """Move the latest values into the arrays, or, those on a device, to the pending ones."""
        recent = self._recent[self._moved :]
        # Without a list of floats that count once, means are computed from the arrays.
        kept = [] if self._has_tensors or self._recent_counts else self._recent
        values = (
            self._set_tensors_aside(recent) if self._has_tensors else cast("list[float]", recent)
        )
        end = self._end + len(recent)
        if end > len(self._values):
            end = self._make_room() + len(recent)
        self._values[self._end : end], self._counts[self._end : end] = values, 1
        for position, count in self._recent_counts.items():
            self._counts[self._end + position - self._moved] = count
        self._end, self._recorded = end, self._recorded + len(recent)
        self._recent, self._moved, self._recent_counts = kept, len(kept), {}

    def _set_tensors_aside(self, recent: list[float | Tensor]) -> list[float]:
        """Replace tensors among the latest values, which are read later, all at once."""
        first, self._is_pending, self._has_tensors = self._recorded, True, False
        if float not in set(map(type, recent)):
            self._pending.add(range(first, first + len(recent)), recent)  # type: ignore[arg-type]
            return [0.0] * len(recent)
        tensors = {i: value for i, value in enumerate(recent) if not isinstance(value, float)}
        self._pending.add([first + i for i in tensors], list(tensors.values()))
        return [value if isinstance(value, float) else 0.0 for value in recent]

    def _settle(self) -> None:
        if self._moved < len(self._recent):
            self._move_recent()
        self._is_pending = False
        if self._pending:  # unless all of them were dropped as the oldest
            numbers, values = self._pending.take()
            positions = numbers - (self._recorded - self._end)
            kept = positions >= 0
            self._values[positions[kept]] = values[kept]


for _method in (HistoryBuffer.mean, HistoryBuffer.max, HistoryBuffer.min, HistoryBuffer.current):
    HistoryBuffer.register_statistics(_method)
