"""Compose transforms to a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eng.registry import TRANSFORMS, PartOrConfig
from eng.utils import DataSample, override

from .combined_error import explain_error
from .types import Transform

__all__ = ["Compose", "TransformError"]


class TransformError(RuntimeError):
    """A step of a pipeline failed; its own error is the ``__cause__``.

    It is an error of that class too: code that skips a broken image by ``except OSError`` catches
    it.
    """


class Compose:
    """Applies transforms one after another.

    A transform may return None for an unusable sample, such as a broken image: the remaining ones
    are skipped then and the result is None.

    Args:
        transforms: Transforms: callables of the data, or configs of ``TRANSFORMS``. None is an
            empty pipeline.

    Raises:
        TypeError: If a transform is neither a callable nor the config of one.

    Examples:
        >>> Compose([lambda data: data + 1, lambda data: data * 2])(3)
        8
    """

    def __init__(self, transforms: Sequence[PartOrConfig[Transform]] | None) -> None:
        self.transforms = [_build(each, step) for step, each in enumerate(transforms or ())]

    def __call__(self, data: DataSample) -> DataSample:
        """Apply the transforms.

        Args:
            data: Input of the first transform.

        Returns:
            Output of the last transform, or None if one of them returns None.

        Raises:
            TransformError: If a step raises; names the step, the sample and its file. It is an
                error of the class that the step raised, too.
        """
        given = data
        for step, transform in enumerate(self.transforms):
            try:
                data = transform(data)
            except Exception as error:
                raise explain_error(
                    TransformError,
                    f"step {step} of the pipeline, {_get_name(transform)}, failed on "
                    f"{sample_name(given)}: {type(error).__name__}: {error}",
                    error,
                ) from error
            if data is None:
                return None
        return data

    @override
    def __repr__(self) -> str:
        lines = [f"    {transform!r}" for transform in self.transforms]
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def sample_name(data: object) -> str:
    """Name a sample for an error: by its index and its file, if its data has them.

    Args:
        data: Data of the sample, such as its annotation.

    Returns:
        The name.
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


def _build(transform: PartOrConfig[Transform], step: int) -> Transform:
    built = TRANSFORMS.build(transform) if isinstance(transform, dict) else transform
    if not callable(built):
        made = "builds" if isinstance(transform, dict) else "is"
        raise TypeError(
            f"step {step} of the pipeline must be a callable or a config; it "
            f"{made} a {type(built).__name__}"
        )
    return built


def _get_name(transform: Transform) -> str:
    return str(getattr(transform, "__name__", type(transform).__name__))
