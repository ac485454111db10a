"""The checker checked: each kind of damage, planted alone into a clean set, is found and named; a clean set passes."""
from dataclasses import replace

import pytest

import checker
from checker import Input, Letter, Record, Row

RAW, READINGS, DLQ = "telemetry.raw", "telemetry.readings", "telemetry.raw.dlq"


class Line:
    """Three devices on two partitions, 20 messages each, every tenth broken; all delivered as it should be."""

    def __init__(self):
        self.inputs, self.records, self.rows, self.letters = [], [], [], []
        offset, dead = [0, 0], [0, 0]
        for n in range(60):
            device, partition = f"d{n % 3}", n % 3 % 2
            place = (RAW, partition, n)
            if n % 10 == 9:
                self.inputs.append(Input(place, device, reason="JSON_SYNTAX", payload=b"{%d" % n))
                self.letters.append(Letter((DLQ, partition, dead[partition]), place, "JSON_SYNTAX", b"{%d" % n))
                dead[partition] += 1
                continue
            values = (("temperature", n / 7), ("humidity", None if n % 4 == 0 else 0.1 + n))
            self.inputs.append(Input(place, device, 1000 * n, values))
            at = (READINGS, partition, offset[partition])
            self.records.append(Record(at, device, 1000 * n, values))
            self.rows += [Row(device, metric, 1000 * n, value, at) for metric, value in values]
            offset[partition] += 1 + (n % 5 == 0)  # the markers of transactions take offsets

    def found(self):
        return {(f.kind, f.where) for f in checker.check(self.inputs, self.records, self.rows, self.letters)}


def lost_record(line):
    del line.records[20]


def lost_device(line):
    line.records = [r for r in line.records if r.device != "d1"]


def lost_row(line):
    del line.rows[7]


def lost_letter(line):
    del line.letters[2]


def duplicated_record(line):
    line.records.append(replace(line.records[5], place=(READINGS, line.records[5].place[1], 900)))


def duplicated_row(line):
    line.rows.append(line.rows[3])


def duplicated_letter(line):
    line.letters.append(replace(line.letters[0], place=(DLQ, 0, 900)))


def disorder(line):
    first, second = [r for r in line.records if r.device == "d2"][4:6]
    line.records.remove(first)
    line.records.remove(second)
    line.records += [replace(first, place=second.place), replace(second, place=first.place)]
    swap = {first.place: second.place, second.place: first.place}
    line.rows = [replace(row, origin=swap.get(row.origin, row.origin)) for row in line.rows]


def disorder_with_loss(line):
    disorder(line)
    line.records = [r for r in line.records if not (r.device == "d2" and r.event_us < 6000)]
    line.rows = [r for r in line.rows if not (r.device == "d2" and r.event_us < 6000)]


def foreign_record(line):
    line.records.append(Record((READINGS, 1, 901), "stranger", 5, (("temperature", 1.0),)))


def foreign_row(line):
    line.rows.append(replace(line.rows[0], device="stranger"))


def foreign_letter(line):
    line.letters.append(Letter((DLQ, 0, 902), (RAW, 0, 9999), "JSON_SYNTAX", b""))


def both_record_and_letter(line):
    line.letters.append(Letter((DLQ, 0, 903), line.inputs[0].place, "JSON_SYNTAX", b""))


def wrong_value_in_topic(line):
    last_bit = (("temperature", 3 / 7 + 5e-17), ("humidity", 3.1))
    assert last_bit[0][1] != 3 / 7
    line.records[3] = replace(line.records[3], values=last_bit)
    line.rows = [replace(r, value=last_bit[0][1]) if r.event_us == 3000 and r.metric == "temperature" else r
                 for r in line.rows]


def wrong_value_in_table(line):
    line.rows[2] = replace(line.rows[2], value=-0.0)


def null_became_zero(line):
    place = next(i for i, row in enumerate(line.rows) if row.value is None)
    line.rows[place] = replace(line.rows[place], value=0.0)


def aborted_read(line):
    """A row whose record was rolled back and written again elsewhere: same values, but the place it names is void."""
    line.rows[10] = replace(line.rows[10], origin=(READINGS, 0, 7777))


def wrong_reason(line):
    line.letters[1] = replace(line.letters[1], reason="NO_VALUE")


def wrong_bytes(line):
    line.letters[1] = replace(line.letters[1], payload=b"{")


TOPIC, TABLE, LETTERS, ACCOUNT = "telemetry.readings", "the table", "the dead letters", "the account"

DAMAGES = [
    (lost_record, {("lost", TOPIC)}),
    (lost_device, {("lost", TOPIC)}),
    (lost_row, {("lost", TABLE)}),
    (lost_letter, {("lost", LETTERS)}),
    (duplicated_record, {("duplicated", TOPIC)}),
    (duplicated_row, {("duplicated", TABLE)}),
    (duplicated_letter, {("duplicated", LETTERS)}),
    (disorder, {("disorder", TOPIC)}),
    (disorder_with_loss, {("disorder", TOPIC), ("lost", TOPIC), ("lost", TABLE)}),
    (foreign_record, {("foreign", TOPIC)}),
    (foreign_row, {("foreign", TABLE)}),
    (foreign_letter, {("foreign", LETTERS)}),
    (both_record_and_letter, {("foreign", LETTERS)}),
    (wrong_value_in_topic, {("wrong value", TOPIC), ("wrong value", TABLE)}),
    (wrong_value_in_table, {("wrong value", TABLE)}),
    (null_became_zero, {("wrong value", TABLE)}),
    (aborted_read, {("aborted read", TABLE)}),
    (wrong_reason, {("wrong reason", LETTERS)}),
    (wrong_bytes, {("wrong bytes", LETTERS)}),
]


def test_a_clean_set_passes():
    assert Line().found() == set()


@pytest.mark.parametrize("damage, expected", DAMAGES, ids=[d.__name__ for d, _ in DAMAGES])
def test_damage_is_found(damage, expected):
    line = Line()
    damage(line)
    found = line.found()
    assert expected <= found
    # What follows from it may be said too (the account, rows without their record), but nothing else.
    assert {kind for kind, _ in found} <= {kind for kind, _ in expected} | {"lost", "duplicated", "aborted read"}


def test_the_first_of_two_readings_of_one_time_wins():
    line = Line()
    line.inputs.append(replace(line.inputs[0], place=(RAW, 0, 5000), values=(("temperature", 99.0),)))
    line.records.append(replace(line.records[0], place=(READINGS, 0, 5000), values=(("temperature", 99.0),)))
    assert line.found() == set()


def test_inputs_survive_a_file(tmp_path):
    line = Line()
    checker.save(tmp_path / "inputs.jsonl", line.inputs)
    assert list(checker.load(tmp_path / "inputs.jsonl")) == line.inputs


def test_the_report_counts_and_names():
    line = Line()
    lost_device(line)
    text = checker.report(checker.check(line.inputs, line.records, line.rows, line.letters))
    assert "x lost in telemetry.readings" in text and "d1 at" in text and "more" in text
    assert checker.report([]) == "nothing lost, nothing twice, all in order"
