"""What the disk did not take: a state with a name, in which one waits, and no defect.

Pure words for the error numbers of POSIX; whoever writes raises `CannotWrite`.
"""

import errno

from keymoot.base.errors import Refused

_FREE = "free some space"
_CAUSES = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk quota is used up", "free some space, or raise the quota"),
    errno.EROFS: (
        "the file system is read-only",
        "mount it writable again; the kernel's log says why it is not",
    ),
    errno.EACCES: ("it is not permitted", "let the user who runs this write there"),
    errno.EPERM: ("it is not permitted", "let the user who runs this write there"),
    errno.EFBIG: ("a file may not grow as large", "raise the limit, see `ulimit -f`"),
    # LMDB gives this number too where the disk took a part and is full then.
    errno.EIO: (
        "the disk took a part of it at most: it is full, or it fails",
        "free some space; where there is enough, the kernel's log tells what fails",
    ),
    errno.ENOENT: ("its folder is gone", "put the folder back"),
    errno.ENOTDIR: ("its folder is gone", "put the folder back"),
    errno.EMFILE: ("too many files are open", "raise the limit, see `ulimit -n`"),
    errno.ENFILE: ("too many files are open", "end what else runs on this machine"),
    errno.ENOMEM: ("the machine is out of memory", "end what else runs on it"),
}
_OTHER = ("the system says error {}", "see what that is, with `errno` or in the kernel's log")


class CannotWrite(Refused, code="STORAGE"):
    """A file could not be written, whole; what stood there before still does.

    `what` is the file, `why` what the disk does, `hint` what to do.
    """

    def __init__(self, what: str, number: int | None, why: str = "", hint: str = "") -> None:
        """Find the words for an error number; `why` and `hint` come before them."""
        known = _CAUSES.get(number or 0, _OTHER)
        self.what, self.number = what, number or 0
        self.why, self.hint = why or known[0].format(self.number), hint or known[1]
        super().__init__(f"{what} cannot be written: {self.why}. To do: {self.hint}")
