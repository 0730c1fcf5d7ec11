"""A bundle: one file that holds all an agent is, with the same bytes on every machine.

A ZIP archive, stored and not packed, since packers differ. Its first entry is

    META-INF/MANIFEST.MF   canonical JSON: {"command": […], "files": [{"bytes": 12,
        "executable": false, "path": "agent.py", "sha256": "…"}, …], "format":
        "keymoot-bundle/v1", "name": …, "requirements": …, "resources":
        {"cpus": 1, "memory_mib": 512}, "secrets": […], "version": …}

and after it the files, in the order of their paths. The measurement is SHA-384 over the format's
name, a line feed, and that JSON: so of everything an agent starts with, and of no date, owner or
compressor.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256, sha384
from typing import Final, Self

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Measurement
from keymoot.base.strict_json import Json, canonical, parse
from keymoot.image.errors import NoBundle
from keymoot.image.manifest import Described, read_described
from keymoot.image.paths import check_apart, check_path

FORMAT = "keymoot-bundle/v1"
LISTING = "META-INF/MANIFEST.MF"
MAX_BUNDLE_BYTES = 64 << 20
MAX_FILES = 8_192
MAX_LISTING_BYTES = 4 << 20

_FIRST_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that ZIP can say."""

_PLAIN, _EXECUTABLE = 0o100644 << 16, 0o100755 << 16
_UNIX, _ZIP_VERSION = 3, 20


@dataclass(frozen=True, slots=True)
class File:
    """One file of a bundle: its bytes, and whether it may be executed."""

    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """What an agent starts with; `make` and `read` give whole ones.

    Attributes:
        described: What its manifest says of it, as far as that is measured.
        files: Every file by its path, in order.
    """

    described: Described
    files: Mapping[str, File]

    @classmethod
    def make(cls, described: Described, files: Mapping[str, File]) -> Self:
        """Put together what a manifest describes.

        Raises:
            Malformed: a path that is none, or two that are one on some disks.
            NoBundle: no files, too many, too many bytes, or without the requirements named.
        """
        for path in files:
            check_path(path)
        check_apart(sorted(files))
        _check_size(files)
        if described.requirements not in (None, *files):
            raise NoBundle(f"{described.requirements} is not in the bundle: name it in `include`")
        return cls(described, {path: files[path] for path in sorted(files)})

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read a bundle; Malformed unless these are the very bytes that `to_bytes` writes."""
        if len(raw) > MAX_BUNDLE_BYTES:
            raise Malformed(f"a bundle has at most {MAX_BUNDLE_BYTES} bytes, got {len(raw)}")
        entries = _entries(raw)
        listing = entries.pop(LISTING, None)
        if listing is None:
            raise Malformed(f"a bundle has {LISTING}")
        told = parse(listing.content, MAX_LISTING_BYTES)
        if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
            raise Malformed(f"the format is not {FORMAT}", LISTING)
        told.pop("files", None)
        try:
            bundle = cls.make(read_described(told), entries)
        except NoBundle as error:
            raise Malformed(str(error), LISTING) from error
        # One bundle is one string of bytes: so the list says what is there, and nothing stands
        # before, between or behind the entries.
        if bundle.to_bytes() != raw:
            raise Malformed("not as bundles are written: build it anew from its source")
        return bundle

    @property
    def listing(self) -> bytes:
        """The canonical JSON of the first entry."""
        said = self.described.to_json()
        return canonical({"format": FORMAT, **said, "files": _files(self.files)})

    @property
    def measurement(self) -> Measurement:
        return Measurement(sha384(FORMAT.encode() + b"\n" + self.listing).digest())

    def to_bytes(self) -> bytes:
        """Write the archive, which has one form."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_entry(LISTING, executable=False), self.listing)
            for path, file in self.files.items():
                archive.writestr(_entry(path, executable=file.executable), file.content)
        return out.getvalue()


def _files(files: Mapping[str, File]) -> list[Json]:
    return [
        {
            "path": path,
            "bytes": len(file.content),
            "executable": file.executable,
            "sha256": sha256(file.content).hexdigest(),
        }
        for path, file in files.items()
    ]


def _check_size(files: Mapping[str, File]) -> None:
    if not files:
        raise NoBundle("no file would be in the bundle: see `include` in the manifest")
    if len(files) > MAX_FILES:
        raise NoBundle(f"{len(files)} files, at most {MAX_FILES}: name fewer in `include`")
    size = sum(len(file.content) for file in files.values())
    if size > MAX_BUNDLE_BYTES // 2:
        raise NoBundle(
            f"{size} bytes of files, at most {MAX_BUNDLE_BYTES // 2}: let `requirements` pin what "
            "can be installed, and load models from elsewhere, by hash"
        )


def _entry(path: str, *, executable: bool) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _FIRST_DATE)
    entry.compress_type = zipfile.ZIP_STORED
    entry.create_system = _UNIX
    entry.create_version = entry.extract_version = _ZIP_VERSION
    entry.external_attr = _EXECUTABLE if executable else _PLAIN
    return entry


def _entries(raw: bytes) -> dict[str, File]:
    """Read the entries of an archive that claims no more than it holds."""
    files: dict[str, File] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            told = archive.infolist()
            if len(told) > MAX_FILES + 1:
                raise Malformed(f"a bundle has at most {MAX_FILES} files, got {len(told) - 1}")
            for entry in told:
                if entry.filename != LISTING:
                    check_path(entry.filename)
                # Stored: as many bytes as the archive has, whatever it says of their number.
                if entry.compress_type != zipfile.ZIP_STORED:
                    raise Malformed("a packed entry: bundles are stored")
            # Files may lie within each other, and each would be read: a bundle's do not.
            if sum(entry.file_size for entry in told) > len(raw):
                raise Malformed("its files claim more bytes than the bundle has")
            for entry in told:
                if entry.filename in files:
                    raise Malformed("an entry stands there twice")
                files[entry.filename] = File(
                    archive.read(entry), entry.external_attr == _EXECUTABLE
                )
    except Malformed:
        raise
    # The library raises what it likes of strangers' bytes.
    except Exception as error:
        raise Malformed("not a ZIP archive as bundles are") from error
    check_apart(files)
    return files
