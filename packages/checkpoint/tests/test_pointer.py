from eng.checkpoint import (
    find_latest_checkpoint,
)


def test_find_latest_checkpoint(tmp_path):
    assert find_latest_checkpoint(str(tmp_path)) is None
    (tmp_path / "last_checkpoint").write_text(f"{tmp_path}/epoch_3.pth\n")
    assert find_latest_checkpoint(str(tmp_path)) == f"{tmp_path}/epoch_3.pth"
