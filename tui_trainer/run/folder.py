"""An open directory: its files are opened relative to its descriptor, and never through a link.

So it stays the same directory when it is renamed or moved, and what another user may have put into it (links, pipes,
devices, hard links) is refused instead of being followed, blocked on or written to.
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
"""Non-blocking, as opening a pipe waits for its other end."""

_DESCRIPTORS: Final = Path("/proc/self/fd")
"""Where Linux has an entry for each descriptor of this process."""


class Folder:
    """An open directory. Every method raises OSError, with a reason in plain words, where something cannot be done.

    Names are those of entries in the directory itself; a part of a path, such as `..` or `a/b`, is an assertion.
    """

    def __init__(self, descriptor: int, path: Path) -> None:
        """`descriptor` is that of an open directory, which was at `path` when it was opened."""
        self._descriptor = descriptor
        self._path = path

    @classmethod
    def open(cls, path: Path) -> "Folder":
        """Open the directory at a path that the user named; the path itself may be a link."""
        return cls(os.open(path, _DIRECTORY), path)

    def close(self) -> None:
        """Close it: `path` stays the last known one, everything else raises; may be called again."""
        descriptor, self._descriptor = self._descriptor, -1  # the number may be reused for another file
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
        """The same directory, opened again: it has its own locks, and is closed separately."""
        return Folder(os.open(".", _DIRECTORY, dir_fd=self.fileno()), self._path)

    @property
    def path(self) -> Path:
        """Where it is now; if that cannot be found, the last known path."""
        return self.locate() or self._path

    def locate(self) -> Path | None:
        """Where it is now, preferably the path it was named by; None if it is deleted, closed, or cannot be found."""
        for path in (self._path, _system_path(self._descriptor)):
            with suppress(OSError):
                if path is not None and os.path.samestat(path.stat(), os.fstat(self.fileno())):
                    self._path = path
                    return path
        return None

    @property
    def deleted(self) -> bool:
        return os.fstat(self.fileno()).st_nlink == 0

    @property
    def free_bytes(self) -> int:
        """Bytes of its file system that this user may fill."""
        status = os.fstatvfs(self.fileno())
        return status.f_bavail * status.f_frsize

    @property
    def owner(self) -> int:
        """The id of the user who owns it."""
        return os.fstat(self.fileno()).st_uid

    def folder(self, name: str, create: bool = False) -> "Folder":
        """Open a directory in this one; with `create` it is made if missing."""
        if create:
            with suppress(FileExistsError):
                os.mkdir(_entry(name), 0o777, dir_fd=self.fileno())
        return Folder(os.open(_entry(name), _DIRECTORY | os.O_NOFOLLOW, dir_fd=self.fileno()), self.path / name)

    def path_to(self, name: str) -> Path:
        """A path to an entry, for a library that takes no descriptor, to be used at once.

        Where the system has a path for the descriptor itself, as Linux has, it stays valid when the directory is moved;
        elsewhere it is the path of the directory now.
        """
        through = _DESCRIPTORS / str(self.fileno())
        place = through if through.is_dir() else self.locate()
        if place is None:
            raise FileNotFoundError(ENOENT, "its directory was deleted, or cannot be found", str(self._path))
        return place / _entry(name)

    def names(self) -> list[str]:
        """The names of all entries, in no order."""
        return os.listdir(self.fileno())  # noqa: PTH208  (pathlib knows no descriptors)

    def stat(self, name: str) -> os.stat_result:
        """The status of an entry; a link is not followed."""
        return os.stat(_entry(name), dir_fd=self.fileno(), follow_symlinks=False)

    def is_file(self, name: str) -> bool:
        """Whether there is a regular file of that name."""
        try:
            return stat.S_ISREG(self.stat(name).st_mode)
        except FileNotFoundError:
            return False

    def open_to_read(self, name: str) -> BinaryIO:
        """Open a regular file."""
        descriptor = self._open(name, os.O_RDONLY)
        return _checked(descriptor, "rb", self.path / name)

    def open_to_append(self, name: str) -> BinaryIO:
        """Open a regular file that this user owns and that has no other name, made if missing; unbuffered."""
        descriptor = self._open(name, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        return _checked(descriptor, "ab+", self.path / name, own=True)

    def open_new(self, name: str) -> BinaryIO:
        """Make an empty regular file; an existing entry of that name is removed, unless it is a directory."""
        self.remove(name)
        descriptor = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        return os.fdopen(descriptor, "wb")

    def read(self, name: str, limit: int) -> bytes:
        """The content of a regular file; more than `limit` bytes are refused."""
        with self.open_to_read(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise OSError(EINVAL, f"it has more than {limit:,} bytes", str(self.path / name))
        return data

    def replace(self, name: str, data: bytes) -> None:
        """Replace a file's content atomically, or make the file; on an error the old content alone stays."""
        partial = f".{name}.partial"
        try:
            with self.open_new(partial) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self.rename(partial, name)
        except BaseException:
            with suppress(OSError):
                self.remove(partial)
            raise

    def replace_text(self, name: str, text: str) -> None:
        """`replace` with text as UTF-8; surrogate escapes become their bytes, as a path in it need not be UTF-8."""
        self.replace(name, text.encode(errors="surrogateescape"))

    def rename(self, old: str, new: str) -> None:
        """Rename an entry; a file that has the new name is replaced."""
        os.rename(_entry(old), _entry(new), src_dir_fd=self.fileno(), dst_dir_fd=self.fileno())

    def link(self, name: str, target: Path) -> None:
        """Make a symbolic link; raises FileExistsError if an entry has its name."""
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


def _system_path(descriptor: int) -> Path | None:
    """The path of an open directory from the operating system (Linux, macOS); None if it has none."""
    try:
        if hasattr(fcntl, "F_GETPATH"):
            path = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024)).partition(b"\0")[0]
            return Path(os.fsdecode(path))
        return (_DESCRIPTORS / str(descriptor)).readlink()
    except OSError:
        return None


def _entry(name: str) -> str:
    assert name and "/" not in name and name not in (".", ".."), name
    return name


def _checked(descriptor: int, mode: str, path: Path, own: bool = False) -> BinaryIO:
    """A file object for a regular file; `own` also requires that this user owns it and that it has one name only."""
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
