"""Define the `eng` command: train, test and look at configs."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from eng.checkpoint import CheckpointError
from eng.config import Config, ConfigError, DictAction, diff, hide_secrets, value_at
from eng.dist import report_failure
from eng.registry import RUNNERS, NotRegisteredError

from .errors import RunnerConfigError
from .interrupted import TrainingInterrupted
from .runner import Runner
from .work_dir_lock import take_over_work_dirs

__all__ = ["main"]

#: User errors: reported in one line, without a traceback.
USER_ERRORS = (
    CheckpointError,
    ConfigError,
    NotRegisteredError,
    RunnerConfigError,
    OSError,
    SyntaxError,
    ImportError,
)
BAD_INPUT = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments. Defaults to None, those of the process.

    Returns:
        The exit status: 0, or 2 for bad input, or 128 and the number of the signal that
        interrupted it, as 130 after Ctrl-C.
    """
    args = _parser().parse_args(argv)
    try:
        args.run(args)
    except TrainingInterrupted as interrupted:
        print(f"eng: {interrupted}", file=sys.stderr)
        return interrupted.status
    except KeyboardInterrupt:
        work_dir = getattr(args, "work_dir", None) or "the work directory"
        print(
            f"\neng: interrupted; go on with --resume (checkpoints are in {work_dir})",
            file=sys.stderr,
        )
        return INTERRUPTED
    except Exception as error:
        report_failure(error)  # while there is a group
        if args.debug or not _is_bad_input(error):
            raise
        print(f"eng: {_one_line(error)}", file=sys.stderr)
        return BAD_INPUT
    finally:
        # Left to the end of the process, threads of the group may be cut off while they run.
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
    return 0


def _train(args: argparse.Namespace) -> None:
    cfg = _load_config(args)
    cfg["work_dir"] = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"
    args.work_dir = cfg["work_dir"]
    if args.resume is not None:
        if args.resume:
            cfg["resume"], cfg["load_from"] = True, args.resume
        elif not cfg.get("resume"):
            cfg["resume"] = "auto"
    if args.launcher is not None:
        cfg["launcher"] = args.launcher
    runner = _build_runner(cfg)
    with take_over_work_dirs() if args.force else nullcontext():
        runner.train()
    runner.logger.info(
        f"Done. Checkpoints: {runner.work_dir}; log: {runner.log_dir}/{runner.timestamp}.log; "
        f"curves: {runner.log_dir}/vis_data/scalars.json"
    )


def _test(args: argparse.Namespace) -> None:
    cfg = _load_config(args)
    cfg["work_dir"] = args.work_dir or cfg.get("work_dir") or f"work_dirs/{Path(args.config).stem}"
    args.work_dir = cfg["work_dir"]
    cfg["load_from"], cfg["resume"] = args.checkpoint, False
    if args.launcher is not None:
        cfg["launcher"] = args.launcher
    _build_runner(cfg).test()


def _config(args: argparse.Namespace) -> None:
    cfg = _load_config(args, is_imported=args.is_imported)
    if args.why is not None:
        try:
            value = hide_secrets(value_at(cfg.to_dict(keep_imported=True), args.why))
            print(f"{args.why} = {value!r}  # {cfg.origin(args.why)}")
        except KeyError as error:
            raise ConfigError(f"{cfg.filename}: {error.args[0]}") from error
    elif args.diff is not None:
        for change in diff(cfg, _read_config(args.diff, args, is_imported=args.is_imported)):
            left, right = hide_secrets([change.left, change.right])
            print(f"{change.key}: {left!r} -> {right!r}")
    else:
        print(cfg.pretty_text)


def _load_config(args: argparse.Namespace, is_imported: bool = True) -> Config:
    folder = str(Path(args.config).resolve().parent)
    if not args.no_code and folder not in sys.path:
        # As Python does for a script, modules beside the config can be imported by it; but last,
        # so that none of them takes the place of a library.
        sys.path.append(folder)
    cfg = _read_config(args.config, args, is_imported)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    return cfg


