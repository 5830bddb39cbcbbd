"""Writes the expected values that tests/it/uncertainty.rs reads: uncertainty.json.

    pip install mpmath numpy scipy statsmodels
    python generate_uncertainty.py            # rewrite the file
    python generate_uncertainty.py --check    # compare with what is committed; exit status 1 when they differ

Versions are recorded in the file. scipy's quantiles of the beta distribution, which are statsmodels' exact intervals, are
off by up to 1.5e-10 of their value (1 success in 10^7 trials); so the file also holds them corrected in 40 digits.
"""

import argparse
import json
import math
import pathlib
import platform
import sys
import warnings

import mpmath
import numpy as np
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

HERE = pathlib.Path(__file__).parent
NAME = "uncertainty.json"
CONFIDENCE_LEVELS = [0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.999999]

# --- intervals of a share ---------------------------------------------------------------------------


def lower_tail(a, b, x):
    """The probability of a beta variable below x and the density there, for x below the mean: DLMF 8.17.22."""
    value, c, d, m = mpmath.mpf(1), mpmath.mpf(1), mpmath.mpf(0), 0
    while True:
        for coefficient in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if m > 0 else None,
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            if coefficient is not None:
                d = 1 / (1 + coefficient * d)
                c = 1 + coefficient / c
                value *= c * d
        if abs(c * d - 1) < mpmath.mpf(10) ** -30:
            break
        m += 1
    ln_powers = a * mpmath.log(x) + b * mpmath.log(1 - x)
    powers = mpmath.exp(ln_powers + mpmath.loggamma(a + b) - mpmath.loggamma(a) - mpmath.loggamma(b))
    return powers / (a * value), powers / (x * (1 - x))


def corrected(a, b, x, probability):
    """One step of Newton's method, from x where the tail is nearly right already."""
    below, density = lower_tail(a, b, x)
    return x - (below - probability) / density


def exact_ends(successes, n, alpha, ends):
    low, high = mpmath.mpf(ends[0]), mpmath.mpf(ends[1])
    if successes > 0:
        low = corrected(successes, n - successes + 1, low, mpmath.mpf(alpha) / 2)
    if successes < n:
        high = 1 - corrected(n - successes, successes + 1, 1 - high, mpmath.mpf(alpha) / 2)
    return [float(low), float(high)]


def interval_case(successes, n):
    alphas = [1 - level for level in CONFIDENCE_LEVELS]
    beta = [list(proportion_confint(successes, n, alpha=alpha, method="beta")) for alpha in alphas]
    return {
        "successes": successes,
        "n": n,
        "wilson": [list(proportion_confint(successes, n, alpha=alpha, method="wilson")) for alpha in alphas],
        "clopper_pearson": beta,
        "exact": [exact_ends(successes, n, alpha, ends) for alpha, ends in zip(alphas, beta)],
    }


def interval_cases():
    for n in [1, 2, 3, 5, 10, 20, 64, 200, 1000, 12345, 10**5, 10**6, 10**7]:
        shares = [0.001, 0.1, 1 / 3, 0.5, 0.7, 0.83, 0.97]
        successes = {0, 1, 2, 3, n - 3, n - 2, n - 1, n} | {round(share * n) for share in shares}
        for k in sorted(k for k in successes if 0 <= k <= n):
            yield interval_case(k, n)


# --- McNemar ----------------------------------------------------------------------------------------


def mcnemar_case(both_right, only_first, only_second, both_wrong):
    n, k = only_first + only_second, min(only_first, only_second)
    # Fagerland, Lydersen and Laake 2013: equal counts are a case of their own.
    half = stats.binom.pmf(k, n, 0.5)
    mid = 1 - half / 2 if only_first == only_second else 2 * stats.binom.cdf(k, n, 0.5) - half
    return {
        "counts": [both_right, only_first, only_second, both_wrong],
        "p_value": float(mcnemar([[both_right, only_first], [only_second, both_wrong]], exact=True).pvalue),
        "mid_p_value": float(mid) if n > 0 else 1.0,
    }


def mcnemar_cases():
    yield mcnemar_case(0, 0, 0, 0)
    yield mcnemar_case(180, 0, 0, 20)
    for first, second in [(1, 0), (0, 1), (1, 1), (0, 5), (6, 0), (2, 2), (3, 9), (9, 3), (10, 11), (59, 6), (40, 22)]:
        yield mcnemar_case(100, first, second, 7)
    for first, second in [(121, 59), (5000, 5000), (4900, 5100), (50100, 49900), (501000, 499000), (0, 900)]:
        yield mcnemar_case(3, first, second, 4)


# --- bootstrap --------------------------------------------------------------------------------------

STATISTICS = {
    "mean": lambda x, axis=-1: np.mean(x, axis=axis),
    "median": lambda x, axis=-1: np.median(x, axis=axis),
    "standard deviation": lambda x, axis=-1: np.std(x, axis=axis),
    "maximum": lambda x, axis=-1: np.max(x, axis=axis),
}


def bootstrap_case(name, data, statistic, n_resamples, seed):
    data = np.asarray(data, dtype=np.float64)
    indices = np.random.default_rng(seed).integers(0, data.size, (n_resamples, data.size))

    def run(method, level):
        found = stats.bootstrap(
            (data,),
            STATISTICS[statistic],
            n_resamples=n_resamples,
            method=method,
            confidence_level=level,
            rng=np.random.default_rng(seed),
        )
        # These are the draws that scipy made.
        assert np.array_equal(found.bootstrap_distribution, STATISTICS[statistic](data[indices]))
        return found

    def ends(method):
        for level in CONFIDENCE_LEVELS:
            interval = run(method, level).confidence_interval
            undefined = math.isnan(interval.low) or math.isnan(interval.high)
            yield None if undefined else [float(interval.low), float(interval.high)]

    return {
        "name": f"{statistic} of {name}",
        "statistic": statistic,
        "data": data.tolist(),
        "indices": indices.tolist(),
        "standard_error": float(run("percentile", 0.95).standard_error),
        "percentile": list(ends("percentile")),
        "bca": list(ends("BCa")),
    }


