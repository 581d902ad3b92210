"""The plan against an exact optimum: each night of plan_nights (standard input) as an integer programme for HiGHS (scipy.optimize.milp).
One chain of visits a target, one visit a telescope at a time, the purse. Prints TAP."""
import json
import sys

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix

SECONDS = 20.0


def solve(night):
    chains = night["chains"]
    rows, cols, upper = [], [], []
    values = []

    def row(members, limit, weights=None):
        rows.extend([len(upper)] * len(members))
        cols.extend(members)
        values.extend(weights if weights is not None else [1.0] * len(members))
        upper.append(limit)

    by_target = {}
    at = {}
    for i, (target, _, visits) in enumerate(chains):
        by_target.setdefault(target, []).append(i)
        for site, start, end in visits:
            at.setdefault(site, []).append((start, end, i))
    for members in by_target.values():
        row(members, 1.0)
    for visits in at.values():  # at each beginning at most one visit is under way
        for moment in sorted({start for start, _, _ in visits}):
            row([i for start, end, i in visits if start <= moment + 1e-6 and moment < end - 1e-3], 1.0)
    row(list(range(len(chains))), night["budget_s"] + 1e-6, [sum(e - s for _, s, e in v) for _, _, v in chains])
    matrix = coo_matrix((values, (rows, cols)), shape=(len(upper), len(chains)))
    worth = np.array([c[1] for c in chains])
    return milp(-worth, constraints=LinearConstraint(matrix.tocsr(), -np.inf, upper), integrality=np.ones(len(chains)), bounds=Bounds(0, 1),
                options={"time_limit": SECONDS, "mip_rel_gap": 1e-4})


def main():
    parts, tight, bad = [], [], []
    for line in sys.stdin:
        night = json.loads(line)
        if not night["chains"]:
            bad.append(f"night {night['night']}: nothing can be seen")
            continue
        answer = solve(night)
        if answer.x is None:
            bad.append(f"night {night['night']}: no optimum: {answer.message}")
            continue
        best = -answer.fun
        parts.append(night["greedy"] / best)
        tight.append(best / night["bound"])
        print(f"# night {night['night']:2d}: {len(night['chains']):6d} chains, {night['visits']:2d} visits, greedy {night['greedy']:.5f}, optimum {best:.5f} "
              f"({parts[-1]:.4f}), bound {night['bound']:.5f}", flush=True)
        if night["greedy"] > best * (1 + 2e-4):
            bad.append(f"night {night['night']}: the plan is above the optimum")
        if best > night["bound"] * (1 + 1e-9):
            bad.append(f"night {night['night']}: the optimum is above the bound")
        if night["greedy"] < best / 2:
            bad.append(f"night {night['night']}: the plan is below half of the optimum")
    for line in bad:
        print("#", line)
    mean = sum(parts) / max(len(parts), 1)
    checks = [(len(parts) >= 20 and not bad, "20 nights: plan <= optimum <= bound, and never below half of the optimum"),
              (mean >= 0.95, f"the plan is worth 0.95 of the optimum on average ({mean:.4f}, least {min(parts, default=0):.4f}; the optimum is "
                             f"{sum(tight) / max(len(tight), 1):.3f} of the bound)")]
    for n, (ok, name) in enumerate(checks, 1):
        print(f"{'ok' if ok else 'not ok'} {n} - {name}")
    print(f"{sum(ok for ok, _ in checks)} passed, {sum(not ok for ok, _ in checks)} failed, 0 skipped")
    return any(not ok for ok, _ in checks)


sys.exit(main())
