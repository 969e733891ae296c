"""A directory held open: its files are reached through its descriptor, and never through a link.

So a directory that is renamed or moved while it is open stays the one that is meant, and what a stranger put into it
(links, pipes, devices, other names for files elsewhere) is refused instead of being followed, waited for or filled.
"""

import os
import stat
from contextlib import suppress
from errno import EBADF, EINVAL, ELOOP, ENOENT, EPERM
from pathlib import Path
from typing import BinaryIO, Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PRIVATE_FILE: Final = 0o600

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE: Final = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
"""Not blocking, as opening a pipe waits for somebody at its other end."""

_DESCRIPTORS: Final = Path("/proc/self/fd")
"""Where Linux has an entry for each descriptor of this process."""


class Folder:
    """An open directory. Every method raises OSError, with a reason in plain words, where something cannot be done.

    Names are those of entries in the directory itself; a part of a path, such as `..` or `a/b`, is an assertion.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        """Of an open directory, which lay at `path` when it was opened."""
        self._descriptor = descriptor
        self._path = path

    @classmethod
    def open(cls, path: Path) -> "Folder":
        """The directory at a path that the user named; its own name may be a link."""
        return cls(os.open(path, _DIRECTORY), path)

    def close(self) -> None:
        """From now on `path` is where it lay last, and everything else fails; may be called again."""
        descriptor, self._descriptor = self._descriptor, -1  # soon the number may be that of another file
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> "Folder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        if self._descriptor < 0:
            raise OSError(EBADF, "it is closed", str(self._path))
        return self._descriptor

    def reopen(self) -> "Folder":
        """The same directory, opened anew: it has locks of its own, and is closed by itself."""
        return Folder(os.open(".", _DIRECTORY, dir_fd=self.fileno()), self._path)

    @property
    def path(self) -> Path:
        """Where it lies now; if nobody can tell, where it lay last."""
        return self.locate() or self._path

    def locate(self) -> Path | None:
        """Where it lies now: as it was named, while that is so; None when it is deleted, closed, or nobody can tell."""
        for path in (self._path, _told_by_system(self._descriptor)):
            with suppress(OSError):
                if path is not None and os.path.samestat(path.stat(), os.fstat(self.fileno())):
                    self._path = path
                    return path
        return None

    @property
    def deleted(self) -> bool:
        return os.fstat(self.fileno()).st_nlink == 0

    @property
    def owner(self) -> int:
        """The user whom it belongs to."""
        return os.fstat(self.fileno()).st_uid

    def folder(self, name: str, create: bool = False) -> "Folder":
        """A directory in this one, made if it is to be."""
        if create:
            with suppress(FileExistsError):
                os.mkdir(_entry(name), 0o777, dir_fd=self.fileno())
        return Folder(os.open(_entry(name), _DIRECTORY | os.O_NOFOLLOW, dir_fd=self.fileno()), self.path / name)

    def path_to(self, name: str) -> Path:
        """A path to an entry, for a library that takes no descriptor, to be used at once.

        Where the system has a path for the descriptor itself, as Linux has, it leads into this directory even when that
        is moved meanwhile; elsewhere it leads to where the directory lies now.
        """
        through = _DESCRIPTORS / str(self.fileno())
        place = through if through.is_dir() else self.locate()
        if place is None:
            raise FileNotFoundError(ENOENT, "its directory was deleted, or cannot be found", str(self._path))
        return place / _entry(name)

    def names(self) -> list[str]:
        """Of all entries, in no order."""
        return os.listdir(self.fileno())  # noqa: PTH208  (pathlib knows no descriptors)

    def stat(self, name: str) -> os.stat_result:
        """Of an entry itself: a link is not followed."""
        return os.stat(_entry(name), dir_fd=self.fileno(), follow_symlinks=False)

    def is_file(self, name: str) -> bool:
        """Whether there is a regular file of that name."""
        try:
            return stat.S_ISREG(self.stat(name).st_mode)
        except FileNotFoundError:
            return False

    def open_to_read(self, name: str) -> BinaryIO:
        """A regular file."""
        descriptor = self._open(name, os.O_RDONLY)
        return _checked(descriptor, "rb", self.path / name)

    def open_to_append(self, name: str) -> BinaryIO:
        """A regular file of this user's that has no other name, made if there is none; read and written unbuffered."""
        descriptor = self._open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        return _checked(descriptor, "ab+", self.path / name, own=True)

    def open_new(self, name: str) -> BinaryIO:
        """An empty regular file to write; what had the name before, whatever it was but a directory, is removed."""
        self.remove(name)
        descriptor = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        return os.fdopen(descriptor, "wb")

    def read(self, name: str, limit: int) -> bytes:
        """What a regular file holds; one of more than `limit` bytes is refused."""
        with self.open_to_read(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise OSError(EINVAL, f"it has more than {limit:,} bytes", str(self.path / name))
        return data

    def replace(self, name: str, data: bytes) -> None:
        """Put `data` into a file, old or new, which is whole at every moment; on an error the old one stays."""
        aside = f".{name}.partial"
        with self.open_new(aside) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        self.rename(aside, name)

    def replace_text(self, name: str, text: str) -> None:
        """`replace` in UTF-8; surrogate escapes become the bytes they stand for: a path in a text need not be UTF-8."""
        self.replace(name, text.encode(errors="surrogateescape"))

    def rename(self, old: str, new: str) -> None:
        """Give an entry another name; a file of that name is replaced."""
        os.rename(_entry(old), _entry(new), src_dir_fd=self.fileno(), dst_dir_fd=self.fileno())

    def link(self, name: str, target: Path) -> None:
        """Make a symbolic link; raises FileExistsError where anything has its name."""
        os.symlink(target, _entry(name), dir_fd=self.fileno())

    def read_link(self, name: str) -> Path:
        """Where a symbolic link points to."""
        return Path(os.readlink(_entry(name), dir_fd=self.fileno()))

    def remove(self, name: str) -> None:
        """Remove an entry that is no directory, if there is one."""
        with suppress(FileNotFoundError):
            os.unlink(_entry(name), dir_fd=self.fileno())

    def remove_folder(self, name: str) -> None:
        """Remove an empty directory."""
        os.rmdir(_entry(name), dir_fd=self.fileno())

    def sync(self) -> None:
        """Wait until the entries are on the disk."""
        os.fsync(self.fileno())

    def _open(self, name: str, flags: int) -> int:
        try:
            return os.open(_entry(name), flags | _FILE, PRIVATE_FILE, dir_fd=self.fileno())
        except OSError as error:
            if error.errno == ELOOP:
                raise OSError(ELOOP, "it is a link", str(self.path / name)) from error
            raise


def _told_by_system(descriptor: int) -> Path | None:
    """The path of an open directory, where the system knows it: Linux and macOS do."""
    try:
        if hasattr(fcntl, "F_GETPATH"):
            told = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).partition(b"\0")[0]
            return Path(os.fsdecode(told))
        return (_DESCRIPTORS / str(descriptor)).readlink()
    except OSError:
        return None


def _entry(name: str) -> str:
    assert name and "/" not in name and name not in (".", ".."), name
    return name


def _checked(descriptor: int, mode: str, path: Path, own: bool = False) -> BinaryIO:
    """A file object for a regular file; `own` also asks that it is this user's and has one name only."""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(EINVAL, "it is no regular file", str(path))
        if own and status.st_uid != os.geteuid() != 0:
            raise OSError(EPERM, "it belongs to another user", str(path))
        if own and status.st_nlink > 1:
            raise OSError(EPERM, "it has another name elsewhere", str(path))
        return os.fdopen(descriptor, mode, buffering=0 if own else -1)  # type: ignore[return-value]
    except BaseException:
        with suppress(OSError):
            os.close(descriptor)
        raise
