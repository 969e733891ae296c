"""Files of fp32 tensors in the safetensors format, written into and read from an open directory."""

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from errno import EIO
from typing import BinaryIO, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from tui_trainer.run.folder import PRIVATE_FILE, Folder
from tui_trainer.training.errors import out_of_memory

ITEM_BYTES: Final = 4

MAX_HEADER_BYTES: Final = 16 * 2**20
"""Some 100,000 tensors."""

LENGTH_BYTES: Final = 8
"""At the beginning of a file: how long its header is, which is JSON and says where each tensor is."""

BLOCK_BYTES: Final = 8 * 2**20
"""Read and hashed at a time: before and after each, a thread that computes in Python may take the interpreter lock."""

_SYSTEM_ERROR: Final = re.compile(r"\(os error (\d+)\)")
"""How the library's messages give the errno of an error."""

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def bytes_of(shapes: Shapes) -> int:
    """How many bytes the numbers of such tensors take."""
    return sum(math.prod(shape) * ITEM_BYTES for shape in shapes.values())


def write_tensors(
    folder: Folder, name: str, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None
) -> str:
    """Make a file of contiguous tensors on the CPU, and wait until it is on the disk; its SHA-256. Raises OSError."""
    try:
        save_file(dict(tensors), folder.path_to(name), metadata)
    except SafetensorError as error:
        raise _system_error(error) from error
    with folder.open_to_read(name) as file:
        os.fchmod(file.fileno(), PRIVATE_FILE)  # which not every version of the library sees to
        os.fsync(file.fileno())
        return sha256_of(file)


def sha256_of(file: BinaryIO) -> str:
    """Of a file from where it is read to its end, a piece at a time."""
    content = hashlib.sha256()
    while block := file.read(BLOCK_BYTES):
        content.update(block)
    return content.hexdigest()


def has_tensors(file: BinaryIO, tensors: Mapping[str, Tensor]) -> bool:
    """Whether a file, of which it is known that it is as it was written, has exactly these, contiguous on the CPU.

    They are compared to the bit, a piece at a time. Raises OSError.
    """
    file.seek(0)
    begin = LENGTH_BYTES + (length := int.from_bytes(file.read(LENGTH_BYTES), "little"))
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    if {name: tuple(entry["shape"]) for name, entry in header.items()} != shapes_of(tensors):
        return False
    for name, tensor in tensors.items():
        file.seek(begin + header[name]["data_offsets"][0])
        numbers, step = tensor.flatten(), BLOCK_BYTES // ITEM_BYTES
        for start in range(0, len(numbers), step):
            block = numbers[start : start + step].numpy().tobytes()
            if file.read(len(block)) != block:
                return False
    return True


def _system_error(error: SafetensorError) -> OSError:
    """What the system said when the library could not write."""
    found = _SYSTEM_ERROR.search(str(error))
    number = int(found[1]) if found else EIO
    return OSError(number, os.strerror(number) if found else str(error))


def read_tensors(data: bytes, expected: Shapes | None = None) -> dict[str, Tensor]:
    """The tensors of a file that holds `data`, of the `expected` names and shapes if these are known.

    They are copies: for a while this takes as much memory again as the data. Raises ValueError, and torch's error where
    there is not so much.
    """
    torch.empty(len(data), dtype=torch.uint8)  # where there is too little memory the library ends in a Rust panic
    try:
        tensors = load(data)
    except (SafetensorError, KeyError, TypeError, RuntimeError) as error:
        if out_of_memory(error):
            raise
        # KeyError: numbers of a type that torch does not know. The last two: a shape that it cannot make.
        raise ValueError("it is not a whole safetensors file of fp32 numbers") from error
    if any(tensor.dtype != torch.float32 for tensor in tensors.values()):
        raise ValueError("it has numbers other than fp32")
    if expected is not None and (names := {name for name, _ in shapes_of(tensors).items() ^ expected.items()}):
        raise ValueError(f"{min(names)} is missing, unknown, or of another shape than config.json says")
    return tensors
