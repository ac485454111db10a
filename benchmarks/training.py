"""How long does a training take, and what share of the processor's arithmetic is it?"""
import re

import common


def run(_records):
    answer = {}
    for kernel in ("avx512", "avx2", "portable"):
        try:
            text = common.timed([common.BUILD / "benchmarks/training", kernel], None)[2]
        except SystemExit as cannot:
            common.say(f"{kernel}: {cannot}")
            continue
        answer[kernel] = re.sub(r"\s+", " ", text).strip()
    return answer
