"""Checkpoints with the trained weights alone, such as adapters, and the weights that they need."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from typing import Any

from torch import Tensor, nn

from eng.dl_utils import plain_name, unwrap
from eng.logging import print_log

from .digest import tensor_digest
from .errors import CheckpointError
from .loader import CheckpointLoader
from .state_dict import load_state_dict, model_state
from .types import Checkpoint, Logger

__all__ = ["complete_weights", "drop_frozen", "frozen_digest", "frozen_names"]

#: Entry of ``meta`` that says so, with the digest and the number of the frozen parameters.
TRAINED_ONLY = "trained_only"


def frozen_digest(model: nn.Module, names: Collection[str]) -> str:
    """Compute a text that differs if the bits of some parameters differ.

    Args:
        model: The model, possibly wrapped.
        names: Names of parameters, without those of wrappers.

    Returns:
        The digest.
    """
    total = 0
    for name, parameter in sorted(_list_parameters(model).items()):
        if name in names:
            total = 31 * total + int(tensor_digest(parameter))
    return f"{total % 2**64:016x}"


def drop_frozen(checkpoint: Checkpoint, frozen: Collection[str], digest: str) -> None:
    """Drop the weights of frozen parameters from a checkpoint that is about to be saved.

    Args:
        checkpoint: The checkpoint. Its ``meta``, ``state_dict`` and ``ema_state_dict`` are changed.
        frozen: Names of the parameters.
        digest: Their :func:`frozen_digest`.
    """
    names = sorted(frozen)
    checkpoint["meta"][TRAINED_ONLY] = {"digest": digest, "frozen": names}
    for key, prefix in (("state_dict", ""), ("ema_state_dict", "module.")):
        if isinstance(checkpoint.get(key), Mapping):
            state = checkpoint[key]
            kept = OrderedDict((n, v) for n, v in state.items() if n[len(prefix) :] not in frozen)
            kept._metadata = getattr(state, "_metadata", None)  # type: ignore[attr-defined]
            checkpoint[key] = kept


def frozen_names(checkpoint: Checkpoint) -> list[str] | None:
    """Names of the parameters that a checkpoint lacks as they are frozen.

    Args:
        checkpoint: The checkpoint.

    Returns:
        The names, none where all have been trained; None of a checkpoint of another kind.
    """
    meta = checkpoint.get("meta") if isinstance(checkpoint, Mapping) else None
    mark = meta.get(TRAINED_ONLY) if isinstance(meta, Mapping) else None
    if not isinstance(mark, Mapping) or "state_dict" not in checkpoint:
        return None
    return list(mark["frozen"])


def complete_weights(
    model: nn.Module,
    checkpoint: Checkpoint,
    filename: str,
    logger: Logger = None,
    read: Callable[[str], Checkpoint] = CheckpointLoader.load_checkpoint,
) -> Checkpoint:
    """Complete a checkpoint with the trained weights alone by the frozen ones of a model.

    The model has these already, or they are read from the checkpoint that the training was started
    from (``load_from``), or made by the initialization of the model.

    Args:
        model: The model, possibly wrapped. Its frozen weights may be loaded.
        checkpoint: The checkpoint. Any other one is returned as it is.
        filename: Its name, for messages.
        logger: Logger of the messages. Defaults to None: they are printed.
        read: Reads a checkpoint. Defaults to :meth:`CheckpointLoader.load_checkpoint`.

    Returns:
        The checkpoint, with the weights of all parameters.

    Raises:
        CheckpointError: If the frozen weights are not those that the others were trained with.
    """
    frozen = frozen_names(checkpoint)
    if not frozen:
        return checkpoint
    meta, state = checkpoint["meta"], checkpoint["state_dict"]
    own = _list_parameters(model)
    missing = {name: own[name] for name in frozen if name in own}
    source = _find_frozen(model, missing, meta, filename, logger, read)
    if source is None:
        raise CheckpointError(
            f"{filename} has the trained weights alone, and the {len(missing)} frozen parameters "
            f"of {type(unwrap(model)).__name__} are not the {len(frozen)} that they were "
            f"trained with{_describe_origin(meta)}: load these into the model first"
        )
    print_log(
        f"{filename} has the trained weights alone, of {len(own) - len(missing)} parameters: the "
        f"{len(missing)} frozen ones are {source}.",
        logger=logger,
    )
    completed = {**checkpoint, "state_dict": _add(state, missing, "")}
    if isinstance(checkpoint.get("ema_state_dict"), Mapping):
        completed["ema_state_dict"] = _add(checkpoint["ema_state_dict"], missing, "module.")
    return completed


def _find_frozen(
    model: nn.Module,
    missing: Mapping[str, Tensor],
    meta: Mapping[str, Any],
    filename: str,
    logger: Logger,
    read: Callable[[str], Checkpoint],
) -> str | None:
    """Let a model have the frozen weights, and describe where they come from."""
    mark = meta[TRAINED_ONLY]

    def is_right() -> bool:
        has_all = len(missing) == len(mark["frozen"])
        return has_all and frozen_digest(model, missing) == mark["digest"]

    if is_right():
        return "those of the model"
    base = meta.get("load_from")
    if base is not None:
        try:
            found = complete_weights(model, read(base), base, logger, read)
        except OSError as error:
            raise CheckpointError(
                f"{filename} has the trained weights alone; the frozen ones, of {base}, cannot be "
                f"read: {error}"
            ) from error
        state = model_state(found, base, [(r"^module\.", "")])
        load_state_dict(model, state, logger=logger)
        return f"those of {base}" if is_right() else None
    inner: Any = unwrap(model)
    if getattr(inner, "is_init", True) is False:
        inner.init_weights()
        return "those of its initialization" if is_right() else None
    return None


def _describe_origin(meta: Mapping[str, Any]) -> str:
    base = meta.get("load_from")
    return " (by its own initialization)" if base is None else f" (those of {base})"


def _add(
    state: Mapping[str, Tensor], missing: Mapping[str, Tensor], prefix: str
) -> OrderedDict[str, Tensor]:
    more = {f"{prefix}{name}": value.detach() for name, value in missing.items()}
    whole: OrderedDict[str, Tensor] = OrderedDict({**more, **state})
    whole._metadata = getattr(state, "_metadata", None)  # type: ignore[attr-defined]
    return whole


def _list_parameters(model: nn.Module) -> dict[str, Tensor]:
    """Parameters by their names without wrappers, shared ones under each of their names."""
    found = model.named_parameters(remove_duplicate=False)
    return {plain_name(model, name): value for name, value in found}
