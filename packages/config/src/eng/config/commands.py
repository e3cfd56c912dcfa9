"""The command ``eng config``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator

from eng.cli import Command

from .arguments import add_config_arguments, config_from_arguments
from .config import Config
from .difference import diff
from .errors import ConfigError
from .keys import value_at
from .secret_values import hide_secrets
from .types import ConfigValue

__all__ = ["CONFIG"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--why", metavar="KEY", help="print the value of KEY and where it was set")
    what.add_argument("--diff", metavar="OTHER", help="print the differences to another config")
    what.add_argument("--flat", action="store_true", help="print each value with its whole key")
    what.add_argument("--json", action="store_true", help="print the config as JSON")
    parser.add_argument(
        "--import",
        dest="is_imported",
        action="store_true",
        help="import the modules of custom_imports, as train and test do",
    )


def _run(args: argparse.Namespace) -> None:
    cfg = config_from_arguments(args, import_custom_modules=args.is_imported)
    if args.why is not None:
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


CONFIG = Command("print a config with everything it inherits", _add_arguments, _run)
