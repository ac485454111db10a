"""The driver: python3 -m chaos [options]; see --help."""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS, TESTS / "system"):
    sys.path.insert(0, str(folder))

import checker  # noqa: E402
from chaos import messages, oracle, schedule, verify, witness  # noqa: E402
from chaos.ground import Ground  # noqa: E402
from chaos.run import Runner  # noqa: E402
from support import places  # noqa: E402
from support.avro import Schemas  # noqa: E402
from support.fleet import WORKERS, await_quiet  # noqa: E402
from support.wait import Late  # noqa: E402

BEGIN = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - BEGIN:7.1f}] {text}", flush=True)


def options():
    parser = argparse.ArgumentParser(
        prog="tests/run chaos", formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        description="Faults on the real line while messages flow; then everything that came out is compared with an "
                    "undisturbed run over the same messages. Exit code 0: the same, 1: it is not, 2: no verdict.")
    number = lambda least: lambda text: max(least, int(text))
    parser.add_argument("--seed", type=int, default=1, help="of messages, schedule, victims and lengths")
    parser.add_argument("--faults", type=number(0), default=len(schedule.KINDS) + 1,
                        help="how many; every kind is there if they are enough")
    parser.add_argument("--records", type=number(100), default=40000, help="raw messages")
    parser.add_argument("--devices", type=int, default=0,
                        help="that send at the same time; 0: 120, or so many that none sends more than 3000 messages")
    parser.add_argument("--partitions", type=number(1), default=4, help="of every topic")
    parser.add_argument("--instances", type=number(2), default=2, help="of every worker")
    parser.add_argument("--only", action="append", default=[], choices=sorted(schedule.KINDS), metavar="KIND",
                        help="these kinds of faults; may be given several times")
    parser.add_argument("--decode-most", type=int, default=verify.DECODED_MOST,
                        help="more messages than this: values and tables are compared for a sample of the devices")
    parser.add_argument("--quiet-limit", type=int, default=600, help="seconds to work off what is left after the last fault")
    parser.add_argument("--keep", action="store_true", help="keep the logs when all is well, too")
    parser.add_argument("--kinds", action="store_true", help="list the kinds of faults, and leave")
    parser.add_argument("--schedule", action="store_true", help="print the schedule, and leave")
    words = parser.parse_args()
    words.devices = words.devices or max(120, words.records // 3000)
    return words


def repeat(words):
    parts = [f"--seed {words.seed}", f"--faults {words.faults}", f"--records {words.records}",
             f"--devices {words.devices}", f"--partitions {words.partitions}", f"--instances {words.instances}",
             *(f"--only {kind}" for kind in words.only)]
    return "./tests/run chaos " + " ".join(parts)


class Watching:
    """The witness's process."""

    def __init__(self, ground):
        folder = ground.folder / "witness"
        folder.mkdir()
        self.log = ground.logs / "witness.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([sys.executable, witness.__file__, ground.stack.bootstrap, str(folder),
                                             *verify.WITNESSED], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def finish(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(120):
            raise oracle.Failed(f"the witness did not see the end: {self.log}")

    def destroy(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def trouble_and_verdict(ground, plan, stream, words):
    """Everything between a standing line and the list of findings."""
    watching = Watching(ground)
    try:
        run = Runner(ground, plan, stream, say)
        verdict = verify.Verdict(ground, run, stream, words)
        run.run()
        try:
            await_quiet(ground.broker, ground.fleet, WORKERS, limit_s=words.quiet_limit)
            say("all of it has gone through; no transaction is open")
        except Late as late:
            ground.findings.append(f"after the last fault the line does not come to rest: {late}")
        ground.fleet.stop_keeping()
        last = {worker.instance: ground.leave(worker) for worker in ground.fleet.workers.values()
                if worker.running()}
        watching.finish()
    finally:
        watching.destroy()
    verdict.exits(last)
    verdict.raw()
    oracle.undisturbed(ground)
    if ground.stateful:
        oracle.follow(ground)
        verdict.followed = True
    verdict.topics()
    verdict.values()
    say(f"witness: {verdict.witnessed} records as they were polled")
    return run, verdict.findings


def summary(run, plan, findings, ground, words):
    print()
    for text in ground.remarks:
        say(f"remark: {text}")
    by_kind = Counter(f.kind for f in run.done)
    for kind in (schedule.KINDS if not words.only else words.only):
        print(f"  {by_kind[kind]:4d} x {kind:20s} {schedule.KINDS[kind].what}")
    print(f"{len(run.done)} faults of {len(by_kind)} kinds" + (f", {len(run.skipped)} SKIPPED" if run.skipped else "") +
          f"; {words.records} messages; seed {words.seed}; {time.monotonic() - BEGIN:.0f} s")
    print(checker.report(findings, 40))


def main():
    words = options()
    plan = schedule.plan(words.seed, words.faults, words.instances, words.only)
    if words.kinds:
        print("\n".join(f"{kind.name:20s} {kind.what}" for kind in schedule.KINDS.values()))
        return 0
    if words.schedule:
        print("\n".join(f"{fault}, {'at once' if fault.overlaps else 'alone'}" for fault in plan))
        return 0
    words.schemas = Schemas()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    folder = places.TOP / f".stack-chaos-{os.getpid()}"
    folder.mkdir()
    stream = messages.Stream(words.seed, words.records, words.devices)
    say(f"seed {words.seed}: {len(plan)} faults, {words.records} messages; logs in {folder}/logs")
    ground, code = None, 2
    try:
        ground = Ground(folder, plan, words, say)
        if not ground.stateful:
            say("NOT STATEFUL: this build's workers lose their states; series, forecasts, scores, alerts are not compared")
        say("disks: " + (", ".join(f"{s}: {d.kind}" for s, d in ground.disks.by_service.items()) or
                         f"NONE: {ground.disks.trouble}"))
        ground.start()
        say(f"the line stands: {len(ground.fleet.workers)} workers, {ground.partitions} partitions")
        run, findings = trouble_and_verdict(ground, plan, stream, words)
        summary(run, plan, findings, ground, words)
        code = 1 if findings else 0
    except Exception as trouble:  # whatever it is: it is no verdict, and it is told in one place
        import traceback
        traceback.print_exc()
        say(f"NO VERDICT: {type(trouble).__name__}: {trouble}")
    finally:
        if ground:
            ground.destroy()
        if code == 0 and not words.keep:
            shutil.rmtree(folder)
        else:
            print(f"logs: {folder}/logs", flush=True)
    if code:
        print(f"repeat: {repeat(words)}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
