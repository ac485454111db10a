"""benchmarks/run: ask the questions named and print the answers."""
import argparse
import importlib
import json
import sys

import common

QUESTIONS = ("router", "sink", "latency", "footprint", "state", "recovery", "growth", "inference", "ondemand", "training", "accuracy",
             "young", "detector", "forest", "nab", "anomalies", "false_alarms")


def show(name, value, indent=0):
    pad = "  " * indent
    if isinstance(value, dict):
        print(f"{pad}{name}")
        for key, inner in value.items():
            show(key, inner, indent + 1)
    else:
        print(f"{pad}{name}: {value:,.2f}" if isinstance(value, float) else f"{pad}{name}: {value}")


def main():
    options = argparse.ArgumentParser(prog="benchmarks/run")
    options.add_argument("names", nargs="*", metavar="NAME", help=" ".join(QUESTIONS))
    options.add_argument("--records", type=int, default=1_000_000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    unknown = [n for n in given.names if n not in QUESTIONS]
    if unknown:
        options.error(f"no benchmark {unknown[0]}: {' '.join(QUESTIONS)}")
    common.build()
    answers = {"machine": common.machine()}
    try:
        for name in given.names or QUESTIONS:
            question = importlib.import_module(name)
            common.say(question.__doc__.strip().splitlines()[0])
            answers[name] = question.run(given.records)
    except BaseException:
        common.say(f"failed; what was left is in {common.STACK}")
        if common.STACK.exists():
            common.stack("stop")
        raise
    common.finish()
    if given.json:
        json.dump(answers, sys.stdout)
        print()
    else:
        for name, answer in answers.items():
            show(name, answer)


main()
