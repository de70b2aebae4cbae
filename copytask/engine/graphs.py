"""The unrolled cells on a GPU, in CUDA graphs of a few steps each.

At the sizes of this task a step is a handful of kernels of a few microseconds, which Python
cannot launch as fast as a GPU runs them. So the operations of BLOCK steps are recorded once,
forward and backward, on buffers of their own, and replayed for each block of a sequence; the
steps that are left at its end run one by one.
"""

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from copytask.engine import tensor_loops
from copytask.engine.unrolled import Gradients, Operands, Unrolled

BLOCK = 16
"""Steps in a graph: enough to hide the launches, few enough to leave little at the end."""

KEPT_SHAPES = 8
"""Graphs are kept for so many shapes of operands."""

_recordings: dict[tuple[object, ...], "Recording"] = {}

_lock = threading.Lock()
"""Held while the blocks of a sequence are launched, which share the buffers of a recording."""


def forward(unrolled: Unrolled, outputs: Tensor) -> None:
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


def backward(unrolled: Unrolled, gradients: Gradients) -> None:
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


def _has_blocks(unrolled: Unrolled) -> bool:
    return unrolled.steps >= BLOCK and len(unrolled.operands.h) > 0


def _recording_for(unrolled: Unrolled) -> "Recording":
    """The recording for sequences like this one, on the stream that it runs on."""
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
    """The graphs of one block, and the buffers on which they work.

    What all blocks of a sequence share is copied into them once, by :meth:`load` and
    :meth:`load_gradients`; what differs, with each block.
    """

    def __init__(self, like: Unrolled):
        # Kept for training too, so nothing may be made in inference mode.
        with torch.inference_mode(False), torch.no_grad():
            cloned: list[Any] = [None if t is None else t.clone() for t in like.operands]
            index = None if like.index is None else like.index.clone()
            self.block = Unrolled(like.cell, Operands(*cloned), index, None, keep=True, bf16=False)
            self.outputs = torch.zeros_like(self.block.h[1:])
            self.gradients = Gradients.start(self.block.operands, torch.zeros_like(self.outputs))
            device = self.outputs.device
            self._forward = record(lambda: tensor_loops.forward(self.block, self.outputs), device)
            self._backward = record(
                lambda: tensor_loops.backward(self.block, self.gradients), device
            )
        names = {name for name in Operands._fields if getattr(like.operands, name) is not None}
        self._by_step = names & {"inputs", "factors"} if index is None else set()
        self._shared = names - self._by_step

    def load(self, operands: Operands) -> None:
        """Take over the operands that all steps share."""
        _copy(operands, self.block.operands, self._shared)

    def load_gradients(self, gradients: Gradients) -> None:
        """Take over the gradients to which all steps add, and that of the state."""
        _copy(gradients, self.gradients, self._shared)

    def store_gradients(self, gradients: Gradients) -> None:
        """The way back from :meth:`load_gradients`."""
        _copy(self.gradients, gradients, self._shared)

    def forward(self, part: Unrolled, outputs: Tensor) -> None:
        """As tensor_loops.forward, for a part of BLOCK steps of what was loaded."""
        block = self.block
        self._load_steps(part)
        block.h[0], block.c[0] = part.h[0], part.c[0]
        self._forward()
        if part.keep:
            for values, buffer in zip(part.buffers(), block.buffers(), strict=True):
                values.copy_(buffer)
        else:  # two rows that alternate: after a block it is the first one's turn
            part.h[0], part.c[0] = block.h[-1], block.c[-1]
        outputs.copy_(self.outputs[BLOCK - part.recalled :])

    def backward(self, part: Unrolled, gradients: Gradients) -> None:
        """As tensor_loops.backward, for a part of BLOCK steps of what was loaded.

        Of the gradients it reads those of the outputs and writes those of single steps.
        """
        self._load_steps(part)
        for buffer, values in zip(self.block.buffers(), part.buffers(), strict=True):
            buffer.copy_(values)
        self.gradients.outputs.zero_()
        self.gradients.outputs[BLOCK - part.recalled :] = gradients.outputs
        self._backward()
        _copy(self.gradients, gradients, self._by_step)

    def _load_steps(self, part: Unrolled) -> None:
        if self.block.index is not None and part.index is not None:
            self.block.index.copy_(part.index)
        _copy(part.operands, self.block.operands, self._by_step)


def _copy(source: object, target: object, names: set[str]) -> None:
    for name in names:
        getattr(target, name).copy_(getattr(source, name))


def record(operations: Callable[[], object], device: torch.device) -> Callable[[], object]:
    """Record operations on fixed buffers as a CUDA graph; returns what repeats them.

    The graph is of ``device``, whichever is current, and is recorded on the stream on which the
    operations have run before. Recorded on another device, it would be empty: see
    https://github.com/pytorch/pytorch/issues/87894.
    """
    if device.type != "cuda":  # where there are no graphs, the operations themselves
        return operations
    with torch.cuda.device(device):
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # libraries set themselves up at their first call
            operations()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        # Other threads may go on using their GPUs meanwhile.
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            operations()
    return graph.replay
