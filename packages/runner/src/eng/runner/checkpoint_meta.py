"""Entries of a checkpoint's meta that describe its data and its format."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from eng.logging import print_log

from .types import Loader

__all__ = ["MMENGINE_VERSION", "dataset_meta_of", "warn_of_other_data"]

#: Version of the format that code of the OpenMMLab family finds in checkpoints and compares.
MMENGINE_VERSION = "0.10.7"


def dataset_meta_of(loader: Loader) -> dict[object, object] | None:
    """Collect the ``metainfo`` of a training dataset as plain data.

    Args:
        loader: Its data loader.

    Returns:
        Its ``metainfo``, with arrays as lists; entries that are not plain data are left out, with a
        warning. None without one.
    """
    meta = getattr(getattr(loader, "dataset", None), "metainfo", None)
    if not isinstance(meta, Mapping):
        return None
    plain, foreign = {}, []
    for key, value in meta.items():
        try:
            plain[key] = _to_plain(value)
        except TypeError as error:
            foreign.append(f"{key!r} ({error})")
    if foreign:
        print_log(
            f"dataset_meta is saved without {', '.join(foreign)}: not plain data.",
            logger="current",
            level=logging.WARNING,
        )
    return plain


def warn_of_other_data(
    saved: object, present: Mapping[object, object] | None, logger: logging.Logger
) -> None:
    """Warn if a run is resumed with a training dataset of another ``metainfo``.

    Args:
        saved: ``dataset_meta`` of the checkpoint, None without one.
        present: That of the training dataset.
        logger: The logger of the run.
    """
    if not isinstance(saved, Mapping) or present is None:
        return
    before = dataset_meta_of(_Described(saved)) or {}
    changed = sorted(
        str(key)
        for key in {*before, *present}
        if _make_comparable(before.get(key)) != _make_comparable(present.get(key))
    )
    if changed:
        logger.warning(
            "The training dataset has another metainfo than that of the checkpoint: "
            f"{', '.join(changed)} differ. The present one is used."
        )


class _Described:
    """Stand in for the loader of a dataset, of which only the ``metainfo`` is known."""

    def __init__(self, metainfo: Mapping[object, object]) -> None:
        self.dataset = self
        self.metainfo = metainfo


def _make_comparable(value: object) -> object:
    """Return a value whose lists and tuples compare as equal."""
    if isinstance(value, Mapping):
        return {key: _make_comparable(item) for key, item in value.items()}
    return [_make_comparable(item) for item in value] if isinstance(value, (list, tuple)) else value


def _to_plain(value: object) -> object:
    """Return plain data equal to a value, which loads with ``weights_only=True``."""
    if value is None or type(value) in (bool, int, float, complex, str, bytes):
        return value
    if isinstance(value, Mapping):
        return {_to_plain(key): _to_plain(item) for key, item in value.items()}
    for kind in (list, tuple, set):
        if isinstance(value, kind):
            return kind(_to_plain(item) for item in value)
    if isinstance(value, frozenset):
        return {_to_plain(item) for item in value}
    for base in (bool, int, float, complex, str, bytes):
        if isinstance(value, base):  # numpy's float64, an enum of strings
            return base(value)  # type: ignore[arg-type]
    if hasattr(value, "tolist") and getattr(getattr(value, "dtype", None), "hasobject", None) in (
        None,
        False,
    ):
        return value.tolist()
    raise TypeError(type(value).__name__)
