"""How many alerts are false where nothing but chance is at work, and is the right column blamed?

False alarms (false_alarms.c): stationary made-up streams with rare planted anomalies; of the alerts that open, the share that is not one
of these, against the nominal share of alert.fdr.level.  Attribution (attribution.c): made-up devices of eight columns that hang together,
single values of single columns planted; of those that are told, the share with the right column first.

Environment: FOREBAY_FALSE_ALARMS_RECORDS (10,000,000), FOREBAY_ATTRIBUTION_DEVICES (50).
"""
import json
import os

import common

RECORDS = int(os.environ.get("FOREBAY_FALSE_ALARMS_RECORDS", "10000000"))
DEVICES = int(os.environ.get("FOREBAY_ATTRIBUTION_DEVICES", "50"))


def told(program, *words):
    return json.loads(common.timed([common.BUILD / "benchmarks" / program, *words], dict(os.environ))[2])


def shares(counts):
    """Of each size, and of all: told of planted, right of told."""
    total = {k: sum(c[k] for c in counts.values()) for k in ("planted", "told", "right")}
    named = {f"{size} deviations": c for size, c in counts.items()} | {"all sizes": total}
    return {name: "%d of %d told, right column first in %.1f %%" % (c["told"], c["planted"], 100 * c["right"] / max(c["told"], 1))
            for name, c in named.items()}


def run(_records):
    attribution = told("attribution", DEVICES)
    return {"false alarms": told("false_alarms", RECORDS),
            "attribution, rows as such": shares(attribution["rows"]),
            "attribution, forebay detect": shares(attribution["detect"])}
