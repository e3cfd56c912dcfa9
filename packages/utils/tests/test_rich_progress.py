import importlib.util
import operator

import pytest

from eng.utils import track_progress_rich


def double(x):
    return x * 2


def fail(x):
    raise LookupError(x)


@pytest.mark.parametrize("is_rich", [True, False])
@pytest.mark.parametrize("nproc", [1, 2])
def test_results_are_in_the_order_of_the_tasks(monkeypatch, capsys, is_rich, nproc):
    find = importlib.util.find_spec
    if is_rich and find("rich") is None:
        pytest.skip("rich is not installed")
    if not is_rich:
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *a: None if name == "rich" else find(name, *a)
        )
    assert track_progress_rich(double, [0, 1, 2], nproc=nproc, chunksize=2) == [0, 2, 4]
    assert track_progress_rich(operator.add, [(1, 2), (3, 4)], nproc=nproc) == [3, 7]
    assert track_progress_rich(len, [{"a": 1}], nproc=nproc) == [1]
    assert track_progress_rich(dict, task_num=2, nproc=nproc) == [{}, {}]
    tasks = (each for each in range(3))
    assert track_progress_rich(double, tasks, task_num=3, nproc=nproc) == [0, 2, 4]
    assert ("Processing" if is_rich else "3/3") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ((double,), ValueError),
        ((double, [1], 2), ValueError),
        ((double, iter([1])), ValueError),
        ((double, [1], None, 0), ValueError),
        ((double, [1], None, 1, 0), ValueError),
        ((3, [1]), TypeError),
        ((double, 3), TypeError),
        ((fail, [1]), LookupError),
        ((fail, [1], None, 2), LookupError),
    ],
)
def test_faults(arguments, kind):
    with pytest.raises(kind):
        track_progress_rich(*arguments)
