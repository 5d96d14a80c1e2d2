"""The loop of a program on a pipe, in Python: what it says of itself, and an answer to each request."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


def serve(answer: Callable[[dict[str, Any]], dict[str, Any]], **hello: Any) -> None:
    """Answer requests until the input ends; `answer` makes quantities of what is given."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["cmd"] == "hello":
            said = {"protocol": 1, "name": "test", "language": "Python", **hello}
        else:
            said = {"id": request["id"], **answer(request["given"])}
        print(json.dumps(said), flush=True)
