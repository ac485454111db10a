import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS, TESTS / "system"):
    sys.path.insert(0, str(folder))
