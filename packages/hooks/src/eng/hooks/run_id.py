"""Identify a run over all its starts."""

from __future__ import annotations

import uuid

from eng.dist import broadcast_object_list
from eng.logging import MessageHub

__all__ = ["run_id_of"]


def run_id_of(hub: MessageHub) -> str:
    """The identifier of a run. To be called in all processes.

    Its checkpoints hold it, so that it stays the same when the run is resumed.

    Args:
        hub: The message hub of the run, which is given one if it has none.

    Returns:
        The identifier.
    """
    if "run_id" not in hub.runtime_info:
        boxes = [uuid.uuid4().hex]
        broadcast_object_list(boxes)
        hub.update_info("run_id", boxes[0])
    return str(hub.runtime_info["run_id"])
