"""How one workbench server is set up."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the server listens, where it keeps its state, and the limits of what it takes in.

    ``access_token`` is needed wherever others can reach the port; on a loopback address ``None`` means that a
    one-time login address is printed instead. ``registry`` is a database URL (``None``: a SQLite file in
    ``data_dir``).
    ``extra_hosts`` are further names by which the server is reached.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8765
    registry: str | None = None
    access_token: str | None = None
    reader: str = "reader"
    slide_dirs: tuple[Path, ...] = ()
    max_body_bytes: int = 2 * MIB
    max_regions_bytes: int = 20 * MIB
    max_report_bytes: int = 20 * MIB
    max_slide_bytes: int = 8192 * MIB
    session_hours: float = 12.0
    extra_hosts: tuple[str, ...] = field(default=())

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """Names a request may be addressed to: stops a foreign site whose name is pointed at this machine."""
        names = {"127.0.0.1", "localhost", "[::1]", *self.extra_hosts}
        if is_unspecified(self.host):
            names |= {socket.gethostname(), socket.getfqdn()}
        else:
            names.add(f"[{self.host}]" if ":" in self.host else self.host)
        return frozenset(name.lower() for name in names)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_unspecified(host: str) -> bool:
    """Whether ``host`` means every address of this machine (``0.0.0.0``, ``::``)."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
