"""savvi's count test and confseq's quantile test on trials of bench/evidence.

A trial a line on standard input: {"ticks": [[failed, requests, [ms...], failed, requests, [ms...]], ...]}, the
baseline first. A line out for each: the tests' p-values where they fell, as [[tick, p], ...]. Both tests are
two-sided; only evidence that the candidate is worse counts, unless the trial says "both": true.
"""
import json
import sys

import numpy as np
from confseq.quantiles import quantile_ab_p_value
from savvi.multinomial import Multinomial

QUANTILES = [0.5, 0.9, 0.99]
HARDLY_ANY = 1e-9
# The quantile test sorts all values anew, so a long trial is looked at so many times.
LOOKS = 200


def falls(steps):
    """The running minimum, where it falls."""
    lowest, found = 1.0, []
    for tick, p in steps:
        if p < lowest:
            lowest = p
            found.append([tick, p])
    return found


def counts(ticks):
    test = Multinomial(0.01, np.array([0.5, 0.5]), k=100)
    baseline = candidate = 0
    for tick, (failed_b, _, _, failed_c, _, _) in enumerate(ticks):
        if failed_b + failed_c == 0 or not np.isfinite(test.odds) or test.odds > 1 / HARDLY_ANY:
            continue
        test.update(np.array([failed_b, failed_c]))
        baseline, candidate = baseline + failed_b, candidate + failed_c
        if candidate > baseline:
            yield tick, float(1 / test.odds)


def quantiles(ticks, quantile, both):
    baseline, candidate = [], []
    every = max(1, len(ticks) // LOOKS)
    for tick, (_, _, ms_b, _, _, ms_c) in enumerate(ticks):
        baseline += ms_b
        candidate += ms_c
        if not baseline or not candidate or tick % every > 0:
            continue
        higher = np.quantile(candidate, quantile) > np.quantile(baseline, quantile)
        if not higher and not both:
            continue
        p = quantile_ab_p_value(np.array(baseline), np.array(candidate), quantile, 1000, 0.01)
        yield tick, float(p)
        if p < HARDLY_ANY:
            return


for line in sys.stdin:
    trial = json.loads(line)
    ticks, both = trial["ticks"], trial.get("both", False)
    print(
        json.dumps(
            {
                "savvi": falls(counts(ticks)),
                "confseq": [falls(quantiles(ticks, quantile, both)) for quantile in QUANTILES],
            }
        ),
        flush=True,
    )
