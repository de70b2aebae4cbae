"""The engine for GPUs: replays CUDA graphs of BLOCK steps each.

At the sizes of this task a step is a handful of kernels of a few microseconds. Python cannot launch
them as fast as a GPU runs them. So we record the operations of BLOCK steps once, forward and
backward, on separate buffers, and replay them for each block of a sequence. The remaining steps at
the end run one by one.
"""

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from copytask.engine import tensor_loops
from copytask.engine.unrolled import Gradients, Operands, UnrolledCell

BLOCK = 16
"""Steps in a graph: enough to hide the launches, few enough to leave few single steps."""

KEPT_SHAPES = 8
"""How many shapes of operands we keep graphs for."""

_recordings: dict[tuple[object, ...], "Recording"] = {}

_lock = threading.Lock()
"""Held while the blocks of a sequence are launched: they share the buffers of a recording."""


def forward(unrolled: UnrolledCell, outputs: Tensor) -> None:
    """As :func:`copytask.engine.tensor_loops.forward`."""
    if not _has_blocks(unrolled):
        tensor_loops.forward(unrolled, outputs)
        return
    with _lock:
        recording = _recording_for(unrolled)
        recording.load(unrolled.operands)
        for part, _, recalled in unrolled.parts(BLOCK):
            run = recording.forward if part.steps == BLOCK else tensor_loops.forward
            run(part, outputs[recalled])


def backward(unrolled: UnrolledCell, gradients: Gradients) -> None:
    """As :func:`copytask.engine.tensor_loops.backward`."""
    if not _has_blocks(unrolled):
        tensor_loops.backward(unrolled, gradients)
        return
    parts = [
        (part, gradients.part(steps, recalled)) for part, steps, recalled in unrolled.parts(BLOCK)
    ]
    if unrolled.steps % BLOCK:
        tensor_loops.backward(*parts.pop())
    with _lock:
        recording = _recording_for(unrolled)
        recording.load(unrolled.operands)
        recording.load_gradients(gradients)
        for part, of_part in reversed(parts):
            recording.backward(part, of_part)
        recording.store_gradients(gradients)


def _has_blocks(unrolled: UnrolledCell) -> bool:
    return unrolled.steps >= BLOCK and len(unrolled.operands.h) > 0


def _recording_for(unrolled: UnrolledCell) -> "Recording":
    """The recording for sequences of this shape, on the current stream."""
    block, _, _ = next(unrolled.parts(BLOCK))
    like = block.operands.h
    stream = torch.cuda.current_stream(like.device).cuda_stream if like.is_cuda else None
    shapes = (None if t is None else t.shape for t in block.operands)
    precision = torch.get_float32_matmul_precision()
    key = (unrolled.cell, like.dtype, like.device, stream, precision, *shapes)
    if key not in _recordings:
        while len(_recordings) >= KEPT_SHAPES:
            del _recordings[next(iter(_recordings))]
        _recordings[key] = Recording(block)
    return _recordings[key]


class Recording:
    """The graphs of one block, and the buffers that they work on.

    :meth:`load` and :meth:`load_gradients` copy what all blocks of a sequence share, once per
    sequence. :meth:`forward` and :meth:`backward` copy what differs between blocks.
    """

    def __init__(self, like: UnrolledCell):
        # Kept for training too, so nothing may be made in inference mode.
        with torch.inference_mode(False), torch.no_grad():
            cloned: list[Any] = [None if t is None else t.clone() for t in like.operands]
            index = None if like.index is None else like.index.clone()
            self.block = UnrolledCell(
                like.cell, Operands(*cloned), index, None, keep=True, bf16=False
            )
            self.outputs = torch.zeros_like(self.block.h[1:])
            self.gradients = Gradients.start(self.block.operands, torch.zeros_like(self.outputs))
            device = self.outputs.device
            self._forward = record(lambda: tensor_loops.forward(self.block, self.outputs), device)
            self._backward = record(
                lambda: tensor_loops.backward(self.block, self.gradients), device
            )
        names = {name for name in Operands._fields if getattr(like.operands, name) is not None}
        self._by_step = names & {"inputs", "mx"} if index is None else set()
        self._shared = names - self._by_step

    def load(self, operands: Operands) -> None:
        """Copy in the operands that all steps share."""
        _copy(operands, self.block.operands, self._shared)

    def load_gradients(self, gradients: Gradients) -> None:
        """Copy in the gradients that all steps add to, and that of the state."""
        _copy(gradients, self.gradients, self._shared)

    def store_gradients(self, gradients: Gradients) -> None:
        """Copy the gradients back out: the inverse of :meth:`load_gradients`."""
        _copy(self.gradients, gradients, self._shared)

    def forward(self, part: UnrolledCell, outputs: Tensor) -> None:
        """As tensor_loops.forward, for a part of BLOCK steps of the loaded sequence."""
        block = self.block
        self._load_steps(part)
        block.h[0], block.c[0] = part.h[0], part.c[0]
        self._forward()
        if part.keep:
            for values, buffer in zip(part.buffers(), block.buffers(), strict=True):
                values.copy_(buffer)
        else:  # two rows alternate, and BLOCK is even: the next block starts at the first row
            part.h[0], part.c[0] = block.h[-1], block.c[-1]
        outputs.copy_(self.outputs[BLOCK - part.recalled :])

    def backward(self, part: UnrolledCell, gradients: Gradients) -> None:
        """As tensor_loops.backward, for a part of BLOCK steps of the loaded sequence.

        It reads the gradients of the outputs and writes those that belong to single steps.
        """
        self._load_steps(part)
        for buffer, values in zip(self.block.buffers(), part.buffers(), strict=True):
            buffer.copy_(values)
        self.gradients.outputs.zero_()
        self.gradients.outputs[BLOCK - part.recalled :] = gradients.outputs
        self._backward()
        _copy(self.gradients, gradients, self._by_step)

    def _load_steps(self, part: UnrolledCell) -> None:
        if self.block.index is not None and part.index is not None:
            self.block.index.copy_(part.index)
        _copy(part.operands, self.block.operands, self._by_step)


def _copy(source: object, target: object, names: set[str]) -> None:
    for name in names:
        getattr(target, name).copy_(getattr(source, name))


def record(operations: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Record operations on fixed buffers as a CUDA graph; return a function that replays them.

    The operations first run once on the stream that the graph is then recorded on. ``device`` is
    made the current device, because a graph recorded on another one would be empty: see
    https://github.com/pytorch/pytorch/issues/87894. On a CPU, return the operations themselves.
    """
    if device.type != "cuda":
        return operations
    with torch.cuda.device(device):
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries initialize at their first call
            operations()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # Other threads may use their GPUs meanwhile.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            operations()
    return graph.replay
