"""Base class of inferencers: from images and files to predictions and visualizations.

Modules are imported on first access to one of their names, so that the ``eng`` command lists its
subcommands without importing torch.
"""

from typing import TYPE_CHECKING

from eng.utils import lazy_modules

if TYPE_CHECKING:
    from .infer import BaseInferencer, InferencerMeta
    from .pipeline_inferencer import PipelineInferencer

__version__: str  # see _version.py

__all__ = ["BaseInferencer", "InferencerMeta", "PipelineInferencer"]

__getattr__, __dir__ = lazy_modules(
    __name__,
    {
        ".infer": ("BaseInferencer", "InferencerMeta"),
        ".pipeline_inferencer": ("PipelineInferencer",),
    },
)
