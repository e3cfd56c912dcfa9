"""Look-up of metric values by name."""

import pytest

from eng.evaluator import get_metric_value


def test_get_metric_value():
    numbers = {"coco/AP": 1, "voc/AP": 2, "loss": 3, "voc/recall": 4}
    assert get_metric_value("coco/AP", numbers) == 1
    assert get_metric_value("loss", numbers) == 3
    assert get_metric_value("recall", numbers) == 4
    with pytest.raises(
        ValueError, match=r"'AP' is ambiguous; use the full name, one of \['coco/AP', 'voc/AP'\]"
    ):
        get_metric_value("AP", numbers)
    for name in ("mAP", "coco/recall", "x/loss"):
        with pytest.raises(ValueError, match=f"unknown metric '{name}'; available: .*'coco/AP'"):
            get_metric_value(name, numbers)
