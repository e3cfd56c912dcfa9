"""Saving at intervals, keeping the newest and the best."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_runner import FakeRunner

from eng.fileio import LocalBackend
from eng.hooks import CheckpointHook, Hook


def run_epochs(
    hook: CheckpointHook, runner: FakeRunner, scores: list[dict[str, float]]
) -> list[str]:
    hook.before_train(runner)
    for metrics in scores:
        runner.iter += 2
        hook.after_train_epoch(runner)
        runner.epoch += 1
        hook.after_val_epoch(runner, metrics)
    return sorted(path.name for path in Path(hook._folder).glob("*.pth"))


def test_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=1, max_keep_ckpts=2, save_best="auto")
    runner = FakeRunner(tmp_path)
    scores = [{"accuracy": 0.5}, {"accuracy": 0.9}, {"accuracy": 0.7}, {"accuracy": 0.8}]
    names = run_epochs(hook, runner, scores)
    assert names == ["best_accuracy_epoch_2.pth", "epoch_3.pth", "epoch_4.pth"]
    assert (tmp_path / "last_checkpoint").read_text() == "epoch_4.pth"
    info = runner.message_hub.runtime_info
    assert info["best_score"] == 0.9
    assert info["best_ckpt"] == str(tmp_path / "best_accuracy_epoch_2.pth")
    # The best ones are copies of what was saved before their validation.
    assert runner.saved == ["epoch_1.pth", "epoch_2.pth", "epoch_3.pth", "epoch_4.pth"]
    best = (tmp_path / "best_accuracy_epoch_2.pth").read_text()
    assert best == str({"epoch": 2, "iter": 4})


def test_pointer_never_names_a_removed_checkpoint(tmp_path: Path) -> None:
    class Watching(FakeRunner):
        def save_checkpoint(self, out_dir: str, filename: str, **settings: Any) -> None:
            pointer = Path(self.work_dir) / "last_checkpoint"
            if pointer.exists():
                assert Path(self.work_dir, pointer.read_text()).exists()
            super().save_checkpoint(out_dir, filename, **settings)

    hook = CheckpointHook(interval=1, max_keep_ckpts=1)
    assert run_epochs(hook, Watching(tmp_path), [{}, {}, {}]) == ["epoch_3.pth"]


@pytest.mark.parametrize(
    ("metric", "settings", "best"),
    [
        ("val/loss", {}, 2),
        ("coco/bbox_mAP", {}, 3),
        ("strange", {"rule": "less"}, 2),
        ("strange", {"greater_keys": ["strange"]}, 3),
    ],
)
def test_rules(tmp_path: Path, metric: str, settings: dict[str, Any], best: int) -> None:
    hook = CheckpointHook(interval=-1, save_last=False, save_best=metric, **settings)
    scores = [{metric: value} for value in (0.5, 0.2, 0.8, float("nan"))]
    names = run_epochs(hook, FakeRunner(tmp_path), scores)
    assert names == [f"best_{metric.replace('/', '_')}_epoch_{best}.pth"]


def test_several_metrics(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=-1, save_last=False, save_best=["acc", "loss"])
    scores = [{"acc": 0.1, "loss": 1.0}, {"acc": 0.3, "loss": 2.0}]
    names = run_epochs(hook, FakeRunner(tmp_path), scores)
    assert names == ["best_acc_epoch_2.pth", "best_loss_epoch_1.pth"]


def test_last_is_saved_off_the_interval(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=3)
    names = run_epochs(hook, FakeRunner(tmp_path), [{}] * 4)
    assert names == ["epoch_3.pth", "epoch_4.pth"]


def test_out_dir_gets_the_name_of_the_work_dir(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=4, out_dir=str(tmp_path / "elsewhere"))
    run_epochs(hook, FakeRunner(tmp_path / "job"), [{}] * 4)
    assert (tmp_path / "elsewhere" / "job" / "epoch_4.pth").exists()
    pointer = (tmp_path / "job" / "last_checkpoint").read_text()
    assert pointer == str(tmp_path / "elsewhere" / "job" / "epoch_4.pth")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rule": "more"}, "rule"),
        ({"save_best": ["a", "auto"]}, "auto"),
        ({"save_best": ["a", "b", "c"], "rule": ["less", "less"]}, "2 rules for 3"),
        ({"filename_tmpl": "x.pth"}, "filename_tmpl"),
        ({"max_keep_ckpts": 0}, "max_keep_ckpts"),
        ({"file_client_args": {}, "backend_args": {}}, "cannot be set together"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_checkpoint_hook_refuses(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CheckpointHook(**settings)


def test_unknown_metric_and_rule(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hook = CheckpointHook(interval=1, save_best="loss_cls")
    with caplog.at_level("WARNING"):
        run_epochs(hook, FakeRunner(tmp_path), [{"loss_cIs": 1.0}] * 3)
    assert caplog.text.count("missing metric 'loss_cls'") == 1
    assert "did you mean 'loss_cIs'?" in caplog.text
    assert (tmp_path / "epoch_3.pth").exists()
    with pytest.raises(ValueError, match="rule="):
        CheckpointHook(save_best="odd")


def test_a_first_metric_without_a_rule_ends_no_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hook = CheckpointHook(interval=1, save_best="auto")
    with caplog.at_level("WARNING"):
        run_epochs(hook, FakeRunner(tmp_path), [{"odd": 1.0}] * 2)
    assert caplog.text.count("save_best='auto'") == 1
    assert files_in(tmp_path) == ["epoch_1.pth", "epoch_2.pth"]


class Evaluator:
    def __init__(self, names: list[str] | None, prefixes: list[str] | None = None) -> None:
        self.metric_names = lambda: names
        self.metric_prefixes = lambda: prefixes


@pytest.mark.parametrize(
    ("evaluator", "key", "message"),
    [
        (Evaluator(["val/acc", "val/loss"]), "acc", "did you mean 'val/acc'"),
        (Evaluator(["acc", "loss"]), ["acc", "los_loss"], "did you mean 'loss'"),
        (Evaluator(None, ["line"]), "loss", "did you mean 'line/loss'"),
        (Evaluator(None, ["line", "coco"]), "coc/loss", "did you mean 'coco/loss'"),
    ],
)
def test_a_wrong_metric_is_refused_at_the_start(
    tmp_path: Path, evaluator: Evaluator, key: Any, message: str
) -> None:
    runner = FakeRunner(tmp_path)
    runner.val_loop = SimpleNamespace(evaluator=evaluator)  # type: ignore[attr-defined]
    with pytest.raises(KeyError, match=message):
        CheckpointHook(interval=1, save_best=key).before_train(runner)


@pytest.mark.parametrize("evaluator", [Evaluator(None), Evaluator(None, None), object(), None])
def test_a_metric_that_nobody_knows_is_not_refused(tmp_path: Path, evaluator: Any) -> None:
    runner = FakeRunner(tmp_path)
    runner.val_loop = SimpleNamespace(evaluator=evaluator)  # type: ignore[attr-defined]
    CheckpointHook(interval=1, save_best="loss").before_train(runner)


class OtherNames:
    """A loop of the user that returns metrics under its own names."""

    evaluator = Evaluator(["acc"])

    def run(self) -> dict[str, float]:
        return {"teacher/acc": 1.0}


def test_a_metric_that_only_a_loop_of_the_user_knows_is_not_refused(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path)
    runner.val_loop = OtherNames()  # type: ignore[attr-defined]
    CheckpointHook(interval=1, save_best="teacher/acc", rule="greater").before_train(runner)


class Adds(Hook):
    def after_val_epoch(self, runner: Any, metrics: Any = None) -> None:
        metrics["sum"] = 2.0


class Watches(Hook):
    def after_val(self, runner: Any) -> None:
        pass


def test_a_metric_that_a_hook_may_add_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runner = FakeRunner(tmp_path)
    runner.val_loop = SimpleNamespace(evaluator=Evaluator(["acc"]))  # type: ignore[attr-defined]
    hook = CheckpointHook(interval=1, save_best="sum", rule="greater")
    runner.hooks = [Watches(), hook]  # type: ignore[attr-defined]
    with pytest.raises(KeyError, match="missing metric 'sum'"):
        hook.before_train(runner)
    runner.hooks = [Adds(), hook]  # type: ignore[attr-defined]
    with caplog.at_level("WARNING"):
        hook.before_train(runner)
    assert "save_best: missing metric 'sum'; available: ['acc'] (Adds may add it)" in caplog.text


@pytest.mark.parametrize("interval", [0, -2, -10])
def test_intervals_that_mean_nothing_are_refused(interval: int) -> None:
    with pytest.raises(ValueError, match=rf"interval must be at least 1, or -1 .* got {interval}"):
        CheckpointHook(interval=interval)


@pytest.mark.parametrize(
    ("template", "name"),
    [("e_{:03d}.pth", "e_002.pth"), ("e_{0}.pth", "e_2.pth"), ("{:>4}.ckpt", "   2.ckpt")],
)
def test_any_template_that_formats_one_number(tmp_path: Path, template: str, name: str) -> None:
    hook = CheckpointHook(interval=2, filename_tmpl=template, save_best="acc", max_keep_ckpts=1)
    runner = FakeRunner(tmp_path, max_epochs=2)
    run_epochs(hook, runner, [{"acc": 0.1}, {"acc": 0.3}])
    assert (tmp_path / name).exists()
    assert (tmp_path / f"best_acc_{name}").exists()


@pytest.mark.parametrize("template", ["x.pth", "{}_{}.pth", "{name}.pth", "../{}.pth", "{.x}"])
def test_templates_that_do_not_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"filename_tmpl must be .* one number to fill in"):
        CheckpointHook(filename_tmpl=template)


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"rule": 1}, TypeError),
        ({"save_best": 1}, TypeError),
        ({"greater_keys": 3}, TypeError),
        ({"interval": "1"}, TypeError),
        ({"interval": 1.5}, TypeError),
        ({"max_keep_ckpts": "2"}, TypeError),
        ({"rule": "more"}, KeyError),
        ({"save_best": ["a", "b", "c"], "rule": ["less", "less"]}, AssertionError),
        ({"save_best": ["a", "auto"]}, AssertionError),
    ],
)
def test_wrong_arguments_are_refused_at_construction(settings: dict[str, Any], kind: Any) -> None:
    for each in (kind, ValueError):
        with pytest.raises(each):
            CheckpointHook(**settings)


def test_one_key_as_a_word_and_auto_in_a_list(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=1, save_best=["auto"], greater_keys="odd")
    runner = FakeRunner(tmp_path)
    names = run_epochs(hook, runner, [{"odd": 0.2, "b": 3.0}, {"odd": 0.4, "b": 1.0}])
    assert "best_odd_epoch_2.pth" in names


def test_attributes_that_people_read(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=1, out_dir=str(tmp_path / "out"), save_best="acc")
    assert hook.best_ckpt_path is None
    assert (hook.key_indicator, hook.key_indicators, hook.rules) == ("acc", ["acc"], ["greater"])
    runner = FakeRunner(tmp_path / "job")
    hook.before_train(runner)
    hook.before_train(runner)  # as a second train() does
    assert hook.out_dir == str(tmp_path / "out" / "job")
    run_epochs(hook, runner, [{"acc": 0.5}])
    assert hook.best_ckpt_path == str(tmp_path / "out" / "job" / "best_acc_epoch_1.pth")
    assert hook.file_client.exists(hook.best_ckpt_path)
    several = CheckpointHook(interval=1, save_best=["acc", "loss"])
    run_epochs(several, FakeRunner(tmp_path / "two"), [{"acc": 0.5, "loss": 1.0}])
    assert several.best_ckpt_path_dict == {
        key: str(tmp_path / "two" / f"best_{key}_epoch_1.pth") for key in ("acc", "loss")
    }


def test_a_metric_that_is_not_one_number_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hook = CheckpointHook(interval=1, save_best="acc")
    with caplog.at_level("WARNING"):
        run_epochs(hook, FakeRunner(tmp_path), [{"acc": [1, 2]}] * 2)  # type: ignore[dict-item]
    assert caplog.text.count("'acc' must be one number, not [1, 2]") == 1


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pth"))


def test_saves_now_off_the_interval_and_keeps_no_more(tmp_path: Path) -> None:
    hook, runner = CheckpointHook(interval=1, max_keep_ckpts=2), FakeRunner(tmp_path)
    hook.save_now(runner)
    assert runner.saved == []  # before training, there is nothing to save
    run_epochs(hook, runner, [{}, {}])
    runner.iter += 1
    hook.save_now(runner)
    hook.save_now(runner)
    assert runner.saved == ["epoch_1.pth", "epoch_2.pth", "iter_5.pth"]
    assert files_in(tmp_path) == ["epoch_2.pth", "iter_5.pth"]
    assert (tmp_path / "iter_5.pth").read_text() == str({"epoch": 2, "iter": 5})
    assert (tmp_path / "last_checkpoint").read_text() == "iter_5.pth"
    run_epochs(hook, runner, [{}])
    assert files_in(tmp_path) == ["epoch_3.pth", "iter_5.pth"]


def test_saving_now_uses_what_was_just_saved(tmp_path: Path) -> None:
    hook, runner = CheckpointHook(interval=1), FakeRunner(tmp_path)
    run_epochs(hook, runner, [{}])
    hook.save_now(runner)
    assert runner.saved == ["epoch_1.pth"]


def test_saving_now_by_iterations_uses_the_template(tmp_path: Path) -> None:
    hook = CheckpointHook(interval=5, by_epoch=False, filename_tmpl="i{:03d}.pth")
    runner = FakeRunner(tmp_path, iter=3)
    hook.before_train(runner)
    hook.save_now(runner)
    assert runner.saved == ["i003.pth"]


def train_iterations(runner: FakeRunner, hooks: list[CheckpointHook], until: int) -> None:
    runner.hooks, runner.max_iters = hooks, until
    for hook in hooks:
        hook.before_train(runner)
    while runner.iter < until:
        for hook in hooks:
            hook.after_train_iter(runner, runner.iter)
        runner.iter += 1


def two_hooks(**settings: Any) -> list[CheckpointHook]:
    newest = {"interval": 1, "max_keep_ckpts": 2, "by_epoch": False, **settings}
    return [
        CheckpointHook(**newest),
        CheckpointHook(interval=4, by_epoch=False, save_last=False),
    ]


def test_hooks_that_share_a_folder_keep_their_own_lists(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path)
    train_iterations(runner, two_hooks(), 10)
    assert files_in(tmp_path) == [f"iter_{n}.pth" for n in (10, 4, 8, 9)]
    again = FakeRunner(tmp_path, iter=10, message_hub=runner.message_hub)
    train_iterations(again, two_hooks(), 13)
    assert files_in(tmp_path) == [f"iter_{n}.pth" for n in (12, 13, 4, 8)]


def test_what_a_killed_run_would_have_removed_goes(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    class Dying(CheckpointHook):
        def _remove(self, name: str) -> None:
            raise Killed

    runner = FakeRunner(tmp_path)
    settings: dict[str, Any] = {"interval": 1, "by_epoch": False, "max_keep_ckpts": 2}
    with pytest.raises(Killed):
        train_iterations(runner, [Dying(**settings)], 3)
    assert files_in(tmp_path) == ["iter_1.pth", "iter_2.pth", "iter_3.pth"]
    again = FakeRunner(tmp_path, iter=3, message_hub=runner.message_hub)
    CheckpointHook(**settings).before_train(again)
    assert files_in(tmp_path) == ["iter_2.pth", "iter_3.pth"]


@pytest.mark.parametrize("is_moved", [True, False])
def test_only_files_of_the_own_run_are_removed(tmp_path: Path, is_moved: bool) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    runner = FakeRunner(first)
    settings: dict[str, Any] = {"interval": 1, "by_epoch": False, "max_keep_ckpts": 1}
    train_iterations(runner, [CheckpointHook(**{**settings, "max_keep_ckpts": 3})], 3)
    if is_moved:
        first.rename(second)
    else:
        second.mkdir()
        (second / "iter_1.pth").write_text("of somebody else")
    resumed_from = (second if is_moved else first) / "iter_3.pth"
    runner.message_hub.update_info("resumed_from", str(resumed_from))
    again = FakeRunner(second, iter=3, message_hub=runner.message_hub)
    train_iterations(again, [CheckpointHook(**settings)], 5)
    assert files_in(second) == (["iter_5.pth"] if is_moved else ["iter_1.pth", "iter_5.pth"])
    assert is_moved or len(files_in(first)) == 3


def test_a_list_by_number_of_an_older_checkpoint_is_taken_over(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, iter=2)
    for number in (1, 2):
        (tmp_path / f"iter_{number}.pth").write_text("")
    runner.message_hub.update_info("keep_ckpt_ids", [1, 2])
    train_iterations(runner, [CheckpointHook(interval=1, by_epoch=False, max_keep_ckpts=1)], 3)
    assert files_in(tmp_path) == ["iter_3.pth"]
    assert runner.message_hub.get_info("keep_ckpt_ids") == [3]


@pytest.mark.parametrize(
    "listed",
    [
        {"kept_checkpoints": {":iter_{}.pth:0": {"files": ["../a.pth", "job.py", "x/iter_1.pth"]}}},
        {"keep_ckpt_ids": ["/../../a", "../a", 1.5]},
    ],
)
def test_a_list_that_leads_elsewhere_removes_nothing(
    tmp_path: Path, listed: dict[str, Any]
) -> None:
    work_dir = tmp_path / "work"
    files = [tmp_path / "a.pth", work_dir / "job.py", work_dir / "x" / "iter_1.pth"]
    for path in files:
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    runner = FakeRunner(work_dir)
    runner.message_hub.update_info_dict(listed)
    train_iterations(runner, [CheckpointHook(interval=1, by_epoch=False, max_keep_ckpts=1)], 2)
    assert all(path.exists() for path in files)
    assert files_in(work_dir) == ["iter_2.pth"]


def test_a_file_that_cannot_be_removed_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(backend: Any, path: str) -> None:
        raise PermissionError(13, "not yours", path)

    monkeypatch.setattr(LocalBackend, "remove", refuse)
    hook = CheckpointHook(interval=1, by_epoch=False, max_keep_ckpts=1)
    train_iterations(FakeRunner(tmp_path), [hook], 2)
    assert files_in(tmp_path) == ["iter_1.pth", "iter_2.pth"]
    assert "iter_1.pth, which is no longer kept: " in caplog.text
