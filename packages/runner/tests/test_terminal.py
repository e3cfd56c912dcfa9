"""Display of a run on terminals and in notebooks; files and pipes keep plain lines."""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from eng.hooks import Hook
from eng.registry import HOOKS
from eng.runner import Runner
from eng.runner.terminal import open_view

COLOR = re.compile(r"\033\[[\d;]*m")
TIMES = re.compile(r"\d\d/\d\d \d\d:\d\d:\d\d|\d{8}_\d{6}(_\d+)?|(data_)?time: [\d.]+|eta: [\d:]+")
needs_bar = pytest.mark.skipif(
    find_spec("tqdm") is None, reason="the bar needs eng-runner[progress]"
)


class Terminal(io.StringIO):
    """A terminal of 80 columns, whose screen is what was written over."""

    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> list[str]:
        lines = []
        for written in COLOR.sub("", self.getvalue()).split("\n"):
            line = ""
            for part in written.split("\r"):
                line = part + line[len(part) :]
            lines.append(line.rstrip())
        return lines


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    for name in ("CI", "NO_COLOR", "TQDM_DISABLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("eng.runner.terminal.hook._INTERVAL", 0)  # each iteration is drawn
    return Terminal()


def run(stream: io.StringIO, job: dict[str, Any], start: str = "train", **changes: Any) -> Runner:
    """Make a runner whose standard output is a stream, and start it."""
    with redirect_stdout(stream):
        runner = Runner.from_cfg({**job, **changes})
        getattr(runner, start)()
        assert sys.stdout is stream
    return runner


def read_log(runner: Runner) -> str:
    text = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
    return TIMES.sub("?", text.replace(runner.work_dir, "WORK"))


@needs_bar
def test_a_run_on_a_terminal(
    job: dict[str, Any], terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = run(terminal, job)
    screen = "\n".join(terminal.screen)
    assert [x for x in terminal.screen if len(x) > 80 and str(tmp_path) not in x] == []
    for head in (
        "device    cpu, ",
        "run       1 process, float32, seed 1\n",
        "train     LineData, 20 samples, 5 batches of 4 per epoch\n",
        "val       LineData, ",
        "length    3 epochs, 15 iterations\n",
        "model     LineModel, 41 parameters, all trained\n",
        "modules   net 41\n",
        "writes to work\n",
    ):
        assert f"\n{head}" in screen
    assert "Environment" not in screen
    assert "before_run:" not in screen
    assert "train_cfg" not in screen
    assert "Exp name" not in screen
    assert re.search(
        r"^\d\d:\d\d:\d\d train \[1\]\[2/5\]  loss \d\.\d{4}  lr \d\.\d\de-\d\d", screen, re.M
    )
    assert re.search(
        r"^\d\d:\d\d:\d\d validation after epoch 1\n +line/loss +\d\.\d+ \* best so far$",
        screen,
        re.M,
    )
    assert re.search(r"^\d\d:\d\d:\d\d Done\.\n +checkpoints: work\n +log: work/", screen, re.M)
    # The bar is gone in the end, but was there: after each line of the log.
    assert "epoch 3/3" not in screen
    assert re.search(r"\repoch 3/3 .*12/15  loss [\d.]+ lr 5\.0e-02 ", terminal.getvalue())
    assert re.search(r"\rval epoch 1/3 ", terminal.getvalue())

    pipe = io.StringIO()
    piped = run(pipe, job, work_dir=str(tmp_path / "other"))
    assert "Environment:" in pipe.getvalue()
    assert read_log(shown) == read_log(piped)


@needs_bar
def test_without_a_bar(job: dict[str, Any], terminal: Terminal) -> None:
    run(terminal, job, progress_bar=False)
    assert "\r" not in terminal.getvalue()
    assert "validation after epoch 3" in terminal.getvalue()
    assert re.search(r"train \[2\]\[1/5\].*eta 0:00:0\d$", "\n".join(terminal.screen), re.M)
    with pytest.raises(TypeError, match="progress_bar must be True or False, not 'no'"):
        Runner.from_cfg({**job, "progress_bar": "no"})


def test_without_the_library(
    job: dict[str, Any], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eng.runner.terminal.bar.find_spec", lambda name: None)
    run(terminal, job)
    assert "\r" not in terminal.getvalue()
    assert "pip install 'eng-runner[progress]'" in terminal.getvalue()


@pytest.mark.parametrize(("name", "value"), [("CI", "true"), ("TERM", "dumb")])
def test_logs_of_other_programs_have_plain_lines(
    job: dict[str, Any],
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_COLOR", "1")  # which the terminal would have
    plain = run(terminal, job)
    text = terminal.getvalue().replace(plain.work_dir, "WORK")
    pipe = io.StringIO()
    piped = run(pipe, job, work_dir=str(tmp_path / "other"))
    assert TIMES.sub("?", text) == TIMES.sub("?", pipe.getvalue().replace(piped.work_dir, "WORK"))


@needs_bar
def test_no_color(job: dict[str, Any], terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run(terminal, job)
    assert "\033" not in terminal.getvalue()
    assert "\repoch 3/3 " in terminal.getvalue()


def test_debug_shows_all(job: dict[str, Any], terminal: Terminal) -> None:
    runner = run(terminal, job, "get_hooks_info", log_level="DEBUG")
    assert "Environment:" in terminal.getvalue()
    assert "train_cfg = dict(" in terminal.getvalue()
    assert "before_run:" in terminal.getvalue()
    with redirect_stdout(terminal):
        runner.logger.debug("a detail")
    assert re.search(r" DEBUG a detail$", terminal.screen[-2])


@HOOKS.register_module(force=True)
class PrintHook(Hook):
    """Prints a line in two steps, draws in between, and fails in the end."""

    def after_train_iter(self, runner: Runner, batch_idx: int, *args: Any, **kwargs: Any) -> None:
        if runner.iter == 2:
            print("beginning ", end="")
        if runner.iter == 3:
            print("and end")
        if runner.iter == 6:
            raise ZeroDivisionError


@needs_bar
def test_printed_lines_stay_whole(job: dict[str, Any], terminal: Terminal) -> None:
    quiet = {"logger": {"type": "LoggerHook", "interval": 100}}
    hooks = [{"type": "PrintHook", "priority": "LOWEST"}]
    before = sys.stdout
    with pytest.raises(ZeroDivisionError):
        run(terminal, job, custom_hooks=hooks, default_hooks=quiet)
    assert "beginning and end" in terminal.screen
    assert "\repoch 2/3 " in terminal.getvalue()
    assert terminal.screen[-1] == ""  # the bar is gone
    assert sys.stdout is before


def test_a_resumed_run_knows_the_best_before(job: dict[str, Any], terminal: Terminal) -> None:
    sgd = {"optimizer": {"type": "SGD", "lr": 1e-9}}
    job = {**job, "param_scheduler": None, "optim_wrapper": sgd}
    job["val_dataloader"]["sampler"]["shuffle"] = False
    run(terminal, job, train_cfg={"by_epoch": True, "max_epochs": 1})
    assert "* best so far" in terminal.getvalue()
    terminal.truncate(terminal.seek(0))
    worse = {"optimizer": {"type": "SGD", "lr": 5.0}}
    changes = {"optim_wrapper": worse, "train_cfg": {"by_epoch": True, "max_epochs": 2}}
    run(terminal, job, resume=True, resume_schedule="config", **changes)
    assert re.search(r"line/loss +\S+   best \d\.\d{4} \(epoch 1\)", "\n".join(terminal.screen))


def test_tests_and_iterations(job: dict[str, Any], terminal: Terminal) -> None:
    run(terminal, job, "test")
    screen = "\n".join(terminal.screen)
    assert re.search(r"^\d\d:\d\d:\d\d test\n +line/loss +\d\.\d{4}$", screen, re.M)
    assert "\ntest      LineData, 20 samples" in screen
    assert "\ntrain " not in screen
    terminal.truncate(terminal.seek(0))
    job["train_cfg"] = {"by_epoch": False, "max_iters": 4, "val_interval": 2}
    run(terminal, job, log_processor={"by_epoch": False})
    screen = "\n".join(terminal.screen)
    assert "validation after iteration 2\n" in screen
    assert "\nlength    4 iterations\n" in screen


def test_a_redirection_within_a_run_gets_plain_lines(
    job: dict[str, Any], terminal: Terminal
) -> None:
    runner = run(terminal, job, "get_hooks_info")
    file = io.StringIO()
    with redirect_stdout(file):
        runner.logger.info("text")
    assert file.getvalue().endswith(" - eng - INFO - text\n")


def test_other_processes_have_no_view(job: dict[str, Any], terminal: Terminal) -> None:
    runner = run(terminal, job, "get_hooks_info")
    with redirect_stdout(terminal):
        assert open_view(runner.logger, 0, {}) is not None
        assert open_view(runner.logger, 1, {}) is None


class Closed(Terminal):
    """A terminal that is closed when the first epoch ends."""

    def write(self, text: str) -> int:
        if "validation" in self.getvalue():
            raise OSError(5, "Input/output error")
        return super().write(text)


def test_training_goes_on_when_the_terminal_is_closed(
    job: dict[str, Any], terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = Closed()
    with redirect_stdout(closed):
        runner = Runner.from_cfg(job)
        runner.train()
    assert runner.epoch == 3
    assert "Done. Checkpoints" in read_log(runner)


@needs_bar
def test_a_notebook(job: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = type("ZMQInteractiveShell", (), {}), type("OutStream", (io.StringIO,), {})
    shell, stream = kinds[0](), kinds[1]()
    kinds[1].__module__ = "ipykernel.iostream"
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    monkeypatch.setattr("eng.runner.terminal.hook._INTERVAL", 0)
    monkeypatch.setattr(
        "eng.runner.terminal.bar.find_spec", lambda name: None if name == "ipywidgets" else True
    )
    run(stream, job)
    text = stream.getvalue()
    assert "\nmodel     LineModel" in COLOR.sub("", text)
    assert "Environment" not in text
    assert re.search(r"\repoch 3/3 .*/15", text)
    assert "val epoch" not in text


@needs_bar
def test_two_runs_share_the_screen(job: dict[str, Any], terminal: Terminal, tmp_path: Path) -> None:
    """A run inside of another one, such as of a search, takes its place until it ends."""
    inner = {**job, "work_dir": str(tmp_path / "inner"), "custom_hooks": []}

    class Inner(Hook):
        def after_train_epoch(self, runner: Runner) -> None:
            if runner.epoch == 0:
                Runner.from_cfg(inner).train()

    run(terminal, job, custom_hooks=[Inner()])
    assert not [line for line in terminal.screen if line.startswith("epoch")]


def test_lines_of_a_validation_do_not_repeat_metrics_of_the_last(
    job: dict[str, Any], terminal: Terminal
) -> None:
    run(terminal, job, progress_bar=False)
    lines = [line for line in terminal.screen if re.match(r"\d\d:\d\d:\d\d val \[2\]", line)]
    assert len(lines) == 5
    assert not [line for line in lines if "loss" in line]


def test_a_head_that_fails_ends_no_run(
    job: dict[str, Any], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr("eng.runner.terminal.hook.format_head", fail)
    run(terminal, job)
    assert "The head of the run cannot be shown: ZeroDivisionError()" in terminal.getvalue()
