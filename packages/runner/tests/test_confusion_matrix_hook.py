"""Pictures of confusion matrices in a run."""

from pathlib import Path

import pytest

from eng.runner import Runner


@pytest.fixture
def signs(job):
    """The job, whose errors are scores of a class."""
    matrix = {"type": "ConfusionMatrix", "pred": "error", "target": "label", "threshold": 0.5}
    job["val_evaluator"] = job["test_evaluator"] = [{"type": "MeanError"}, matrix]
    job["custom_hooks"] = [{"type": "ConfusionMatrixHook", "interval": 2}]
    return job


def add_labels(runner):
    """Let the model return labels with its predictions."""
    forward = runner.model.forward

    def labelled(inputs, data_samples=None, mode="tensor"):
        found = forward(inputs, data_samples, mode)
        if mode == "predict":
            return [{**each, "label": place % 2} for place, each in enumerate(found)]
        return found

    runner.model.forward = labelled
    return runner


def test_a_picture_every_second_validation_and_of_testing(signs):
    runner = add_labels(Runner.from_cfg(signs))
    runner.train()
    runner.test()
    pictures = sorted(Path(runner.work_dir).glob("*/vis_data/vis_image/*.png"))
    names = [path.name for path in pictures]
    assert names == ["test_confusion_matrix_15.png", "val_confusion_matrix_2.png"]
    scalars = next(Path(runner.work_dir).glob("*/vis_data/scalars.json")).read_text()
    assert '"f1": ' in scalars


def test_without_a_metric_that_keeps_a_matrix(job):
    job["custom_hooks"] = [{"type": "ConfusionMatrixHook"}]
    with pytest.raises(ValueError, match=r"such as dict\(type='ConfusionMatrix'\).*'MeanError'"):
        Runner.from_cfg(job).train()
    with pytest.raises(ValueError, match="interval must be at least 1"):
        Runner.from_cfg({**job, "custom_hooks": [{"type": "ConfusionMatrixHook", "interval": 0}]})
