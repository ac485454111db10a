#!/usr/bin/env python3
"""DeepAR of GluonTS for PyTorch on one thread, with the weights and series that `inference --write FILE` has written.

    deepar_gluonts.py FILE [BATCH...]        JSON on standard output

Needs gluonts[torch] 0.17 (torch 2.x for CPU, lightning); say which Python has them with FOREBAY_GLUONTS_PYTHON when it is run by
benchmarks/run.  Without them: says so, exit code 77.
"""
import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

try:
    import warnings
    warnings.filterwarnings("ignore")
    import numpy
    import pandas
    import torch
    import gluonts
    from gluonts.dataset.common import ListDataset
    from gluonts.torch.model.deepar import DeepAREstimator
except ImportError as error:
    print(f"SKIPPED: this Python cannot import what the peer needs: {error}. pip install 'gluonts[torch]==0.17.0' torch lightning",
          file=sys.stderr)
    sys.exit(77)


def predictor(given, batch):
    estimator = DeepAREstimator(freq="h", prediction_length=given["horizon"], context_length=given["context"], num_layers=2,
                                hidden_size=40, num_parallel_samples=given["paths"], batch_size=batch)
    module = estimator.create_lightning_module()
    state = module.state_dict()
    named = {"model." + name: numbers for name, numbers in given["weights"].items()}
    if set(named) != set(state):
        raise SystemExit(f"other tensors: {sorted(set(named) ^ set(state))}")
    module.load_state_dict({name: torch.tensor(numbers, dtype=torch.float32).reshape(state[name].shape)
                            for name, numbers in named.items()})
    module.eval()
    return estimator.create_predictor(estimator.create_transformation(), module)


def measure(given, batch):
    dataset = ListDataset([{"start": pandas.Period(given["start"], freq="h"), "target": series} for series in given["series"]], freq="h")
    made = predictor(given, batch)
    best, medians = None, None
    for _ in range(3):
        wall, cpu = time.monotonic(), time.process_time()
        forecasts = list(made.predict(dataset, num_samples=given["paths"]))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        if best is None or cpu < best[1]:
            best = (wall, cpu)
        medians = numpy.array([f.quantile(0.5) for f in forecasts])
    n = len(given["series"])
    return {"batch": batch, "series_per_cpu_second": n / best[1], "series_per_second": n / best[0],
            "mean_median": float(medians.mean())}


def main():
    torch.set_num_threads(1)
    with open(sys.argv[1]) as file:
        given = json.load(file)
    runs = [measure(given, int(batch)) for batch in sys.argv[2:] or ("32", "64")]
    print(json.dumps({"gluonts": gluonts.__version__, "torch": torch.__version__, "series": len(given["series"]), "runs": runs}))


main()
