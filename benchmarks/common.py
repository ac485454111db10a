"""What the benchmarks share: a stack of their own, programs run and measured, results printed one way."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("FOREBAY_BUILD_DIR", TOP / "build-bench"))
STACK = TOP / ".stack-bench"
WORKERS = ("ingest-router", "etl-preprocessor", "batch-forecaster", "realtime-scorer", "sink-writer")


def say(text):
    print(text, file=sys.stderr, flush=True)


def build():
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", BUILD, "--buildtype=release", "-Dbenchmarks=true", "-Dtests=false"], cwd=TOP, check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD], check=True, stdout=subprocess.DEVNULL)


def environment():
    env = dict(os.environ)
    for line in (STACK / "env").read_text().splitlines():
        name, _, value = line.partition("=")
        env[name] = value.strip("'\"")
    return env


def stack(*words):
    subprocess.run([TOP / "deploy/local/stack", "--dir", STACK, *words], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def fresh_stack(partitions):
    """A new, empty stack with topics and tables."""
    if STACK.exists():
        stack("wipe")
    stack("start")
    env = environment()
    for words in (["topics", "apply", "--topics", TOP / "deploy/topics.properties", "--partitions", str(partitions)],
                  ["db", "migrate", "--migrations", TOP / "deploy/migrations"]):
        subprocess.run([BUILD / "cli/forebay", *words], env=env, check=True, stdout=subprocess.DEVNULL)
    return env


def worker_command(name, *flags):
    return [str(BUILD / "workers" / name / name), "--schema.dir", str(TOP / "schemas"), "--log.level", "warn", *flags]


def spawn(command, env, log):
    return subprocess.Popen(command, env=env, stdout=open(log, "w"), stderr=subprocess.STDOUT)


def timed(command, env):
    """Run to the end: (wall seconds, CPU seconds of the process, standard output)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run([str(c) for c in command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wall = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def cpu_of(pid):
    """CPU seconds of a process and its children that have ended."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return sum(int(f) for f in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def precise_cpu_of(pid):
    """CPU seconds of all threads of a process, of its children none, by its clock (clock_getcpuclockid(3)): no ticks."""
    return time.clock_gettime(~pid << 3 | 2)


def postgres_cpu():
    """CPU seconds of all processes of the stack's PostgreSQL."""
    main = int((STACK / "postgres/pid").read_text().split()[0])
    total = cpu_of(main)
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(fields[1]) == main:
                total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError):
            pass
    return total


def machine():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    return f"{os.cpu_count()} x {model}"


def finish():
    if STACK.exists():
        stack("wipe")
    shutil.rmtree(STACK, ignore_errors=True)
