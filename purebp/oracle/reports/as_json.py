"""JSON for programs: the report on one candidate as an object, a list of several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it shows itself by these formats
    from purebp.oracle.reports.report import Report


def render(reports: Sequence[Report]) -> str:
    """`Report.as_dict` as JSON; numbers that JSON does not have are null.

    >>> from purebp.oracle import Report
    >>> json.loads(render([Report("mine", "wrong", False, None, (), (), (), (), None, ())]))["verdict"]
    'wrong'
    """
    documents = [json.dumps(_finite(report.as_dict()), ensure_ascii=False, indent=1) for report in reports]
    return documents[0] if len(documents) == 1 else "[\n" + ",\n".join(documents) + "\n]"


def _finite(x: Any) -> Any:
    if isinstance(x, float):
        return x if isfinite(x) else None
    if isinstance(x, dict):
        return {key: _finite(value) for key, value in x.items()}
    return [_finite(item) for item in x] if isinstance(x, list) else x
