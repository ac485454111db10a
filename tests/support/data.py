"""The real data sets: a folder beside the checkout, not part of it (FOREBAY_TEST_DATA; default ../shared/data)."""
import gzip
import os
from pathlib import Path

import pytest

from support import places


def folder():
    found = Path(os.environ.get("FOREBAY_TEST_DATA", places.TOP.parent / "shared/data")).resolve()
    if not found.is_dir():
        pytest.skip(f"NO REAL DATA in {found}: set FOREBAY_TEST_DATA to the folder of the data sets",
                    allow_module_level=True)
    return found


def lines(path):
    """The lines of a file, unpacked if need be, without their ends; bytes, as a file of the field may hold anything."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as file:
        for line in file:
            yield line.rstrip(b"\r\n")