def _read_config(path: str, args: argparse.Namespace, is_imported: bool) -> Config:
    return Config.fromfile(path, import_custom_modules=is_imported, allow_code=not args.no_code)


def _build_runner(cfg: Config) -> Any:
    return RUNNERS.build(cfg) if "runner_type" in cfg else Runner.from_cfg(cfg)


def _is_bad_input(error: BaseException) -> bool:
    # A constructor that was given a wrong argument by a config: the registry noted which.
    return isinstance(error, USER_ERRORS) or (
        isinstance(error, (TypeError, ValueError, KeyError)) and bool(_notes(error))
    )


def _notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", []))


def _one_line(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        text = f"{error.filename}, line {error.lineno}: {error.msg}"
    elif isinstance(error, OSError) and error.filename is not None:
        text = f"{error.filename}: {error.strerror or error}"
    else:
        text = str(error) or "".join(traceback.format_exception_only(error)).strip()
    # The first note is that of the innermost thing that was being built.
    return " ".join([*text.split(), *(f"({note})" for note in _notes(error)[:1])])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eng", description="Train and test models that config files describe."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    config, running = _config_options(), _running_options()
    _add_train(commands, [config, running])
    _add_test(commands, [config, running])
    _add_config(commands, [config])
    return parser


def _config_options() -> argparse.ArgumentParser:
    """Options of every command that reads a config."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("config", metavar="CONFIG", help="config file: .py, .yaml or .json")
    options.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="change settings: optim_wrapper.optimizer.lr=0.01 or custom_hooks.0.momentum=0.1; "
        "lists as KEY=[1,2] or KEY=1,2",
    )
    options.add_argument(
        "--no-code",
        action="store_true",
        help="refuse a config that brings code: Python, custom_imports, a Python base",
    )
    options.add_argument(
        "--debug", action="store_true", help="show the traceback of every error, not one line"
    )
    return options


def _running_options() -> argparse.ArgumentParser:
    """Options of every command that runs a model."""
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument(
        "--work-dir",
        metavar="DIR",
        help="where checkpoints and logs go (default: work_dir of the config, else "
        "work_dirs/<name of the config>)",
    )
    options.add_argument(
        "--launcher",
        choices=["none", "pytorch", "mpi", "slurm"],
        help="what started several processes, such as torchrun: pytorch (default: launcher of "
        "the config, else none)",
    )
    return options


def _add_train(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    train = commands.add_parser(
        "train", parents=parents, help="train a model", description="Train a model."
    )
    train.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="FILE",
        help="resume from the newest whole checkpoint in the work directory; with FILE, from FILE "
        "until there is one of the run from it. Without any, the run starts as the config says",
    )
    train.add_argument(
        "--force",
        action="store_true",
        help="train even if another job seems to train in the work directory",
    )
    train.set_defaults(run=_train)


def _add_test(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    test = commands.add_parser(
        "test", parents=parents, help="test a model", description="Test a model."
    )
    test.add_argument("checkpoint", metavar="CHECKPOINT", help="path or address of its weights")
    test.set_defaults(run=_test)


def _add_config(commands: Any, parents: list[argparse.ArgumentParser]) -> None:
    config = commands.add_parser(
        "config",
        parents=parents,
        help="print a config with all that it inherits",
        description="Print a config with all that it inherits.",
    )
    what = config.add_mutually_exclusive_group()
    what.add_argument("--why", metavar="KEY", help="say what KEY is and where it was set")
    what.add_argument("--diff", metavar="OTHER", help="print what differs from another config")
    config.add_argument(
        "--import",
        dest="is_imported",
        action="store_true",
        help="import the modules that custom_imports names, as train and test do",
    )
    config.set_defaults(run=_config)


if __name__ == "__main__":
    sys.exit(main())
