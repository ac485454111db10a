"""Small file systems for the broker's and the database's data, which can be filled to the last byte.

A sparse image on a loop device (ext4), or a tmpfs where there is none.  Needs root; without it there is no such fault, and
the driver says so.
"""
import errno
import os
import subprocess
import tempfile
import time
from pathlib import Path

FIRST_PIECE = 1 << 30
LAST_PIECE = 1 << 12


class Disk:
    def __init__(self, folder, name, size_bytes):
        self.mount = folder / name
        self.ballast = self.mount / "ballast"
        self.mount.mkdir()
        image = folder / f"{name}.img"
        try:
            with open(image, "wb") as file:
                file.truncate(size_bytes)
            # No blocks reserved for root: the broker may be root's.
            _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1", str(image))
            _run("mount", "-o", "loop", str(image), str(self.mount))
            self.kind = "ext4 on a loop device"
        except (OSError, subprocess.CalledProcessError):
            image.unlink(missing_ok=True)
            _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(self.mount))
            self.kind = "tmpfs"
        # PostgreSQL's user must pass, and finds its folder by itself.
        self.mount.chmod(0o755)
        self.data = self.mount / "data"
        self.data.mkdir(mode=0o755)

    def fill(self):
        """Until not a block is free.  Called again, it takes what has become free since."""
        with open(self.ballast, "ab") as file:
            end, piece = file.tell(), FIRST_PIECE
            while piece >= LAST_PIECE:
                try:
                    os.posix_fallocate(file.fileno(), end, piece)
                    end += piece
                except OSError as trouble:
                    if trouble.errno != errno.ENOSPC:
                        raise
                    piece //= 2

    def empty(self):
        self.ballast.unlink(missing_ok=True)

    def destroy(self, limit_s=20):
        deadline = time.monotonic() + limit_s
        while subprocess.run(["umount", str(self.mount)], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline:
                _run("umount", "-l", str(self.mount))
                return
            time.sleep(0.2)


def _run(*words):
    subprocess.run(words, check=True, capture_output=True)


class Disks:
    """One disk a service.  `trouble` says why there are none."""

    def __init__(self, size_bytes):
        self.by_service, self.trouble = {}, None
        # Not below the checkout: its way may be closed to PostgreSQL's user.
        self.folder = Path(tempfile.mkdtemp(prefix="forebay-chaos.", dir="/var/tmp"))
        self.folder.chmod(0o711)
        try:
            for service in ("kafka", "postgres"):
                self.by_service[service] = Disk(self.folder, service, size_bytes)
        except (OSError, subprocess.CalledProcessError) as trouble:
            said = getattr(trouble, "stderr", b"") or b""
            self.trouble = f"{trouble} {said.decode(errors='replace').strip()}"
            for disk in self.by_service.values():
                disk.destroy()
            self.by_service = {}

    def settings(self):
        """For the stack."""
        if not self.by_service:
            return {}
        return {"KAFKA_DATA": str(self.by_service["kafka"].data),
                "POSTGRES_HOME": str(self.by_service["postgres"].data)}

    def destroy(self):
        for disk in self.by_service.values():
            disk.destroy()
        for file in self.folder.glob("*.img"):
            file.unlink()
        for folder in self.folder.iterdir():
            folder.rmdir()
        self.folder.rmdir()
