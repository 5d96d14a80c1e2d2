"""Everything side by side, in some minutes (`make bench`).

python -m studies.benchmarks                      measures, and says where docs/performance.md is not what is found
python -m studies.benchmarks --write              writes docs/performance.md, its JSON and its plots
python -m studies.benchmarks training             one part alone, as JSON
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable

from studies.benchmarks import certificates, checking, graph, page, scaling, subjects, training
from studies.benchmarks.measuring import machine, minor, progress


def checked() -> page.Found:
    scores = checking.scores()
    missed = {name: {"missed": score.missed_on_all} for name, score in scores.of.items()}
    return {
        "facts": {
            "what is caught": checking.caught(scores),
            "missed on all cases": missed,
            "single entries": checking.single_entries(scores),
            "at extremes": checking.at_extremes(scores),
        },
        "seconds": {
            "from cold": {"a right candidate": checking.from_cold()},
            "warm": checking.growth(),
            "wrapped": checking.wrapped(),
        },
    }


def trained() -> page.Found:
    by_interpreter = training.everywhere()
    tables = {f"{page.TRAINING}{minor(name)}": table for name, table in by_interpreter.items()}
    return {
        "seconds": tables
        | {"import": {"python -c import": training.imports()}, "check": {"two layers": training.first_check()}},
        "about": {"with": {"interpreters of one gradient": ", ".join(by_interpreter)}},
    }


def certified() -> page.Found:
    memory = {"784-256-10, certified": {"at most": certificates.memory()}}
    return {"facts": {"memory": memory}, "seconds": {"certified": certificates.certifying()}}


def scaled() -> page.Found:
    return {"seconds": {"over a cluster": scaling.measure()}}


def lowered() -> page.Found:
    return {"seconds": {"graph": graph.lowered(), "chains": graph.chains()}}


def piped() -> page.Found:
    return {"seconds": {"over a pipe": subjects.driven(), "vectors": subjects.vectors()}}


PARTS: dict[str, Callable[[], page.Found]] = {
    "checking": checked,
    "training": trained,
    "certificates": certified,
    "graph": lowered,
    "subjects": piped,
    "scaling": scaled,
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m studies.benchmarks", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all where none is named")
    parser.add_argument("--write", action="store_true", help="write the page, which is measured as a whole")
    given = parser.parse_args()
    if given.write and given.parts:
        parser.error("the page is measured as a whole: --write goes without parts")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread each, as purebp has; read when NumPy is loaded
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
    old, new = page.read(), page.Found()
    for name in given.parts or PARTS:
        for kind, tables in PARTS[name]().items():
            new.setdefault(kind, {}).update(tables)
    progress("")
    new["about"] = {"with": machine() | new.get("about", {}).get("with", {})}
    if given.write:
        page.write(new)
    print(json.dumps(new, indent=1, ensure_ascii=False) if given.parts else page.page(new))
    differing = list(page.differences(old, new))
    for line in (*page.other_interpreters(old, new), *differing):
        print(line)
    print(f"{page.PAGE.name} {'showed something else' if differing else 'shows what was found'}")
    return 0 if given.write or not differing else 1


if __name__ == "__main__":
    sys.exit(main())
