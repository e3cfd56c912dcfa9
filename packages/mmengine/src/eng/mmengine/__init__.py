"""Provide ``import mmengine``, and report which package answers it.

The modules of ``mmengine`` are in ``eng_mmengine_alias`` next to ``eng``. They only re-export names
of the eng packages.
"""

from typing import TYPE_CHECKING

from .lazy import offer

if TYPE_CHECKING:
    from .answer import Report, report

__version__: str  # see _version.py

__all__ = ["Report", "report"]

_, __getattr__, __dir__ = offer(
    __name__,
    {"eng.mmengine.answer": "Report report", "eng.mmengine._version": "__version__"},
)
