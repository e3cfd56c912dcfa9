"""Show and check configs, as ``eng config`` does."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator

from eng.utils import UserError

from .arguments import config_from_arguments
from .config import Config
from .difference import diff
from .errors import CheckError, ConfigError
from .keys import value_at
from .secret_values import hide_secrets
from .types import ConfigValue

__all__ = ["CHECKS", "show_config"]

#: Entry-point group of functions that take a config and return pairs of a message and whether it
#: is an error.
CHECKS = "eng.config_checks"


def show_config(args: Namespace) -> None:
    """Print a config or a part of it, or check it.

    Args:
        args: Parsed arguments of the command.

    Raises:
        ConfigError: If the config is invalid, lacks a key, or has errors.
        UserError: If no installed package checks configs.
    """
    is_imported = args.is_imported or args.check
    cfg = config_from_arguments(args, import_custom_modules=is_imported)
    if args.check:
        _check(cfg, args.config)
    elif args.why is not None:
        _print_why(cfg, args.why)
    elif args.diff is not None:
        other = Config.fromfile(
            args.diff, import_custom_modules=args.is_imported, allow_code=not args.no_code
        )
        for change in diff(cfg, other):
            left, right = hide_secrets([change.left, change.right])
            print(f"{change.key}: {left!r} -> {right!r}")
    elif args.flat:
        for key, value in _flatten(hide_secrets(cfg.to_dict())):
            print(f"{key} = {value!r}")
    elif args.json:
        # What JSON does not have, such as a class, is shown as Python writes it.
        print(json.dumps(hide_secrets(cfg.to_dict()), indent=2, default=repr))
    else:
        print(cfg.pretty_text)


def _check(cfg: Config, name: str) -> None:
    """Run the checks that installed packages advertise in the group of entry points."""
    from importlib.metadata import entry_points

    advertised = sorted(entry_points(group=CHECKS), key=lambda each: each.name)
    if not advertised:
        raise UserError("no installed package checks configs; install eng-runner")
    found = [problem for each in advertised for problem in each.load()(cfg)]
    errors = [text for text, is_error in found if is_error]
    for text, is_error in found:
        if not is_error:
            print(f"eng: warning: {text}", file=sys.stderr)
    if errors:
        raise CheckError(errors)
    print(f"{name}: no problems found" if not found else f"{name}: can be built")


def _flatten(value: ConfigValue, key: str = "") -> Iterator[tuple[str, ConfigValue]]:
    """Yield the values that are not containers, by their keys as ``--cfg-options`` takes them."""
    items: Iterable[tuple[object, ConfigValue]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    if not items or not value:
        yield key, value
        return
    for part, each in items:
        yield from _flatten(each, f"{key}.{part}" if key else str(part))


def _print_why(cfg: Config, key: str) -> None:
    try:
        value = hide_secrets(value_at(cfg.to_dict(keep_imported=True), key))
    except KeyError as error:
        raise ConfigError(f"{cfg.filename}: {error.args[0]}") from error
    print(f"{key} = {value!r}  # {cfg.origin(key)}")
