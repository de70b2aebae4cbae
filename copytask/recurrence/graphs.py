"""The unrolled cells on a GPU, in CUDA graphs of a few steps each.

At the sizes of this task a step is a handful of kernels of a few microseconds, which Python
cannot launch as fast as a GPU runs them. So the operations of BLOCK steps are recorded once,
forward and backward, on buffers of their own, and replayed for each block of a sequence; the
steps that are left at its end run one by one.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from copytask.recurrence import tensor_loops
from copytask.recurrence.unrolled import Gradients, Operands, Unrolled

BLOCK = 16
"""Steps in a graph: enough to hide the launches, few enough to leave little at the end."""

KEPT_SHAPES = 8
"""Graphs are kept for so many shapes of operands."""

_recordings: dict[tuple[object, ...], "Recording"] = {}


def forward(unrolled: Unrolled) -> Tensor:
    """As :func:`copytask.recurrence.tensor_loops.forward`, for token ids."""
    recording = _recording_for(unrolled)
    outputs = []
    for part in _parts(unrolled):
        if part.steps == BLOCK:
            outputs.append(recording.forward(part))
        else:
            outputs.append(tensor_loops.forward(part))
    return torch.cat(outputs)


def backward(unrolled: Unrolled, gradients: Gradients) -> None:
    """As :func:`copytask.recurrence.tensor_loops.backward`, for token ids."""
    recording = _recording_for(unrolled)
    left = len(gradients.outputs)
    for part in reversed(list(_parts(unrolled))):
        outputs = gradients.outputs[left - part.recalled : left]
        left -= part.recalled
        of_part = dataclasses.replace(gradients, outputs=outputs)
        if part.steps == BLOCK:
            recording.backward(part, of_part)
        else:
            tensor_loops.backward(part, of_part)


def _parts(unrolled: Unrolled) -> Iterator[Unrolled]:
    for start in range(0, unrolled.steps, BLOCK):
        yield unrolled.part(start, min(start + BLOCK, unrolled.steps))


def _recording_for(unrolled: Unrolled) -> "Recording":
    shapes = (None if t is None else t.shape for t in unrolled.operands)
    like = unrolled.operands.h
    key = (unrolled.cell, like.dtype, like.device, torch.get_float32_matmul_precision(), *shapes)
    if key not in _recordings:
        while len(_recordings) >= KEPT_SHAPES:
            del _recordings[next(iter(_recordings))]
        _recordings[key] = Recording(unrolled)
    return _recordings[key]


class Recording:
    """The graphs of one block, and the buffers on which they work."""

    def __init__(self, like: Unrolled):
        assert like.index is not None
        cloned: list[Any] = [None if t is None else t.clone() for t in like.operands]
        index = like.index.new_zeros(BLOCK, like.index.shape[1])
        self.block = Unrolled(like.cell, Operands(*cloned), index, None, keep=True, bf16=False)
        self.gradients = Gradients.start(self.block.operands, torch.zeros_like(self.block.h[1:]))
        device = like.index.device
        self._forward = record(lambda: tensor_loops.forward(self.block), device)
        self._backward = record(lambda: tensor_loops.backward(self.block, self.gradients), device)

    def forward(self, part: Unrolled) -> Tensor:
        """As tensor_loops.forward, for a part of BLOCK steps."""
        block = self.block
        self._load(part)
        block.h[0], block.c[0] = part.h[0], part.c[0]
        self._forward()
        if part.keep:
            for values, buffer in zip(part.buffers(), block.buffers(), strict=True):
                values.copy_(buffer)
        else:  # two rows that alternate: after a block it is the first one's turn
            part.h[0], part.c[0] = block.h[-1], block.c[-1]
        return block.h[BLOCK + 1 - part.recalled :].clone()

    def backward(self, part: Unrolled, gradients: Gradients) -> None:
        """As tensor_loops.backward, for a part of BLOCK steps."""
        self._load(part)
        for buffer, values in zip(self.block.buffers(), part.buffers(), strict=True):
            buffer.copy_(values)
        ours = self.gradients
        ours.outputs.zero_()
        ours.outputs[BLOCK - part.recalled :] = gradients.outputs
        pairs = list(zip(ours.running(), gradients.running(), strict=True))
        for buffer, values in pairs:
            buffer.copy_(values)
        self._backward()
        for buffer, values in pairs:
            values.copy_(buffer)

    def _load(self, part: Unrolled) -> None:
        assert self.block.index is not None
        assert part.index is not None
        self.block.index.copy_(part.index)
        for buffer, values in zip(self.block.operands, part.operands, strict=True):
            if buffer is not None and values is not None:
                buffer.copy_(values)


def record(operations: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Record operations on fixed buffers as a CUDA graph; returns what repeats them."""
    if device.type != "cuda":  # where there are no graphs, the operations themselves
        return operations
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):  # libraries set themselves up at their first call
        operations()
    torch.cuda.current_stream(device).wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        operations()
    return graph.replay
