"""Raw messages whose fate is known: what they say, and what must become of them."""
import json
import random
from dataclasses import dataclass
from typing import Optional

START_US = 1_750_000_000_000_000
STEP_US = 1_000_000


@dataclass(frozen=True)
class Sent:
    number: int
    key: bytes
    value: bytes
    device: str
    event_us: int = 0
    values: tuple = ()
    reason: Optional[str] = None


# How a message can be broken: reason, and what is wrong with the good text.
BROKEN = (
    ("JSON_SYNTAX", lambda text: text[:-1]),
    ("TIME_SYNTAX", lambda text: text.replace('"time":', '"time":"yesterday","was":')),
    ("NO_VALUE", lambda text: text.replace('"metrics":', '"none":')),
)


def messages(total, devices=200, broken_each=50, seed=1):
    """TOTAL messages of so many devices in turn; one in BROKEN_EACH is poison, another one holds a bad value.

    The number of the message is in its text, so that it is found again in the topic.
    """
    random_of = random.Random(seed)
    for number in range(total):
        device = f"device-{number % devices:04d}"
        event_us = START_US + number // devices * STEP_US
        temperature, humidity = random_of.gauss(20, 5), random_of.uniform(0, 100)
        bad = number % broken_each == broken_each // 2
        body = {"device": device, "number": number, "time": event_us // 1000,
                "metrics": {"temperature": temperature, "humidity": "n/a" if bad else humidity}}
        text = json.dumps(body, separators=(",", ":"))
        values = (("temperature", temperature), ("humidity", None if bad else humidity))
        if number % broken_each == 7:
            reason, damage = BROKEN[number // broken_each % len(BROKEN)]
            yield Sent(number, device.encode(), damage(text).encode(), device, reason=reason)
        else:
            yield Sent(number, device.encode(), text.encode(), device, event_us, values)
