"""Histories of scalars that cost the same to record at the millionth entry as at the first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eng.utils import ArgumentKeyError, ArgumentTypeError, ArgumentValueError

from .pending import PendingTensors, is_tensor, scalar

__all__ = ["HistoryBuffer"]

Array = NDArray[np.float64]
_FIRST_CAPACITY = 64
#: Sums are taken block by block, so that those of whole blocks stand for their entries.
BLOCK = 64


class Totals(NamedTuple):
    """Statistics of entries that are not kept: always those of whole blocks.

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
        """Return the statistics with further entries, which begin a block."""
        return Totals(
            self.entries + len(values),
            _add_blocks(self.value, values),
            _add_blocks(self.samples, counts),
            float(np.maximum(self.largest, values.max())),
            float(np.minimum(self.smallest, values.min())),
        )


def _add_blocks(start: float, values: Array) -> float:
    sums = np.add.reduceat(values, np.arange(0, len(values), BLOCK))
    # Accumulating goes from left to right, whatever is summed up already.
    return float(np.add.accumulate(np.concatenate([[start], sums]))[-1])


class HistoryBuffer:
    """A history of values and of how many samples each stands for.

    Values are kept in arrays that grow by doubling. Beyond ``max_length`` the oldest are dropped.
    Tensors stay on their device until somebody reads; then all that are pending move in one
    transfer.

    Args:
        log_history: Values to begin with, of any shape; the last ``max_length`` are kept.
        count_history: Their counts, as many as values.
        max_length: Most entries to keep.

    Raises:
        ValueError: The two histories differ in length, or ``max_length`` is below 1.

    Examples:
        >>> history = HistoryBuffer()
        >>> history.update(1)
        >>> history.update(2)
        >>> float(history.mean())
        1.5
    """

    _statistics_methods: ClassVar[dict[str, Callable[..., Any]]] = {}

    _max_length: int
    _values: Array
    _counts: Array
    _end: int
    _recorded: int
    _late: list[float]
    _pending: PendingTensors
    _is_pending: bool
    _earlier: Totals

    def __init__(
        self,
        log_history: Sequence[Any] = (),
        count_history: Sequence[Any] = (),
        max_length: int = 1000000,
    ) -> None:
        self._fill(
            np.array(log_history, dtype=np.float64),
            np.array(count_history, dtype=np.float64),
            max_length,
        )

    def update(self, log_val: Any, count: Any = 1) -> None:
        """Add an entry, and drop the oldest when there are more than ``max_length``.

        Args:
            log_val: A number, or an array or tensor of one element. A tensor is copied on its
                device, without waiting for it.
            count: Number of samples that the value stands for.

        Raises:
            TypeError: ``log_val`` or ``count`` is no number.
        """
        if type(log_val) is float and type(count) is int and count == 1:
            # Nearly always. Moved into the arrays many at a time, at a fifth of the cost.
            late = self._late
            late.append(log_val)
            if len(late) == BLOCK:
                self._take_late()
            return
        if self._late:
            self._take_late()
        position, values = self._end, self._values
        if position == len(values):
            position = self._make_room()
            values = self._values
        self._counts[position] = count if type(count) is int else scalar(count)
        if is_tensor(log_val):
            self._pending.add(self._recorded, log_val)
            self._is_pending = True
        else:
            values[position] = scalar(log_val)
        self._end = position + 1
        self._recorded += 1

    @property
    def data(self) -> tuple[Array, Array]:
        """Copies of the values and of their counts, oldest first."""
        return self._log_history.copy(), self._count_history.copy()

    @property
    def max_length(self) -> int:
        """Most entries that are kept."""
        return self._max_length

    def __len__(self) -> int:
        return min(self._end + len(self._late), self._max_length)

    @classmethod
    def register_statistics(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Make a function of a history callable by name through :meth:`statistics`.

        Args:
            method: Called with the buffer and what :meth:`statistics` is given. It may read
                ``self._log_history`` and ``self._count_history``.

        Returns:
            The function.

        Raises:
            ValueError: Another function of that name is registered.
        """
        known = cls._statistics_methods.get(method.__name__)
        if known is not None and known.__module__ != method.__module__:
            raise ArgumentValueError(
                f"statistics method {method.__name__!r} is registered already, "
                f"by {known.__module__}"
            )
        cls._statistics_methods[method.__name__] = method
        return method

    def statistics(self, method_name: str, *arg: Any, **kwargs: Any) -> Any:
        """Call a statistics method by name.

        Raises:
            KeyError: There is no such method; names those that there are.
        """
        if method_name not in self._statistics_methods:
            known = ", ".join(sorted(self._statistics_methods))
            raise ArgumentKeyError(f"unknown statistics method {method_name!r}, known are: {known}")
        return self._statistics_methods[method_name](self, *arg, **kwargs)

    def mean(self, window_size: int | None = None) -> Any:
        """Sum of the latest ``window_size`` values over the sum of their counts; all when None."""
        values, counts, is_all = self._window(window_size)
        if is_all:
            totals = self._earlier.plus(values, counts)
            return np.float64(totals.value) / np.float64(totals.samples)
        return np.add.reduce(values) / np.add.reduce(counts)

    def max(self, window_size: int | None = None) -> Any:
        """Largest of the latest ``window_size`` values; of all when None."""
        values, _, is_all = self._window(window_size)
        largest = values.max()
        return np.maximum(largest, self._earlier.largest) if is_all else largest

    def min(self, window_size: int | None = None) -> Any:
        """Smallest of the latest ``window_size`` values; of all when None."""
        values, _, is_all = self._window(window_size)
        smallest = values.min()
        return np.minimum(smallest, self._earlier.smallest) if is_all else smallest

    def current(self) -> Any:
        """Latest value.

        Raises:
            ValueError: Nothing has been recorded.
        """
        return self._window(1)[0][-1]

    def latest(self, least: int) -> "HistoryBuffer":
        """Return a history of the latest entries, which counts the ones before in totals.

        Windows of up to ``least`` entries, and mean, maximum and minimum of all, are equal to the
        bit to those of this history, now and after the same further updates; as long as there are
        no more than ``max_length`` entries.

        Args:
            least: Number of entries that are kept at least.
        """
        values, counts = self.data
        surplus = max(0, (len(values) - max(least, 1)) // BLOCK * BLOCK)
        other = HistoryBuffer.__new__(HistoryBuffer)
        other._fill(values[surplus:], counts[surplus:], self._max_length)
        other._earlier = self._earlier
        if surplus:
            other._earlier = self._earlier.plus(values[:surplus], counts[:surplus])
        return other

    def __getstate__(self) -> dict[str, Any]:
        values, counts = self.data
        state = {"log_history": values, "count_history": counts, "max_length": self._max_length}
        return {**state, "earlier": list(self._earlier)} if self._earlier.entries else state

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        # older engines pickled attributes, whose names begin with an underscore
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

    def _window(self, size: int | None) -> tuple[Array, Array, bool]:
        """Latest values and counts, and whether no entry was ever recorded before them.

        Of these, entries that are not kept any more are in the totals.
        """
        if type(size) is not int and size is not None:
            if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
                raise ArgumentTypeError(f"window_size is an int or None, not {size!r}")
            size = int(size)
        if size is not None and size < 1:
            raise ArgumentValueError(f"window_size must be at least 1, not {size}")
        if self._late or self._is_pending:
            self._settle()
        end = self._end
        if not end:
            raise ArgumentValueError("the history is empty: call update first")
        kept = end if end < self._max_length else self._max_length
        if size is None or size >= kept:
            is_all = size is None or size >= self._earlier.entries + kept
            return self._values[end - kept : end], self._counts[end - kept : end], is_all
        return self._values[end - size : end], self._counts[end - size : end], False

    def _fill(self, values: Array, counts: Array, max_length: int) -> None:
        if max_length < 1:
            raise ArgumentValueError(f"max_length must be at least 1, not {max_length}")
        if values.size != counts.size:
            raise ArgumentValueError(
                "the lengths of log_history and count_history should be equal, but they are "
                f"{values.size} and {counts.size}"
            )
        values, counts = values.ravel(), counts.ravel()
        self._max_length = int(max_length)
        self._values, self._counts = values[-max_length:], counts[-max_length:]
        self._end = self._recorded = len(self._values)
        #: Latest values, each of count 1, that are not in the arrays yet.
        self._late = []
        self._pending = PendingTensors()
        self._is_pending = False
        self._earlier = Totals()

    def _make_room(self) -> int:
        """Double the arrays; at full size, move the entries that count to the front."""
        keep = min(self._end, self._max_length)
        # the spare part makes moving rare: its cost is spread over that many updates
        most = self._max_length + max(_FIRST_CAPACITY, self._max_length // 8)
        size = min(max(_FIRST_CAPACITY, 2 * keep), most)
        for name in ("_values", "_counts"):
            grown = np.empty(size)
            grown[:keep] = getattr(self, name)[self._end - keep : self._end]
            setattr(self, name, grown)
        self._end = keep
        self._pending.forget_before(self._recorded - keep)
        return keep

    def _take_late(self) -> None:
        late, self._late = self._late, []
        end = self._end + len(late)
        if end <= len(self._values):
            self._values[self._end : end], self._counts[self._end : end] = late, 1
            self._end, self._recorded = end, self._recorded + len(late)
            return
        while late:
            room = len(self._values) - self._end
            if not room:
                self._make_room()
                continue
            part, late = late[:room], late[room:]
            end = self._end + len(part)
            self._values[self._end : end], self._counts[self._end : end] = part, 1
            self._end = end
            self._recorded += len(part)

    def _settle(self) -> None:
        if self._late:
            self._take_late()
        self._is_pending = False
        if self._pending:  # not where all of them were dropped as the oldest
            numbers, values = self._pending.take()
            positions = numbers - (self._recorded - self._end)
            kept = positions >= 0
            self._values[positions[kept]] = values[kept]


for _method in (HistoryBuffer.mean, HistoryBuffer.max, HistoryBuffer.min, HistoryBuffer.current):
    HistoryBuffer.register_statistics(_method)
