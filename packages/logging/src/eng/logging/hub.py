"""Message hub: share scalars and information between the components of a run."""

import copy
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np

from eng.utils import (
    ArgumentKeyError,
    ArgumentTypeError,
    ArgumentValueError,
    ManagerMixin,
    StateDict,
    override,
)

from .history import MOST_RECENT, ONE, HistoryBuffer
from .logger import print_log
from .pending import is_tensor, read_at_once
from .types import Scalar

__all__ = ["MessageHub"]

Value = TypeVar("Value")

#: Information of a run by key, which may be anything.
RuntimeInfo: TypeAlias = "OrderedDict[str, Any]"

_PLAIN_TYPES: tuple[type, ...] = (bool, int, float, complex, str, bytes)


class MessageHub(ManagerMixin):
    """Scalar histories and runtime information of a run, by key.

    Args:
        name: Name of the instance.
        log_scalars: Initial histories.
        runtime_info: Initial information.
        resumed_keys: Whether each key is part of the saved state.

    Raises:
        TypeError: An argument is not a mapping, or a history is not a HistoryBuffer.
        KeyError: A key of ``resumed_keys`` is neither in scalars nor in information.
    """

    def __init__(
        self,
        name: str,
        log_scalars: Mapping[str, HistoryBuffer] | None = None,
        runtime_info: Mapping[str, object] | None = None,
        resumed_keys: Mapping[str, bool] | None = None,
    ) -> None:
        super().__init__(name)
        self._log_scalars: OrderedDict[str, HistoryBuffer] = _copy_mapping(
            "log_scalars", log_scalars
        )
        self._runtime_info: RuntimeInfo = _copy_mapping("runtime_info", runtime_info)
        self._resumed_keys: OrderedDict[str, bool] = _copy_mapping("resumed_keys", resumed_keys)
        #: Keys of a loaded state that were not set since.
        self._loaded_keys: set[str] = set()
        for key, value in self._log_scalars.items():
            if not isinstance(value, HistoryBuffer):
                raise ArgumentTypeError(
                    f"log_scalars[{key!r}] must be a HistoryBuffer, but got {value!r}"
                )
        for key in self._resumed_keys:
            if key not in self._log_scalars and key not in self._runtime_info:
                raise ArgumentKeyError(
                    f"unknown key {key!r} in resumed_keys: neither a scalar nor information"
                )

    @classmethod
    @override
    def get_current_instance(cls) -> "MessageHub":
        """Return the most recently created hub, or create one called ``mmengine``."""
        if not cls._instance_dict:
            cls.get_instance("mmengine")
        return super().get_current_instance()

    def update_scalar(
        self, key: str, value: Scalar, count: Scalar = 1, resumed: bool = True
    ) -> None:
        """Add an entry to a history, which is created if missing.

        Args:
            key: Key of the history.
            value: A number, or an array or tensor of one element.
            count: Number of samples of the value.
            resumed: Whether the history is part of the saved state; must be the same in all
                calls, but may differ from a loaded state.

        Raises:
            ValueError: ``resumed`` differs from earlier calls.
            TypeError: ``value`` or ``count`` is not a number.
        """
        history = self._log_scalars.get(key)
        if self._resumed_keys.get(key) is not resumed or self._loaded_keys:
            self._set_resumed(key, resumed)
        elif (
            count is ONE
            and type(history) is HistoryBuffer
            and (type(value) is float or type(value := read_at_once(value)) is float)
        ):
            recent = history._recent  # as HistoryBuffer.update does, in nearly all calls of a run
            recent.append(value)
            if len(recent) == MOST_RECENT:
                history._trim_recent()
            return
        if history is None:
            history = self._log_scalars[key] = HistoryBuffer()
        try:
            history.update(value, count)
        except TypeError as error:
            if not len(history):
                del self._log_scalars[key]
            raise ArgumentTypeError(f"scalar {key!r}: {error}") from None

    def update_scalars(
        self, log_dict: Mapping[str, Scalar | Mapping[str, Scalar]], resumed: bool = True
    ) -> None:
        """Add an entry to each of several histories.

        Args:
            log_dict: Values by key; a value may be ``dict(value=..., count=...)``.
            resumed: See :meth:`update_scalar`.

        Raises:
            TypeError: ``log_dict`` is not a mapping.
            KeyError: A dict has no ``value``.
        """
        if not isinstance(log_dict, Mapping):
            raise ArgumentTypeError(f"log_dict must be a dict, but got {type(log_dict).__name__}")
        for key, value in log_dict.items():
            if isinstance(value, Mapping):
                if "value" not in value:
                    raise ArgumentKeyError(
                        f"scalar {key!r}: missing key 'value' in the dict, which has {list(value)}"
                    )
                self.update_scalar(key, value["value"], value.get("count", 1), resumed)
            else:
                self.update_scalar(key, value, 1, resumed)

    def update_info(self, key: str, value: object, resumed: bool = True) -> None:
        """Set runtime information.

        Args:
            key: Key of the information.
            value: New value.
            resumed: Whether it is part of the saved state; must be the same in all calls.

        Raises:
            ValueError: ``resumed`` differs from earlier calls.
        """
        if self._resumed_keys.get(key) is not resumed or self._loaded_keys:
            self._set_resumed(key, resumed)
        self._runtime_info[key] = value

    def pop_info(self, key: str, default: object = None) -> Any:
        """Remove runtime information and return it, or ``default`` if it is missing."""
        return self._runtime_info.pop(key, default)

    def update_info_dict(self, info_dict: Mapping[str, object], resumed: bool = True) -> None:
        """Set runtime information for each key of a dict; see :meth:`update_info`.

        Raises:
            TypeError: ``info_dict`` is not a mapping.
        """
        if not isinstance(info_dict, Mapping):
            raise ArgumentTypeError(f"info_dict must be a dict, but got {type(info_dict).__name__}")
        for key, value in info_dict.items():
            self.update_info(key, value, resumed)

    @property
    def log_scalars(self) -> "OrderedDict[str, HistoryBuffer]":
        """All histories, not copied."""
        return self._log_scalars

    @property
    def runtime_info(self) -> RuntimeInfo:
        """A copy of all runtime information."""
        return self._runtime_info.copy()

    def get_scalar(self, key: str) -> HistoryBuffer:
        """Return a history, not a copy.

        Raises:
            KeyError: The key is unknown; the message lists the known ones.
        """
        if key not in self._log_scalars:
            raise KeyError(
                f"no scalar {key!r} is recorded, known scalars: {list(self._log_scalars)}"
            )
        return self._log_scalars[key]

    def get_info(self, key: str, default: object = None) -> Any:
        """Return a copy of runtime information, or ``default`` if it is missing."""
        if key not in self._runtime_info:
            return default
        value = self._runtime_info[key]
        return value if type(value) in _PLAIN_TYPES else copy.deepcopy(value)

    def state_dict(self, keep: Callable[[str], int | None] | None = None) -> StateDict:
        """Return the state to resume a run, as plain data.

        Histories are bytes of little-endian float64. Information that is not plain data (numbers,
        text, tensors, and lists, dicts and sets of them) is left out with a warning.

        Args:
            keep: Function of the key of a history that returns how many of its latest entries are
                needed, or None for all, so that the state does not grow with the run; see
                :meth:`HistoryBuffer.latest`. Defaults to None: all are kept.
        """
        scalars, info = OrderedDict(), OrderedDict()
        for key, history in self._log_scalars.items():
            if self._resumed_keys.get(key, False):
                least = None if keep is None else keep(key)
                scalars[key] = _pack(history if least is None else history.latest(least))
        for key, value in self._runtime_info.items():
            if self._resumed_keys.get(key, False):
                try:
                    info[key] = _convert_to_plain(value)
                except TypeError as error:
                    print_log(
                        f"information {key!r} is not saved: {error}", "current", logging.WARNING
                    )
        kept = OrderedDict(
            (k, v) for k, v in self._resumed_keys.items() if k in scalars or k in info
        )
        return {"log_scalars": scalars, "runtime_info": info, "resumed_keys": kept}

    def load_state_dict(self, state_dict: "Mapping[str, Any] | MessageHub") -> None:
        """Load a state of :meth:`state_dict`, or everything from another hub.

        Args:
            state_dict: State, or hub. Pickled HistoryBuffers of older engines are accepted.

        Raises:
            TypeError: ``state_dict`` is neither a mapping nor a hub, or has an invalid history.
            KeyError: One of its three parts is missing.
        """
        if isinstance(state_dict, MessageHub):
            self._log_scalars = copy.deepcopy(state_dict._log_scalars)
            self._runtime_info = copy.deepcopy(state_dict._runtime_info)
            self._resumed_keys = copy.deepcopy(state_dict._resumed_keys)
            return
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"state_dict must be a dict or MessageHub, but got {type(state_dict).__name__}"
            )
        for part in ("log_scalars", "runtime_info", "resumed_keys"):
            if part not in state_dict:
                raise ArgumentKeyError(
                    f"missing key {part!r} in the state of a message hub: {list(state_dict)}"
                )
        scalars = {key: _unpack(key, saved) for key, saved in state_dict["log_scalars"].items()}
        info = copy.deepcopy(dict(state_dict["runtime_info"]))
        self._log_scalars.update(scalars)
        self._runtime_info.update(info)
        self._resumed_keys.update(state_dict["resumed_keys"])
        self._loaded_keys.update(state_dict["resumed_keys"])

    def _set_resumed(self, key: str, resumed: bool) -> None:
        if key in self._loaded_keys:  # it may have been set by another program
            self._loaded_keys.remove(key)
            self._resumed_keys[key] = resumed
        before = self._resumed_keys.setdefault(key, resumed)
        if before != resumed:
            raise ArgumentValueError(
                f"{key} used to be {before}, but got {resumed} now. resumed keys cannot be "
                "modified repeatedly"
            )


