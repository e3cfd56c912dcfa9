"""Hold the names of parts in ``parallel`` against the model, built without its values."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import nn

from eng.dataset import RawRandomState
from eng.model import Recording, check_parallel_parts
from eng.registry import DefaultScope, Problem
from eng.utils import UserError

from .arguments import with_preprocessor
from .builders import build_model
from .parallel import check_parallel
from .types import Settings

__all__ = ["check_model_parts"]

#: Settings that name parts of the model, as an error begins with them.
_SETTING = re.compile(r"parallel: (wrap|checkpoint_activations|compile|tensor_plan): ")


def check_model_parts(settings: Settings) -> list[tuple[tuple[str, ...], Problem]]:
    """Look up the parts of the model that ``parallel`` names.

    The model is built as where it is sharded: large tensors are on the meta device.

    Args:
        settings: The config of a run, in which no mistake was found otherwise.

    Returns:
        The keys of the setting and what is wrong with it; nothing without such names. A model that
        cannot be built, or not without its values, is a problem that is not certain.
    """
    parallel, model = check_parallel(settings), settings.get("model")
    if parallel is None or not isinstance(model, Mapping):
        return []
    names = (parallel.wrap, parallel.checkpoint_activations, parallel.tensor_plan)
    if not any(names) and parallel.compile_arguments()[0] is None and parallel.tensor == 1:
        return []
    try:
        built = _build(settings)
    except Exception as error:  # of other people's code: the run says more
        message = f"its names of parts are not checked, as the model is not built here: {error}"
        return [(("parallel",), Problem((), message, is_certain=False))]
    try:
        check_parallel_parts(built, parallel)
    except UserError as error:
        found = _SETTING.match(str(error))
        path = ("parallel",) if found is None else ("parallel", found[1])
        message = str(error).removeprefix("parallel: " if found is None else found[0])
        return [(path, Problem((), message))]
    return []


def _build(settings: Settings) -> nn.Module:
    cfg = with_preprocessor(settings["model"], settings.get("data_preprocessor"))
    random_numbers = RawRandomState()
    try:
        with (
            DefaultScope.overwrite_default_scope(settings.get("default_scope") or "mmengine"),
            Recording().active(),
        ):
            return build_model(cfg)
    finally:
        random_numbers.restore()
