"""What real data sets must become, told again in Python from the sets' own descriptions: the oracle of test_real_data.

A line of a file is published as a flat object of texts.  Here each line is given its fate: a reading (device, event
time in microseconds, values), or the reason of its dead letter.  Nothing of the product is used.
"""
import csv
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Optional

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
YEAR_2000_US = 946684800 * 10**6
DAY_US = 86400 * 10**6
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Value:
    metric: str
    value: Optional[float]
    quality: str = "good"
    text: Optional[str] = None


@dataclass(frozen=True)
class Fate:
    said: tuple                    # the object's own members, sorted: recognises its dead letter
    device: Optional[str] = None
    event_us: int = 0
    values: tuple = ()
    reason: Optional[str] = None


def micros(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


def measure(metric, text, scale=1, lowest=None, highest=None, sentinel=None, comma=False):
    """A text as a value in the map's unit, or null with its quality."""
    bare = text.strip(" \t")
    if bare == "":
        return Value(metric, None, "null", text)
    plain = bare.replace(",", ".") if comma and "." not in bare else bare
    if not NUMBER.fullmatch(plain):
        special = plain.lower().lstrip("+-") in ("nan", "inf", "infinity")
        return Value(metric, None, "not_finite" if special else "not_a_number", text)
    number = float(plain)
    if not isfinite(number):
        return Value(metric, None, "not_finite", text)
    result = number / scale
    if (sentinel is not None and number == sentinel) or (lowest is not None and result < lowest) or \
       (highest is not None and result > highest):
        return Value(metric, None, "out_of_range", text)
    return Value(metric, result)


def epoch(text, unit_us):
    """Microseconds, or the reason why not."""
    try:
        us = Decimal(text.strip()) * unit_us
    except InvalidOperation:
        return "TIME_MISSING" if text.strip(" \t") == "" else "TIME_SYNTAX"
    return int(us.to_integral_value("ROUND_FLOOR"))


def iso(text, zone_hours=0):
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return "TIME_SYNTAX"
    return micros(moment.replace(tzinfo=timezone(timedelta(hours=zone_hours))))


def judge(said, device, event_us, values):
    """The order of the router's questions: device, time, values."""
    if device is None:
        return Fate(said, reason="DEVICE_MISSING")
    if isinstance(event_us, str):
        return Fate(said, reason=event_us)
    if event_us < YEAR_2000_US or event_us > time.time() * 1e6 + DAY_US:
        return Fate(said, reason="TIME_RANGE")
    if not any(v.quality == "good" for v in values):
        return Fate(said, reason="NO_VALUE")
    return Fate(said, device, event_us, tuple(values))


def said(columns, fields):
    return tuple(sorted(zip(columns, fields)))


def malformed(line):
    """A line that does not fit its columns is published as it stands."""
    return Fate((("_line", line),), reason="DEVICE_MISSING")


# ---- the sets ----

def matrix(rows, devices_are_rows, metric, start, step_s, names=None):
    """Intel lab: numbers without names or times."""
    begin = micros(datetime.fromisoformat(start).replace(tzinfo=timezone.utc))
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            d, t = (r, c) if devices_are_rows else (c, r)
            mote = names[d] if names else str(d + 1)
            us = begin + t * step_s * 10**6
            stamp = (EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            yield judge(tuple(sorted({"mote": mote, "time": stamp, metric: text}.items())), f"intel-{mote}", us,
                        [measure(metric, text)])


ULB_COLUMNS = ("time", "node", "sequence", "temperature_internal", "voltage", "humidity", "temperature", "par", "tsr")


def ulb(lines):
    for line in lines:
        fields = line.split()
        if not fields:
            continue
        if len(fields) != len(ULB_COLUMNS):
            yield malformed(line)
            continue
        f = dict(zip(ULB_COLUMNS, fields))
        values = [measure(name, f[name], comma=True) for name in ("temperature_internal", "voltage", "humidity")]
        values.append(measure("temperature", f["temperature"], comma=True, sentinel=-39.6))
        values += [measure("light_par", f["par"], comma=True), measure("light_tsr", f["tsr"], comma=True)]
        yield judge(said(ULB_COLUMNS, fields), f"ulb-{f['node']}", epoch(f["time"], 1000), values)


HAST_COLUMNS = ("Node", "Message", "Time", "Battery V", "Last TX Dur ms", "Temp C", "Hum %", "Status")


def hundredths(battery, duration, temperature, humidity):
    return [measure("battery", battery, 100, 1, 10), measure("tx_duration", duration, 100),
            measure("temperature", temperature, 100, -60, 100),
            measure("humidity", humidity, 100, 0, 105, sentinel=65535)]


def hast(lines):
    for line in lines:
        fields = [field.strip(" \t") for field in line.split(",")]
        if line.strip() == "":
            continue
        if len(fields) != len(HAST_COLUMNS):
            yield malformed(line)
            continue
        f = dict(zip(HAST_COLUMNS, fields))
        yield judge(said(HAST_COLUMNS, fields), f"lora-{f['Node']}", epoch(f["Time"], 10**6),
                    hundredths(f["Battery V"], f["Last TX Dur ms"], f["Temp C"], f["Hum %"]))


GATEWAY_COLUMNS = ("arrival", "data")


def between(text, after, until):
    _, found, rest = text.partition(after)
    return rest.partition(until)[0] if found else None


def gateway(lines):
    for fields in csv.reader(lines):
        if len(fields) != 2:
            yield malformed(",".join(fields))
            continue
        arrival, data = fields
        values = hundredths(between(data, "Vbat ", " v"), between(data, "Tx dur ", " ms"), between(data, ", T: ", " C"),
                            between(data, "RH: ", " %"))
        values += [measure("rssi", between(data, "RSSI ", " dBm")), measure("snr", between(data, "SNR ", " dB"))]
        node = between(data, "node: ", ",")
        yield judge(said(GATEWAY_COLUMNS, fields), f"lora-{node}", epoch(arrival, 10**6), values)


def table(lines, time_column, value_column, device, metric, zone_hours=0):
    """A CSV file with a header: NAB, PJM."""
    rows = csv.reader(lines)
    columns = tuple(next(rows))
    for fields in rows:
        if not fields:
            continue
        f = dict(zip(columns, fields))
        yield judge(said(columns, fields), device, iso(f[time_column], zone_hours), [measure(metric, f[value_column])])
