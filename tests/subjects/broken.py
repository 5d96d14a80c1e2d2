"""One layer, half the sum of squares, in two dozen lines; and a program that is broken in the way it is told.

    python broken.py HOW [MARK]

Imports nothing but the standard library, and little of it, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import sys
import time

TYPE_CHECKING = False  # typing and subprocess would take as long to import as all the rest
if TYPE_CHECKING:
    from typing import Any


def say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


def answer(given: dict[str, Any]) -> list[dict[str, Any]]:
    (layer,) = given["layers"]
    columns = list(zip(*given["inputs"]))
    errors = [
        [
            sum(w * x for w, x in zip(row, sample)) + b - y
            for row, b, y in zip(layer["weights"], layer["biases"], targets)
        ]
        for sample, targets in zip(given["inputs"], given["targets"])
    ]
    deltas = list(zip(*errors))
    weights = [[sum(d * x for d, x in zip(row, column)) for column in columns] for row in deltas]
    return [{"weights": weights, "biases": [sum(row) for row in deltas]}]


def rounded(x: Any) -> Any:
    return list(map(rounded, x)) if isinstance(x, list) else float(f"{x:.6g}")


def main() -> None:
    how = sys.argv[1]
    asked = 0
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # it is a TextIOWrapper
    if how == "crashes at once":
        sys.exit("no licence found")
    if how == "hangs at start":
        time.sleep(1000)
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "hello":
            if how == "closes its input":
                os.close(0)
            if how == "begins with a mark":
                print("\ufeff", end="")
            say({"protocol": 1, "name": how, "activations": ["identity"], "loss": "half_sse", "returns": "gradients"})
            if how == "closes its input":
                time.sleep(1000)
            if how == "leaves a child":
                import subprocess

                subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)", *sys.argv[2:]])
            continue
        asked += 1
        said = {"id": request["id"], "gradients": answer(request["given"])}
        gradients = said["gradients"]
        if how == "crashes on the third case" and asked == 3:
            os.kill(os.getpid(), 11)
        elif how == "crashes on one case" and len(request["given"]["inputs"]) == 6:
            sys.exit("malloc(): corrupted top size")
        elif how == "hangs":
            time.sleep(1000)
        elif how == "ends early" and asked == 2:
            sys.exit(0)
        elif how == "answers the wrong id":
            said["id"] = "another"
        elif how == "answers twice":
            say(said)
        elif how == "ends within a line" and asked == 4:
            print("1 gradients 0.5", end="", flush=True)
            sys.exit(0)
        elif how == "says null":
            said |= {"skip": None, "error": None}
        elif how == "answers late":
            time.sleep(0.2)
        elif how == "answers once":
            say(said)
            sys.exit()
        elif how == "rounds":
            gradients[0] = {key: rounded(x) for key, x in gradients[0].items()}
        elif how == "prints noise":
            print("now in epoch 1", flush=True)
        elif how == "prints without end":
            while True:
                print("now in epoch 1")
        elif how == "writes a megabyte to stderr":
            print("x" * 1_000_000, file=sys.stderr, flush=True)
        elif how == "answers NaN":
            gradients[0]["biases"][0] = float("nan")
        elif how == "answers null":
            gradients[0]["biases"][0] = None
        elif how == "breaks off its JSON":
            print(json.dumps(said)[:-9], flush=True)
            continue
        elif how == "writes a line of 20 MB":
            print("[" * 20_000_000, flush=True)
        elif how == "closes its output":
            os.close(1)
            time.sleep(1000)
        elif how == "answers at random":
            gradients[0]["biases"][0] += time.perf_counter_ns() % 1000
        elif how == "adds up":
            gradients[0]["biases"][0] += asked
        elif how == "skips everything":
            said = {"id": request["id"], "skip": "not today"}
        elif how == "skips batches" and len(request["given"]["inputs"]) > 1:
            said = {"id": request["id"], "skip": "one sample at a time"}
        elif how == "reports errors":
            said = {"id": request["id"], "error": {"kind": "memory", "message": "out of it"}}
        elif how == "is wrong below -3" and min(map(min, request["given"]["inputs"])) < -3:
            gradients[0]["biases"][0] += 1
        elif how == "crashes below -3" and min(map(min, request["given"]["inputs"])) < -3:
            sys.exit("assertion failed")
        elif how == "is wrong":
            gradients[0]["weights"][0][0] *= 2
        say(said)
    if how == "does not end":
        time.sleep(1000)
    if how == "ends with status 3":
        sys.exit(3)


if __name__ == "__main__":
    main()
