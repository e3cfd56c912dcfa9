"""The command ``eng config``: its arguments."""

from __future__ import annotations

import argparse

from eng.cli import Command

from .arguments import add_config_arguments

__all__ = ["CONFIG"]


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.epilog = (
        "A config inherits from the files in _base_; dicts are merged, and one with _delete_=True "
        "replaces that of the base. {{ $NAME:default }} is an environment variable, "
        "{{ _base_.KEY }} a value of a base, {{ fileDirname }} the directory of the file."
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--why", metavar="KEY", help="print the value of KEY and where it was set")
    what.add_argument("--diff", metavar="OTHER", help="print the differences to another config")
    what.add_argument("--flat", action="store_true", help="print each value with its whole key")
    what.add_argument(
        "--check",
        action="store_true",
        help="look up each type and hold its arguments against the signature; imports the modules "
        "of custom_imports",
    )
    what.add_argument("--json", action="store_true", help="print the config as JSON")
    parser.add_argument(
        "--import",
        dest="is_imported",
        action="store_true",
        help="import the modules of custom_imports, as train and test do",
    )


def _run(args: argparse.Namespace) -> None:
    from .display import show_config

    show_config(args)


CONFIG = Command("print a config with everything it inherits", _add_arguments, _run)
