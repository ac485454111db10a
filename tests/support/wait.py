"""Waiting for conditions: generous limits, so that a verdict never depends on speed."""
import time


class Late(AssertionError):
    """A condition did not come true in time; says which, and what was seen last."""


def until(condition, what, limit_s=60.0, pause_s=0.1):
    """Call CONDITION until it gives something true, and return that.

    An exception that CONDITION raises as OSError (refused connections while something starts) counts as "not yet".
    """
    deadline = time.monotonic() + limit_s
    while True:
        seen = None
        try:
            seen = condition()
        except OSError as trouble:
            seen, problem = None, trouble
        else:
            problem = None
        if seen:
            return seen
        if time.monotonic() >= deadline:
            last = f"{type(problem).__name__}: {problem}" if problem else repr(seen)
            raise Late(f"{what}: not within {limit_s:g} s (last: {last})")
        time.sleep(pause_s)
