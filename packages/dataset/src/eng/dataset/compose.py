"""Several transforms as one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from eng.registry import TRANSFORMS
from eng.utils import override

__all__ = ["Compose", "TransformError"]


class TransformError(RuntimeError):
    """A step of a pipeline failed; its own error is the ``__cause__``."""


class Compose:
    """Applies transforms one after another.

    A transform may return None where it can make nothing of a sample, such as a broken image: the
    rest is left out then and the result is None.

    Args:
        transforms: Transforms, each something that can be called with the data, or the config of
            one in ``TRANSFORMS``. None is none.

    Raises:
        TypeError: If a transform is neither, or what its config builds cannot be called.

    Examples:
        >>> Compose([lambda data: data + 1, lambda data: data * 2])(3)
        8
    """

    def __init__(self, transforms: Sequence[dict[str, Any] | Callable[[Any], Any]] | None) -> None:
        self.transforms = [_build(each, place) for place, each in enumerate(transforms or ())]

    def __call__(self, data: Any) -> Any:
        """Apply the transforms.

        Args:
            data: What the first one takes.

        Returns:
            What the last one returns, or None if one of them does.

        Raises:
            TransformError: If a step raises; names the step, the sample and its file.
        """
        given = data
        for place, transform in enumerate(self.transforms):
            try:
                data = transform(data)
            except Exception as error:
                raise TransformError(
                    f"step {place} of the pipeline, {_name(transform)}, failed on "
                    f"{sample_name(given)}: {type(error).__name__}: {error}"
                ) from error
            if data is None:
                return None
        return data

    @override
    def __repr__(self) -> str:
        lines = [f"    {transform!r}" for transform in self.transforms]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def sample_name(data: Any) -> str:
    """How an error names a sample: by its index and its file, as far as its data tells.

    Args:
        data: What is known of the sample, such as its annotation.

    Returns:
        A few words.
    """
    if not isinstance(data, Mapping):
        return f"a sample of type {type(data).__name__}"
    name = f"sample {data['sample_idx']}" if "sample_idx" in data else "a sample"
    files = (
        value
        for key, value in data.items()
        if isinstance(value, str) and str(key).endswith(("path", "file", "filename", "file_name"))
    )
    file = next(files, None)
    return name if file is None else f"{name} ({file!r})"


def _build(transform: Any, place: int) -> Callable[[Any], Any]:
    built = TRANSFORMS.build(transform) if isinstance(transform, dict) else transform
    if not callable(built):
        made = "builds" if isinstance(transform, dict) else "is"
        raise TypeError(
            f"step {place} of the pipeline must be a config or something that can be called; it "
            f"{made} a {type(built).__name__}"
        )
    return built


def _name(transform: Any) -> str:
    return str(getattr(transform, "__name__", type(transform).__name__))
