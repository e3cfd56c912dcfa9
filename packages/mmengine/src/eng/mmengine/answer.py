"""Find the package that `import mmengine` imports in an environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from eng.utils import override

from . import _version

__all__ = ["Report", "report"]


@dataclass(frozen=True)
class Report:
    """The package that `import mmengine` imports.

    Attributes:
        answers: ``"eng"``, ``"original"`` (any other package of that name) or ``"nothing"``.
        folder: Folder of the imported package; None if nothing is found.
        alias: The folder with `mmengine` of eng, which must be on ``sys.path``.
        wheel: Version of eng-mmengine.
        original: Version of the distribution `mmengine` or `mmengine-lite`; None if neither is
            installed.
        switched_off: Whether ``ENG_MMENGINE=0`` is set.
    """

    answers: str
    folder: Path | None
    alias: Path
    wheel: str
    original: str | None
    switched_off: bool

    @override
    def __str__(self) -> str:
        lines = [
            f"import mmengine: {_ANSWERS[self.answers]}",
            f"from:            {self.folder or '-'}",
            f"eng-mmengine:    {self.wheel}, in {self.alias}",
            f"mmengine:        {self.original or 'not installed'}",
        ]
        if self.answers != "eng":
            lines.append(f"why not eng:     {self.reason}")
        return "\n".join(lines)

    @property
    def reason(self) -> str:
        """Reason why eng does not answer."""
        if self.switched_off:
            return "ENG_MMENGINE=0 is set"
        if str(self.alias) not in sys.path:
            site = self.alias.parent
            return (
                f"Python does not read .pth files in {site}: put {self.alias} on PYTHONPATH, "
                "before the other package"
            )
        return "the other package comes first on sys.path"


_ANSWERS = {
    "eng": "eng answers",
    "original": "another package answers",
    "nothing": "nothing answers",
}


def report() -> Report:
    """Find the package that `import mmengine` imports here, without importing it."""
    alias = Path(__file__).parents[2] / "eng_mmengine_alias"
    loaded = sys.modules.get("mmengine")
    spec = loaded.__spec__ if loaded else find_spec("mmengine")
    places = list(spec.submodule_search_locations or ()) if spec else []
    folder = Path(places[0]) if places else None
    if folder is None:
        answers = "nothing"
    else:
        answers = "eng" if folder.resolve() == (alias / "mmengine").resolve() else "original"
    return Report(
        answers=answers,
        folder=folder,
        alias=alias,
        wheel=_version.__version__,
        original=_find_version("mmengine") or _find_version("mmengine-lite"),
        switched_off=os.environ.get("ENG_MMENGINE") == "0",
    )


def _find_version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
