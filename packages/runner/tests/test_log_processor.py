"""Lines of the log and the numbers in them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from eng.logging import MessageHub
from eng.runner import LogProcessor, RunnerConfigError


def runner_with(name: str, **scalars: list[float]) -> Any:
    hub = MessageHub(name)
    for key, values in scalars.items():
        for value in values:
            hub.update_scalar(key.replace("__", "/"), value)
    return SimpleNamespace(
        message_hub=hub,
        epoch=1,
        iter=24,
        max_epochs=12,
        max_iters=240,
        train_dataloader=[0] * 20,
        val_dataloader=[0] * 5,
        test_dataloader=[0] * 7,
    )


def test_losses_are_averaged_over_a_window_and_others_are_as_they_are() -> None:
    runner = runner_with("plain", train__loss=[4, 2, 1, 3], train__lr=[0.1, 0.2], train__acc=[1, 5])
    scalars, line = LogProcessor(window_size=2).get_log_after_iter(runner, 4, "train")
    assert scalars == {"loss": 2, "lr": 0.2, "acc": 5, "epoch": 2, "iter": 25}
    assert line == "Epoch(train)  [ 2][ 5/20]  lr: 2.0000e-01  loss: 2.0000  acc: 5.0000"


def test_a_window_does_not_reach_into_the_epoch_before() -> None:
    runner = runner_with("short", train__loss=[8, 8, 2, 4])
    scalars, _ = LogProcessor(window_size=4).get_log_after_iter(runner, 1, "train")
    assert scalars["loss"] == 3
    by_iter = LogProcessor(window_size=4, by_epoch=False)
    scalars, line = by_iter.get_log_after_iter(runner, 1, "train")
    assert scalars["loss"] == 5.5
    assert line.startswith("Iter(train)  [ 25/240]  ")


def test_each_epoch_and_each_run_has_its_own_length() -> None:
    runner, other = (runner_with(name, train__loss=[1, 2]) for name in ("first run", "second run"))
    processor = LogProcessor()
    lengths = []
    for length, epoch, batch_idx in [(20, 1, 4), (20, 1, 9), (16, 2, 4), (16, 2, 14), (7, 3, 6)]:
        runner.train_dataloader, runner.epoch = [0] * length, epoch
        _, line = processor.get_log_after_iter(runner, batch_idx, "train")
        lengths.append(line.partition("/")[2].partition("]")[0])
    other.train_dataloader, other.epoch = [0] * 9, 3
    _, line = processor.get_log_after_iter(other, 6, "train")
    assert [*lengths, line.partition("/")[2][:1]] == ["20", "20", "16", "16", "7", "9"]


@pytest.mark.parametrize(
    ("window", "batch_idx", "expected"),
    [(2, 9, 3.5), ("epoch", 2, 3), ("global", 9, 2.5)],
)
def test_windows_of_single_scalars(window: Any, batch_idx: int, expected: float) -> None:
    runner = runner_with(f"window-{window}", train__loss=[1, 2, 3, 4])
    custom = [{"data_src": "loss", "method_name": "mean", "window_size": window}]
    processor = LogProcessor(custom_cfg=custom)
    scalars, _ = processor.get_log_after_iter(runner, batch_idx, "train")
    assert scalars["loss"] == expected


def test_another_statistic_under_a_name_of_its_own() -> None:
    runner = runner_with("named", train__loss=[1, 5, 3])
    custom = [
        {"data_src": "loss", "method_name": "max", "log_name": "worst_loss", "window_size": 3},
        {"data_src": "absent", "method_name": "mean"},
    ]
    scalars, line = LogProcessor(custom_cfg=custom).get_log_after_iter(runner, 2, "train")
    assert scalars["worst_loss"] == 5
    assert scalars["loss"] == 3
    assert "absent" not in scalars
    assert "worst_loss: 5.0000" in line


@pytest.mark.parametrize(
    ("custom", "words"),
    [
        ([{"method_name": "mean"}], "missing key 'data_src'"),
        ([{"data_src": "loss"}], "missing key 'method_name'"),
        ([{"data_src": "loss", "method_name": "mean"}] * 2, "duplicate name 'loss'"),
        ([{"data_src": "loss", "method_name": "mean", "window_size": "all"}], "not 'all'"),
    ],
)
def test_bad_settings_of_scalars_are_refused(custom: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(RunnerConfigError, match=words):
        LogProcessor(custom_cfg=custom)


def test_a_window_of_an_epoch_needs_epochs() -> None:
    custom = [{"data_src": "loss", "method_name": "mean", "window_size": "epoch"}]
    with pytest.raises(RunnerConfigError, match="by_epoch is False"):
        LogProcessor(by_epoch=False, custom_cfg=custom)


def test_times_of_an_evaluation_are_those_of_all_its_batches() -> None:
    runner = runner_with("times", val__time=[9, 1, 2, 3, 4, 5], val__data_time=[1, 1, 1, 1, 6])
    scalars, _ = LogProcessor(window_size=2).get_log_after_epoch(runner, 5, "val")
    assert scalars == {"time": 3, "data_time": 2}


def test_lines_after_validation_and_testing() -> None:
    runner = runner_with("val", val__acc=[0.5], val__time=[0.25], test__acc=[0.75])
    runner.message_hub.update_info("val/report", "fine")
    processor = LogProcessor(num_digits=2)
    scalars, line = processor.get_log_after_epoch(runner, 5, "val")
    assert scalars == {"acc": 0.5, "time": 0.25}
    assert line == "Epoch(val)    [1][5/5]  acc: 0.50  report: fine  time: 0.25"
    _, line = processor.get_log_after_epoch(runner, 7, "test")
    assert line == "Epoch(test)  [7/7]  acc: 0.75"
    with pytest.raises(ValueError, match="'val' or 'test', not 'train'"):
        processor.get_log_after_epoch(runner, 5, "train")


def test_which_scalars_are_averaged_is_a_setting() -> None:
    runner = runner_with("pattern", train__loss=[4, 2], train__acc=[1, 5])
    scalars, _ = LogProcessor(mean_pattern="ac+").get_log_after_iter(runner, 4, "train")
    assert (scalars["loss"], scalars["acc"]) == (2, 3)


def test_recorded_names_may_keep_their_mode() -> None:
    runner = runner_with("nested", train__loss=[4], train__lr=[0.1], val__acc=[1], val__time=[2])
    plain, nested = LogProcessor(), LogProcessor(log_with_hierarchy=True)
    scalars, line = nested.get_log_after_iter(runner, 0, "train")
    assert scalars == {"train/loss": 4, "train/lr": 0.1, "epoch": 2, "iter": 25}
    assert line == plain.get_log_after_iter(runner, 0, "train")[1]
    scalars, line = nested.get_log_after_epoch(runner, 5, "val")
    assert scalars == {"val/acc": 1, "val/time": 2}
    assert line == plain.get_log_after_epoch(runner, 5, "val")[1]


def test_results_that_are_not_numbers_are_returned_when_asked_for() -> None:
    runner = runner_with("words", test__time=[1], test__data_time=[2], test__acc=[0.5])
    runner.message_hub.update_info("test/names", ["a", "b"], resumed=False)
    processor = LogProcessor()
    assert "names" not in processor.get_log_after_epoch(runner, 7, "test")[0]
    results, line = processor.get_log_after_epoch(runner, 7, "test", with_non_scalar=True)
    assert list(results) == ["acc", "names", "data_time", "time"]
    assert results["names"] == ["a", "b"]
    assert "names: ['a', 'b']" in line


def test_a_processor_of_ones_own_may_count_by_another_loop() -> None:
    class Other(LogProcessor):
        def _get_cur_loop(self, runner: Any, mode: str) -> Any:
            return SimpleNamespace(dataloader=[0] * 123)

    class Fixed(LogProcessor):
        def _get_dataloader_size(self, runner: Any, mode: str) -> int:
            return 77

        def _collect_scalars(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {f"my_{k}": v for k, v in super()._collect_scalars(*args, **kwargs).items()}

    runner = runner_with("own", train__loss=[4])
    assert "[  5/123]" in Other().get_log_after_iter(runner, 4, "train")[1]
    scalars, line = Fixed().get_log_after_iter(runner, 4, "train")
    assert "[ 5/77]" in line
    assert scalars["my_loss"] == 4
