"""Batches are made on a GPU beside the steps: on a stream of their own, where a copy waits for no step."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


class SideStream:
    """A second queue of a GPU's work; on a CPU there is none, and nothing to wait for."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream: torch.cuda.Stream | None = (
            torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        )

    def making(self) -> AbstractContextManager[Any]:
        """Within it, this thread's work is queued here."""
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def mark(self) -> torch.cuda.Event | None:
        """The moment in which all that was queued so far is done."""
        return None if self._stream is None else self._stream.record_event()

    def take(self, ready: torch.cuda.Event | None, *made: torch.Tensor) -> None:
        """Let this thread's own work wait for `ready`, and their memory stay until that work has read them."""
        if ready is None:
            return
        own = torch.cuda.current_stream(self._device)
        own.wait_event(ready)
        for tensor in made:
            tensor.record_stream(own)
