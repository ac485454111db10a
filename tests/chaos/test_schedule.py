"""The schedule is a function of its arguments, and holds what it promises."""
import pytest

from chaos import messages, schedule


def test_the_same_seed_gives_the_same_schedule():
    assert schedule.plan(7, 200) == schedule.plan(7, 200)
    assert schedule.plan(7, 200) != schedule.plan(8, 200)


def test_known_by_heart():
    """Another Python or another order of the table would make old seeds mean something else: then this fails."""
    first = schedule.plan(1, 3, only=("kill", "zombie", "kill-broker"))
    assert [f.kind for f in first] == HEART


HEART = ["kill-broker", "kill", "zombie"]


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_at_least_once(seed):
    made = schedule.plan(seed, len(schedule.KINDS))
    assert {f.kind for f in made} == set(schedule.KINDS)
    assert {f.kind for f in schedule.plan(seed, 100)} == set(schedule.KINDS)
    assert len(schedule.plan(seed, 100)) == 100 and len(schedule.plan(seed, 3)) == 3


def test_victims_are_those_that_can_be_hit():
    for fault in schedule.plan(3, 2000, instances=3):
        kind = schedule.KINDS[fault.kind]
        assert fault.victim in schedule.victims(kind, 3)
        if kind.victim == "proxied":
            assert schedule.proxied(fault.victim)
        if kind.victim == "clocked":
            assert not schedule.proxied(fault.victim)
        assert 0 <= fault.hold_s <= schedule.BEYOND_S[1]
    assert schedule.proxied_victims(schedule.plan(3, 2000)) == sorted(f"{n}-1" for n in schedule.WORKERS)


def test_zombies_outlive_their_time_outs():
    for fault in schedule.plan(4, 500, only=("zombie", "twin")):
        assert fault.hold_s * 1000 > max(schedule.SESSION_MS, schedule.TRANSACTION_MS)


def test_what_faults_need():
    rolling, kill, scale = (schedule.plan(1, 1, only=(name,))[0] for name in ("rolling", "kill", "scale"))
    assert schedule.resources(kill, 2) < schedule.resources(rolling, 2)
    assert not schedule.resources(scale, 2) & schedule.resources(rolling, 2)


def test_messages_are_a_function_of_seed_and_number():
    a, b = (messages.Stream(1, 4000, 50, 0) for _ in range(2))
    assert [a[n] for n in range(4000)] == [b[n] for n in reversed(range(4000))][::-1]
    assert a[17] != messages.Stream(2, 4000, 50, 0)[17]


def test_messages_are_neither_old_nor_of_the_future():
    now = 1_800_000_123
    for total in (100, 40000, 10000000):
        start = messages.start_before(now, total, 1000)
        last = messages.Stream(1, total, 1000, start)[total - 1]
        assert start % 3600 == 0 and last.timestamp_ms <= now * 1000 and now - start < 6 * 3600


def test_messages_hold_what_they_promise():
    stream = messages.Stream(1, 20000, 50)
    everything = [stream[n] for n in range(20000)]
    reasons = {m.reason for m in everything}
    assert reasons == {None, *(reason for reason, _ in messages.BROKEN)}
    values = [m.value for m in everything]
    assert 100 < len(values) - len(set(values)) < 2000, "exact repetitions"
    latest, late = {}, 0
    for m in everything:
        if m.reason is None:
            late += m.event_us < latest.get(m.device, 0) - messages.LATE_S * 10**6 // 2
            latest[m.device] = max(latest.get(m.device, 0), m.event_us)
    assert late > 50
    assert all(a.timestamp_ms <= b.timestamp_ms for a, b in zip(everything, everything[1:]))
    assert all(m.key.decode() == m.device for m in everything)
