"""When the cache of the accelerator is emptied."""

from __future__ import annotations

import pytest
import torch

from eng.hooks import EmptyCacheHook

STAGES = ("before_epoch", "after_epoch", "after_iter")


@pytest.mark.parametrize("mode", ["train", "val", "test"])
@pytest.mark.parametrize("wanted", [(), ("before_epoch",), ("after_iter",), STAGES])
def test_it_is_emptied_at_the_stages_asked_for(
    monkeypatch: pytest.MonkeyPatch, mode: str, wanted: tuple[str, ...]
) -> None:
    emptied: list[str] = []
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: emptied.append(stage))
    hook = EmptyCacheHook(**{stage: stage in wanted for stage in STAGES})
    for stage in STAGES:
        when, _, what = stage.partition("_")
        arguments = (None, 0) if what == "iter" else (None,)
        getattr(hook, f"{when}_{mode}_{what}")(*arguments)
    assert emptied == list(wanted)


def test_a_machine_without_an_accelerator_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: False)
    monkeypatch.setattr(torch.accelerator, "empty_cache", lambda: pytest.fail("emptied"))
    EmptyCacheHook().after_train_epoch(None)  # type: ignore[arg-type]
