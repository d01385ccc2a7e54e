"""Pseudonyms: the registry knows a case by a name that says nothing; the key to it lies in another file.

A pseudonym is a keyed hash (HMAC-SHA-256) of the case's own id with a secret that only the key file holds, written
as ``K-`` and twelve characters. The same id always gives the same pseudonym, so a case entered twice is noticed, and
without the key file nobody can try ids until one fits. The key file lists which id became which pseudonym, is read
by its owner only (mode 0600), and grows by whole lines: two programs may write it at once.

Lose the key file and the way back to the patient is lost; keep it apart from the registry and from its backups.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from kulchitsky.case.errors import RefusedRegistry

ENVIRONMENT = "KULCHITSKY_KEY_FILE"
_FORMAT = "kulchitsky pseudonym key, version 1"
_CHARACTERS = 12  # 60 bits: among a million cases two meet with a probability below one in a million


def default_key_file() -> Path:
    """Return where the key file is: the environment's word, else a file in the user's configuration folder."""
    named = os.environ.get(ENVIRONMENT)
    return Path(named) if named else Path(platformdirs.user_config_dir("kulchitsky")) / "pseudonyms.key"


class KeyFile:
    """The secret and the list of pseudonyms of one key file; made with a fresh secret where there is none."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path) if path is not None else default_key_file()
        self._secret = self._load_or_make()
        self._names = self._read_names()

    def pseudonym(self, own_id: str) -> str:
        """Return the pseudonym of an id; nothing is written."""
        hashed = hmac.new(self._secret, own_id.encode("utf-8"), hashlib.sha256).digest()
        return "K-" + base64.b32encode(hashed).decode("ascii")[:_CHARACTERS]

    def record(self, own_ids: Iterable[str]) -> list[str]:
        """Return the pseudonyms of ids and write down which is which, before any case is stored under them."""
        ids = list(own_ids)
        made = [self.pseudonym(own_id) for own_id in ids]
        fresh = {name: own_id for name, own_id in zip(made, ids, strict=True) if name not in self._names}
        if fresh:
            lines = "".join(
                json.dumps({"pseudonym": n, "id": i}, ensure_ascii=False) + "\n" for n, i in fresh.items()
            )
            self._append(lines.encode("utf-8"))
            self._names |= fresh
        return made

    def own_id(self, pseudonym: str) -> str | None:
        """Return the id behind a pseudonym, or ``None`` where this key file does not know it."""
        return self._names.get(pseudonym)

    def _load_or_make(self) -> bytes:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._refused(
                f"cannot be opened ({error.strerror})", "choose another path with --key-file"
            ) from None
        with os.fdopen(handle, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise self._refused("can be read by others", f"run chmod 600 {self.path}")
            first = file.readline()
            if first:
                return self._secret_of(first)
            secret = secrets.token_bytes(32)
            file.write(json.dumps({"format": _FORMAT, "secret": secret.hex()}).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
            return secret

    def _secret_of(self, line: bytes) -> bytes:
        try:
            head = json.loads(line)
            if head["format"] != _FORMAT:
                raise ValueError
            return bytes.fromhex(head["secret"])
        except (ValueError, KeyError, TypeError):
            raise self._refused("is no key file of this version", "give the right path with --key-file") from None

    def _read_names(self) -> dict[str, str]:
        names: dict[str, str] = {}
        lines = self.path.read_bytes().split(b"\n")
        # a program killed while writing leaves a line without its end: it was never acknowledged, so it is skipped
        for number, line in enumerate(lines[1:-1], start=2):
            if not line:
                continue
            try:
                entry = json.loads(line)
                names[entry["pseudonym"]] = entry["id"]
            except (ValueError, KeyError, TypeError):
                raise self._refused(f"line {number} is damaged", "restore it from a backup") from None
        return names

    def _append(self, lines: bytes) -> None:
        with open(self.path, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END)
            file.seek(end - 1)
            if file.read(1) != b"\n":  # an unfinished line of a killed program: cut it off
                file.seek(0)
                end = file.read().rindex(b"\n") + 1
                file.truncate(end)
            file.seek(end)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def _refused(self, problem: str, remedy: str) -> RefusedRegistry:
        return RefusedRegistry(problem, source=str(self.path), remedy=remedy)
