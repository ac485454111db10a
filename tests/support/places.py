"""Where things lie: the checkout, the build, the logs that survive a failed run."""
import os
import shutil
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FOREBAY_BUILD_DIR", TOP / "build")).resolve()
SCHEMAS = TOP / "schemas"
CONFIG = TOP / "deploy"

STACK_DIR = TOP / f".stack-test-{os.getpid()}"
LOGS = TOP / f".stack-test-{os.getpid()}-logs"


def program(name):
    """The path of a built program: a worker, or `forebay`."""
    folder = BUILD / ("cli" if name == "forebay" else f"workers/{name}")
    path = folder / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: meson setup {BUILD} && ninja -C {BUILD}")
    return path


def log_folder(*parts):
    """An empty folder for logs, named by module and test."""
    folder = LOGS.joinpath(*parts)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
