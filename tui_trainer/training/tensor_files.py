"""Tensors in files of the safetensors format, through open files, a tensor at a time.

The library of that name writes to a path, or makes a copy of the whole file in memory while every other thread waits.
The format: the length of the header in eight bytes, little-endian; the header, JSON with the dtype, the shape and the
place of each tensor by name; the tensors' bytes (github.com/huggingface/safetensors). Every tensor here is fp32.
"""

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import torch
from torch import Tensor

DTYPE: Final = "F32"
ITEM_BYTES: Final = 4

METADATA: Final = "__metadata__"

MAX_HEADER_BYTES: Final = 16 * 2**20
"""Some 150,000 tensors."""

CHUNK_BYTES: Final = 2**20

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def chunks(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> Iterator[Any]:
    """What the file of these tensors, fp32 on the CPU, consists of: buffers to be written one after the other."""
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    end = 0
    for name, tensor in tensors.items():
        assert tensor.dtype == torch.float32, f"{name} is {tensor.dtype}"
        begin, end = end, end + tensor.numel() * ITEM_BYTES
        header[name] = {"dtype": DTYPE, "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the numbers are aligned where the file is mapped into memory
    yield len(text).to_bytes(8, "little")
    yield text
    for tensor in tensors.values():
        if tensor.numel():
            yield _bytes_of(tensor.contiguous())


def _bytes_of(tensor: Tensor) -> Any:
    """The memory of a contiguous tensor, as an array of bytes."""
    return tensor.detach().reshape(-1).view(torch.uint8).numpy()


class HashedFile:
    """A file that is read once, from its beginning to its end, and hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = os.fstat(file.fileno()).st_size

    def read(self, count: int) -> bytes:
        """The next `count` bytes; fewer at the end."""
        data = self._file.read(count)
        self._hash.update(data)
        return data

    def fill(self, buffer: Any) -> None:
        """Read as many bytes as a buffer holds; raises ValueError where the file has fewer."""
        view = memoryview(buffer)
        filled = 0
        while filled < len(view):
            count = self._file.readinto(view[filled:])  # type: ignore[attr-defined]
            if not count:
                raise ValueError("it became shorter while it was read")
            filled += count
        self._hash.update(view)

    def hexdigest(self) -> str:
        """The SHA-256 of the whole file: what has not been read is read now."""
        while self.read(CHUNK_BYTES):
            pass
        return self._hash.hexdigest()


def read_tensors(file: HashedFile, expected: Shapes | None = None) -> dict[str, Tensor]:
    """The tensors of a file, of the `expected` names and shapes if these are known.

    Raises ValueError, before any memory is taken for them, where the header does not describe the file.
    """
    places = _read_header(file)
    if expected is not None and (names := {name for name, _ in places.items() ^ expected.items()}):
        raise ValueError(f"{min(names)} is missing, unknown, or of another shape than config.json says")
    tensors = {name: torch.empty(shape) for name, shape in places.items()}
    for tensor in tensors.values():
        if tensor.numel():
            file.fill(_bytes_of(tensor))
    return tensors


def _read_header(file: HashedFile) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor, in the order of their data, which fills the file to its end; raises ValueError."""
    length = int.from_bytes(file.read(8), "little")
    if length > min(MAX_HEADER_BYTES, file.size - 8):
        raise ValueError("its header is too long")
    try:
        header = json.loads(file.read(length))
        header.pop(METADATA, None)
        places = sorted((*entry["data_offsets"], name) for name, entry in header.items())
        shapes = {name: tuple(header[name]["shape"]) for _, _, name in places}
        dtypes = {entry["dtype"] for entry in header.values()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("its header is not that of a safetensors file") from error
    if dtypes - {DTYPE}:
        raise ValueError("it has numbers other than fp32")
    end = 0
    for begin, after, name in places:
        shape = shapes[name]
        known = all(type(size) is int and size >= 0 for size in shape)
        if not known or (begin, after) != (end, end + math.prod(shape) * ITEM_BYTES):
            raise ValueError(f"its header gives {name} a wrong place")
        end += math.prod(shape) * ITEM_BYTES
    if 8 + length + end != file.size:
        raise ValueError("its header is of a file of another size")
    return shapes