def _copy_mapping(name: str, value: Mapping[str, Value] | None) -> "OrderedDict[str, Value]":
    if value is not None and not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{name} must be a dict or None, but got {type(value).__name__}")
    return OrderedDict(copy.deepcopy(dict(value or {})))


def _pack(history: HistoryBuffer) -> StateDict:
    state = history.__getstate__()
    arrays = ("log_history", "count_history")
    return {**state, **{name: state[name].astype("<f8").tobytes() for name in arrays}}


def _unpack(key: str, saved: Any) -> HistoryBuffer:
    if isinstance(saved, HistoryBuffer):
        return copy.deepcopy(saved)
    if isinstance(saved, Mapping):
        arrays = ("log_history", "count_history")
        history = HistoryBuffer()
        history.__setstate__(
            {**saved, **{name: np.frombuffer(saved[name], dtype="<f8") for name in arrays}}
        )
        return history
    if hasattr(saved, "_log_history"):  # of an older engine
        values, counts = saved._log_history, saved._count_history
        return HistoryBuffer(values, counts, saved._max_length)
    raise TypeError(f"the saved scalar {key!r} must be a history, but got {type(saved).__name__}")


def _convert_to_plain(value: object) -> Any:
    if value is None or isinstance(value, _PLAIN_TYPES):
        # Subclasses (float64 of numpy, str enums) would not load as plain data.
        for kind in _PLAIN_TYPES:
            if isinstance(value, kind):
                return kind(value)
        return value
    if isinstance(value, np.generic):
        return _convert_to_plain(value.item())
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.tolist()
    if is_tensor(value):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {_convert_to_plain(key): _convert_to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        collection = next(kind for kind in (list, tuple, set) if isinstance(value, kind))
        return collection(_convert_to_plain(item) for item in value)
    raise TypeError(f"{type(value).__name__} is not plain data")
