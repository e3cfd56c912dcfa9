"""The variables that a config file may use: its own path, the environment, values of its bases."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import ConfigError
from .keys import value_at
from .origins import Origin

__all__ = ["BASE_VARIABLE", "FILLED_IN", "base_value", "is_filled_in", "substitute"]

_VARIABLE = re.compile(
    r"\{\{\s*(fileDirname|fileBasenameNoExtension|fileBasename|fileExtname)\s*\}\}"
)
# Quotes let Python read a variable that stands for code, as in ``port = {{'$PORT:80'}}``.
_ENVIRONMENT = re.compile(r"\{\{\s*(['\"]?)\$(\w+)\s*(?::\s*([^{}\n]*?))?\s*\1\s*\}\}")
BASE_VARIABLE = re.compile(r"\{\{\s*_base_\.([\w.]+)\s*\}\}")
# Why a dump refuses a text in which one of these stands.
FILLED_IN = "it has a variable that loading would fill in"


def substitute(text: str, path: Path) -> str:
    """Fill in the variables of the file's own path, and those of the environment.

    Raises:
        ConfigError: A variable of the environment is not set, and has no default.
    """
    known = {
        "fileDirname": str(path.parent),
        "fileBasename": path.name,
        "fileBasenameNoExtension": path.stem,
        "fileExtname": path.suffix,
    }

    def environment(match: re.Match[str]) -> str:
        value = os.environ.get(match[2], match[3])
        if value is None:
            line = text.count("\n", 0, match.start()) + 1
            raise ConfigError(
                f"the environment variable {match[2]} is not set; set it, or give a default as "
                f"{{{{ ${match[2]}:default }}}}",
                Origin(str(path), line),
            )
        return value

    # Windows paths would bring escape sequences into a string.
    text = _VARIABLE.sub(lambda match: known[match[1]].replace("\\", "/"), text)
    return _ENVIRONMENT.sub(environment, text)


def is_filled_in(text: str) -> bool:
    """Whether loading would replace a part of this string, which then came back as another one."""
    return any(each.search(text) for each in (_VARIABLE, _ENVIRONMENT, BASE_VARIABLE))


def base_value(base: Mapping[str, Any], key: str, origin: Origin) -> Any:
    """Return the value of ``{{ _base_.key }}``.

    Raises:
        ConfigError: The bases have no such value.
    """
    try:
        return value_at(base, key)
    except KeyError:
        raise ConfigError(f"no base has the variable _base_.{key}", origin) from None
