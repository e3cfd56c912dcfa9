"""Read all configs that mmseg and mmpretrain ship, and build the models of some.

usage: python client_configs.py read|build PACKAGE [EVERY]

Prints `failed PATH: REASON` for each that fails and at the end how many were done.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope


def find_configs(package: str) -> list[Path]:
    """Those in the older form, and those in the form that is Python alone."""
    folder = Path(importlib.import_module(package).__path__[0])
    places = [folder / ".mim" / "configs", folder / "configs"]
    found = [path for place in places for path in sorted(place.rglob("*.py"))]
    return [path for path in found if "_base_" not in path.parts and path.name != "__init__.py"]


def read(path: Path, package: str) -> Config:
    """A config; reading its text again gives the same."""
    # Some name mmdet in custom_imports, which is not here.
    cfg = Config.fromfile(path, import_custom_modules=False)
    again = Config.fromstring(cfg.pretty_text, ".py")
    assert again.pretty_text == cfg.pretty_text, "reading its text gives another config"
    return cfg


def build(path: Path, package: str) -> Any:
    """The model of a config, without what would download weights."""
    cfg = Config.fromfile(path)
    init_default_scope(cfg.get("default_scope", package))
    without_weights(cfg.model)
    return MODELS.build(cfg.model)


def without_weights(cfg: Any) -> None:
    """Take every `Pretrained` out of a config."""
    for key, value in list(cfg.items() if isinstance(cfg, dict) else enumerate(cfg)):
        is_pretrained = isinstance(value, dict) and value.get("type") == "Pretrained"
        if key == "pretrained" or is_pretrained:
            cfg[key] = None
        elif isinstance(value, (dict, list)):
            without_weights(value)


def main() -> None:
    """Do it to every so many configs of a package."""
    action = {"read": read, "build": build}[sys.argv[1]]
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    paths = find_configs(sys.argv[2])[::every]
    done = 0
    for path in paths:
        try:
            action(path, sys.argv[2])
            done += 1
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
            print(f"failed {path.name}: {reason} ({where.filename}:{where.lineno})")
    print(f"{done} of {len(paths)}")


if __name__ == "__main__":
    main()
