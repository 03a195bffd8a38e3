"""An authority of one's own, and certificates that it issues."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path

import trustme

Files = tuple[Path, Path]
"""A certificate chain and its key, as PEM."""


class Authority:
    """`file` is its own certificate."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, *names: str, expires: datetime.datetime | None = None) -> Files:
        """A certificate for those names and addresses."""
        made = self._ca.issue_cert(*names, not_after=expires)
        chain, key = self._folder / f"{names[0]}-chain.pem", self._folder / f"{names[0]}-key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(key))
        return chain, key

    def be_believed_by_browsers_of(self, home: Path) -> None:
        """Chromium takes authorities from the NSS database in its user's home."""
        store = home / ".pki" / "nssdb"
        store.mkdir(parents=True)
        for task in (["-N", "--empty-password"], ["-A", "-n", "own", "-t", "C,,", "-i", str(self.file)]):
            subprocess.run(["certutil", *task, "-d", f"sql:{store}"], check=True, capture_output=True)
