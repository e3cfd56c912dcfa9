"""Move a module to an accelerator whose vendor extends torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["VendorDevices"]


class VendorDevices:
    """Adds methods like :meth:`torch.nn.Module.cuda` for other accelerators to a module."""

    to: Any

    def npu(self, device: int | str | torch.device | None = None) -> Self:
        """Move to an NPU, of ``torch_npu``.

        Args:
            device: The device or its index. Defaults to None, the current one.

        Returns:
            The module itself.
        """
        return self._move_to_vendor("npu", device)

    def mlu(self, device: int | str | torch.device | None = None) -> Self:
        """Move to an MLU, of ``torch_mlu``.

        Args:
            device: The device or its index. Defaults to None, the current one.

        Returns:
            The module itself.
        """
        return self._move_to_vendor("mlu", device)

    def musa(self, device: int | str | torch.device | None = None) -> Self:
        """Move to a MUSA device, of ``torch_musa``.

        Args:
            device: The device or its index. Defaults to None, the current one.

        Returns:
            The module itself.
        """
        return self._move_to_vendor("musa", device)

    def _move_to_vendor(self, kind: str, device: int | str | torch.device | None) -> Self:
        if device is None:
            device = kind
        elif isinstance(device, int):
            device = f"{kind}:{device}"
        self.to(device)
        return self
