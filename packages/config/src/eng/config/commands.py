"""The command ``eng config``."""

from __future__ import annotations

import argparse

from eng.cli import Command

from .arguments import add_config_arguments, config_from_arguments
from .config import Config
from .difference import diff
from .errors import ConfigError
from .keys import value_at
from .secret_values import hide_secrets

__all__ = ["CONFIG"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--why", metavar="KEY", help="print the value of KEY and where it was set")
    what.add_argument("--diff", metavar="OTHER", help="print the differences to another config")
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
    else:
        print(cfg.pretty_text)


def _print_why(cfg: Config, key: str) -> None:
    try:
        value = hide_secrets(value_at(cfg.to_dict(keep_imported=True), key))
    except KeyError as error:
        raise ConfigError(f"{cfg.filename}: {error.args[0]}") from error
    print(f"{key} = {value!r}  # {cfg.origin(key)}")


CONFIG = Command("print a config with everything it inherits", _add_arguments, _run)
