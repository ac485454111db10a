"""Raw messages, each a pure function of seed, number and the hour they begin with: what it says, and what must become of it.

Devices take turns; a round is a second of event time.  Now and then a message is broken, holds a value that is none,
repeats an earlier one to the byte, comes late, or holds a spike.  A device is silent for a while each few minutes, and a
guest takes its turns: so keys fall asleep and wake up.
"""
import json
import math
import random
import time
from dataclasses import dataclass
from typing import Optional

from support.telemetry import BROKEN

HOUR_S = 3600  # seasons and steps divide it
SEASON, LATE_S = 12, 30
CYCLE, SILENT = 150, 60   # rounds: of each cycle a device is silent for so many
NUMBER = "chaos-number"   # header: tells messages of the same bytes apart


@dataclass(frozen=True)
class Message:
    number: int
    key: bytes
    value: bytes
    device: str
    timestamp_ms: int
    event_us: int = 0
    values: tuple = ()
    reason: Optional[str] = None


def start_before(now_s, total, devices):
    """A full hour, so that the last message is not of the future.

    Nor should they be old: a broker that is killed forgets producers whose last time stamp is a day ago, and with them which
    of our batches it has already.
    """
    return int(now_s) // HOUR_S * HOUR_S - (total // devices // HOUR_S + 1) * HOUR_S


class Stream:
    def __init__(self, seed, total, devices, start_s=None):
        self.seed, self.total, self.devices = seed, total, devices
        self.start_s = start_before(time.time(), total, devices) if start_s is None else start_s

    def __len__(self):
        return self.total

    def __getitem__(self, number):
        chance = random.Random(f"{self.seed}/{number}")
        slot, turn = number % self.devices, number // self.devices
        stamp = self.start_s * 1000 + turn * 1000 + slot * 1000 // self.devices
        fate = chance.random()
        back = chance.randrange(1, 4)
        if fate < 0.02 and turn >= back and self.name(slot, turn) == self.name(slot, turn - back):
            return self._plain(number - back * self.devices, number, stamp)
        return self._plain(number, number, stamp)

    def name(self, slot, turn):
        silent = (turn + slot * 37) % CYCLE >= CYCLE - SILENT
        return f"{'guest' if silent else 'device'}-{slot:05d}"

    def _plain(self, origin, number, stamp):
        """What ORIGIN says, sent as NUMBER."""
        chance = random.Random(f"{self.seed}/{origin}/text")
        slot, turn = origin % self.devices, origin // self.devices
        device = self.name(slot, turn)
        fate = chance.random()
        late = LATE_S if 0.02 <= fate < 0.035 else 0
        event_us = (self.start_s + turn - late) * 10**6
        level = 20 + 5 * math.sin(2 * math.pi * turn / SEASON) + chance.gauss(0, 0.5)
        if (turn // 2 * 31 + slot * 17) % 101 < 2:
            level += 80
        humidity = None if 0.035 <= fate < 0.05 else chance.uniform(40, 60)
        body = {"device": device, "number": origin, "time": event_us // 1000,
                "metrics": {"temperature": level, "humidity": "n/a" if humidity is None else humidity}}
        text = json.dumps(body, separators=(",", ":"))
        if fate < 0.02:
            reason, damage = BROKEN[origin % len(BROKEN)]
            return Message(number, device.encode(), damage(text).encode(), device, stamp, reason=reason)
        return Message(number, device.encode(), text.encode(), device, stamp, event_us,
                       (("temperature", level), ("humidity", humidity)))
