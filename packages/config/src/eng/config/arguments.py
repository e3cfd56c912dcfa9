"""Command-line arguments for config files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from eng.utils import add_module_folders

from .action import DictAction

if TYPE_CHECKING:
    from .config import Config

__all__ = ["add_config_arguments", "config_from_arguments"]


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``CONFIG``, ``--cfg-options``, ``--strict`` and ``--no-code`` to a parser.

    Args:
        parser: Parser of a script or of a command of ``eng``.

    Examples:
        >>> parser = argparse.ArgumentParser()
        >>> add_config_arguments(parser)
        >>> args = parser.parse_args(["job.py", "--cfg-options", "optimizer.lr=0.1"])
        >>> args.cfg_options
        {'optimizer.lr': 0.1}
    """
    parser.add_argument("config", metavar="CONFIG", help="config file: .py, .yaml, .json or .toml")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="change settings: optim_wrapper.optimizer.lr=0.01 or custom_hooks.0.momentum=0.1; "
        "lists as KEY=[1,2] or KEY=1,2",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="reject --cfg-options with a key that the config does not have, or with text for a "
        "number",
    )
    parser.add_argument(
        "--no-code",
        action="store_true",
        help="reject configs with code: Python files, custom_imports, Python bases",
    )


def config_from_arguments(args: argparse.Namespace, import_custom_modules: bool = True) -> Config:
    """Read the config file and apply the options of parsed arguments.

    The config can import modules in its own and the current directory, as a script can. They are
    last in ``sys.path``, so that they do not shadow libraries.

    Args:
        args: Parsed arguments of :func:`add_config_arguments`.
        import_custom_modules: Whether to import the modules of ``custom_imports``. Defaults to
            True.

    Returns:
        The config.

    Raises:
        ConfigError: If the config is invalid; the message has the file and line.
        FileNotFoundError: If the file does not exist.
    """
    from .config import Config  # late: eng --help imports this module

    if not args.no_code:
        add_module_folders(Path(args.config).resolve().parent, Path.cwd())
    cfg = Config.fromfile(
        args.config, import_custom_modules=import_custom_modules, allow_code=not args.no_code
    )
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options, strict=getattr(args, "strict", False))
    return cfg