def bootstrap_cases():
    rng = np.random.default_rng(40)
    skew = rng.exponential(size=20)
    bell = rng.normal(30.0, 2.0, size=15)
    right = [1.0] * 15 + [0.0] * 3
    for seed, statistic in enumerate(["mean", "median", "standard deviation"]):
        yield bootstrap_case("a skew sample", skew, statistic, 199, seed)
        yield bootstrap_case("a bell-shaped sample", bell, statistic, 100, seed + 10)
    yield bootstrap_case("right and wrong", right, "mean", 150, 20)
    yield bootstrap_case("two values", [0.25, 0.75], "mean", 99, 21)
    yield bootstrap_case("two replicates", skew, "mean", 2, 22)
    yield bootstrap_case("a skew sample", skew, "maximum", 99, 23)
    # Leaving out one value never moves the median: there is no acceleration.
    yield bootstrap_case("mostly ones", [0.0] * 2 + [1.0] * 5, "median", 99, 25)
    yield bootstrap_case("equal values", [0.5] * 5, "mean", 20, 24)


# --- Student ----------------------------------------------------------------------------------------


def student_case(first, second):
    def mean(level):
        interval = stats.ttest_1samp(first, 0).confidence_interval(level)
        return [float(interval.low), float(interval.high)]

    def prediction(level):
        n, middle, spread = len(first), np.mean(first), np.std(first, ddof=1)
        return [float(end) for end in stats.t.interval(level, n - 1, middle, spread * math.sqrt(1 + 1 / n))]

    def difference(level):
        found = stats.ttest_ind(first, second, equal_var=False)
        # Welch's degrees of freedom are a fraction; ours are the whole number below.
        degrees = max(1, math.floor(found.df * (1 + 1e-12)))
        middle = np.mean(first) - np.mean(second)
        error = math.sqrt(np.var(first, ddof=1) / len(first) + np.var(second, ddof=1) / len(second))
        return [float(end) for end in stats.t.interval(level, degrees, middle, error)]

    return {
        "first": [float(x) for x in first],
        "second": [float(x) for x in second],
        "mean": [mean(level) for level in CONFIDENCE_LEVELS],
        "prediction": [prediction(level) for level in CONFIDENCE_LEVELS],
        "difference": [difference(level) for level in CONFIDENCE_LEVELS],
    }


def student_cases():
    rng = np.random.default_rng(50)
    for n, m in [(2, 2), (2, 9), (3, 3), (5, 5), (8, 3), (30, 12), (101, 64)]:
        yield student_case(rng.normal(0.84, 0.02, n), rng.normal(0.96, 0.01 * m, m))


# --- files ------------------------------------------------------------------------------------------


def generate():
    return {
        "versions": {
            "python": platform.python_version(),
            "mpmath": mpmath.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "statsmodels": statsmodels.__version__,
        },
        "confidence_levels": CONFIDENCE_LEVELS,
        "intervals": list(interval_cases()),
        "mcnemar": list(mcnemar_cases()),
        "bootstrap": list(bootstrap_cases()),
        "student": list(student_cases()),
    }


def dump(document):
    """JSON with a case on each line, so that a change shows as the cases that changed."""
    fields = []
    for key, value in document.items():
        if isinstance(value, list) and isinstance(value[0], dict):
            lines = ",\n".join(json.dumps(case) for case in value)
            fields.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            fields.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def differences(path, committed, fresh):
    """Floats may differ by 1e-12 of their value (of 1e-3 where they are smaller than that), everything else not at all."""
    if isinstance(committed, dict) and isinstance(fresh, dict) and committed.keys() == fresh.keys():
        for key in committed:
            yield from differences(f"{path}.{key}", committed[key], fresh[key])
    elif isinstance(committed, list) and isinstance(fresh, list) and len(committed) == len(fresh):
        for i, pair in enumerate(zip(committed, fresh)):
            yield from differences(f"{path}[{i}]", *pair)
    elif isinstance(committed, float) and isinstance(fresh, float):
        if abs(committed - fresh) > 1e-12 * max(abs(committed), 1e-3):
            yield f"{path}: committed {committed!r}, now {fresh!r}"
    elif committed != fresh:
        yield f"{path}: committed {committed!r}, now {fresh!r}"


def check(document):
    committed = json.loads((HERE / NAME).read_text(encoding="utf-8"))
    fresh = json.loads(dump(document))
    versions = committed.pop("versions"), fresh.pop("versions")
    if versions[0] != versions[1]:
        print(f"{NAME}: written with {versions[0]}, checked with {versions[1]}", file=sys.stderr)
    found = list(differences(NAME, committed, fresh))
    for difference in found:
        print(difference, file=sys.stderr)
    return 1 if found else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed file instead of writing it")
    args = parser.parse_args()
    # scipy warns of every undefined BCa interval, which is what some cases are about.
    warnings.simplefilter("ignore")
    mpmath.mp.dps = 40
    document = generate()
    if args.check:
        return check(document)
    (HERE / NAME).write_text(dump(document), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
