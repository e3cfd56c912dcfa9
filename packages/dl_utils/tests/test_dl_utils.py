import pytest
import torch
from eng.dl_utils import TimeCounter, collect_env, has_batch_norm, is_norm, load_url, tensor2imgs
from torch import nn


def test_env_names_torch():
    assert collect_env()["PyTorch"] == torch.__version__


def test_norms():
    assert has_batch_norm(nn.Sequential(nn.BatchNorm2d(1)))
    assert not has_batch_norm(nn.Linear(1, 1))
    assert is_norm(nn.GroupNorm(1, 1))
    assert not is_norm(nn.GroupNorm(1, 1), exclude=nn.GroupNorm)


def test_images_come_back():
    images = torch.tensor([10.0, 20.0, 30.0]).reshape(1, 3, 1, 1)
    assert tensor2imgs(images)[0].tolist() == [[[30, 20, 10]]]
    with pytest.raises(ValueError, match="to_bgr must be False"):
        tensor2imgs(torch.zeros(1, 1, 2, 2))


def test_time_counter_prints_at_its_interval(capsys):
    @TimeCounter(log_interval=2, tag="f")
    def f():
        return 5

    assert [f() for _ in range(3)] == [5, 5, 5]
    assert capsys.readouterr().out.startswith("[f]-time per run averaged in the past 2 runs: ")


def test_load_url_checks_the_hash_and_caches(tmp_path):
    torch.save({"a": 1}, tmp_path / "m-00000000.pth")
    url = (tmp_path / "m-00000000.pth").as_uri()
    with pytest.raises(RuntimeError, match="has sha256"):
        load_url(url, str(tmp_path / "cache"), check_hash=True, progress=False)
    assert load_url(url, str(tmp_path / "cache"), progress=False) == {"a": 1}
    (tmp_path / "m-00000000.pth").unlink()
    assert load_url(url, str(tmp_path / "cache"), progress=False) == {"a": 1}
