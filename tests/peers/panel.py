"""Real implementations under `purebp check`, as their users call them; docs/peers.md is what this writes.

`python -m tests.peers.panel` prints it; with --write it goes to docs/peers.md, and the numbers to docs/peers.json.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from math import log2
from pathlib import Path
from typing import Any

from purebp.number_systems.formats import format_named

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOCUMENT, NUMBERS = ROOT / "docs" / "peers.md", ROOT / "docs" / "peers.json"


NODE = 18  # the oldest that has what the adapters use
ABSENT = (ImportError, OSError, subprocess.CalledProcessError)  # what tells that a peer is not installed


def of_python(package: str) -> str:
    return version(package).partition("+")[0]


def of_keras(package: str) -> str:
    return f"{of_python('keras')}, {of_python(package)}"


def of_npm(package: str) -> str:
    node = _output("node", "--version").strip()
    if int(node.lstrip("v").partition(".")[0]) < NODE:
        raise ImportError(f"Node {NODE} or newer is wanted, {node} is here")
    return str(json.loads((HERE / "node_modules" / package / "package.json").read_text())["version"])


def of_pkg_config(package: str) -> str:
    return _output("pkg-config", "--modversion", package).strip()


def compiled(source: str, program: str, *options: str) -> None:
    (HERE / "build").mkdir(exist_ok=True)
    _output("cc", "-O2", "-o", f"build/{program}", f"adapters/{source}", *options)


@dataclass(frozen=True, slots=True)
class Peer:
    """One row: what is asked, how, and what there is to say about what is found."""

    name: str
    package: str
    how: str
    arguments: str  # of `purebp check`
    finding: str = ""
    there: str = ""  # documented, in its source, or a defect: what is not correct need not be a mistake
    version: Callable[[str], str] = of_python
    build: Callable[[], None] = lambda: None


REGRESSION = """\
A defect elsewhere. The gradient is that of half the sum of squares divided by n. The loss that `MLPRegressor` reports,
and that its L-BFGS minimises with this gradient, is divided by the number of outputs as well: with m outputs the two
differ by the factor m. It is known there, as issue 8349, open since 2017.
`test_the_loss_of_scikit_learn_is_not_the_one_whose_gradient_it_takes`."""
PENALTY = """\
Documented, and a choice. The default, `alpha=0.0001`, adds α W / n to every gradient of the weights and none to those
of the biases: the gradient of another loss, and named. `test_the_penalty_of_scikit_learn_is_all_that_it_adds`."""
GELU = """\
Documented, and a choice: the docstring gives both formulas. `jax.nn.gelu` is by default the approximation of gelu by
tanh, another function, which differs from gelu by some 10⁻⁴. With `approximate=False` JAX is correct:
`test_jax_is_right_with_the_exact_gelu`."""
SYNAPTIC = """\
A defect. Each neuron of the output layer moves its weights before the layer below has taken its error through them:
the learning rate times the gradient too late. The function that synaptic writes for the whole network by default does
the same as its neurons do one by one. Its output error is ŷ − y without f′, a choice that its issue 33 discusses: the
gradient of binary cross-entropy. It is held to that; the cost that its `Trainer` reports by default is the mean squared
error. `test_synaptic_passes_the_error_down_through_new_weights`."""
CLIPPED = """\
A choice, explicit in its source. All cases but one are right. Where a neuron is saturated, FANN clips its activation to
0.01 … 0.99 before it takes the derivative, so that σ′ is never below 0.0099. Its bounds are constants in single
precision: in double precision that is not the mistake of the catalogue. `test_fann_clips_its_derivative`."""
TANH_ERROR = """\
Documented, and a choice: its header calls it “usually better”, though not recommended for incremental training, which
this is. The default error function, `FANN_ERRORFUNC_TANH`, replaces the error e = y − ŷ at the outputs by
ln((1 + e)/(1 − e)), which is 2 artanh e: the gradient of (1 + e) ln(1 + e) + (1 − e) ln(1 − e), a loss that purebp does
not know. The derivative is clipped as well. FANN's default activation and algorithm are not asked: `FANN_SIGMOID`
stands for `FANN_SIGMOID_STEPWISE`, and the plain step of `fann_train` for RPROP. `test_fann_exaggerates_its_error`."""
SINGLE = """\
A choice, and the custom: without a dtype, Python's numbers become single precision. So they do with `torch.tensor`,
`jax.numpy.array` and the layers of Keras, which are told their dtype in the other rows; this row stands for all of them
(`test_single_precision_is_the_custom`). Asked for as double precision it is imprecise, and the report says why; held to
binary32, in the next row, it is correct. It runs on `DEV=PYTHON`, tinygrad's interpreter in Python."""

FANN = "--loss half_sse -- build/"
SYNAPTIC_COMMAND = "--loss binary_cross_entropy/sum -- node adapters/synaptic.cjs"
PANEL = (
    Peer("NumPy", "numpy", "as in the lessons", "adapters/numpy_lesson.py"),
    Peer("NumPy", "numpy", "samples in rows", "../../docs/examples/numpy_rows.py"),
    Peer("PyTorch", "torch", "nn.Sequential, float64", "adapters/torch_sequential.py"),
    Peer("PyTorch", "torch", "nn.Sequential, float32", "adapters/torch_sequential.py --format binary32"),
    Peer("PyTorch", "torch", "nn.Sequential, bfloat16", "adapters/torch_sequential.py --format bfloat16"),
    Peer("PyTorch", "torch", "optim.SGD, float32", "../../docs/examples/pytorch_step.py"),
    Peer("JAX", "jax", "grad and jit, float64", "adapters/jax_grad.py:gradients"),
    Peer("JAX", "jax", "grad and jit, float32", "adapters/jax_grad.py:gradients --format binary32"),
    Peer(
        "JAX",
        "jax",
        "grad and jit, bfloat16",
        "adapters/jax_grad.py:gradients_with_tanh --activations tanh,identity --format bfloat16",
    ),
    Peer(
        "JAX",
        "jax",
        "nn.gelu by default",
        "adapters/jax_grad.py:gradients_with_gelu --activations gelu,identity --loss mse",
        GELU,
        "documented",
    ),
    Peer("HIPS autograd", "autograd", "grad", "adapters/autograd_grad.py"),
    Peer(
        "scikit-learn",
        "scikit-learn",
        "MLPRegressor, a step, alpha=0",
        "adapters/sklearn_regressor.py:step",
        REGRESSION,
    ),
    Peer(
        "scikit-learn",
        "scikit-learn",
        "MLPRegressor, a step",
        "adapters/sklearn_regressor.py:step_with_penalty --loss half_sse/samples",
        PENALTY,
        "documented",
    ),
    Peer("scikit-learn", "scikit-learn", "MLPClassifier, a step, alpha=0", "adapters/sklearn_classifier.py"),
    Peer("micrograd", "micrograd", "MLP, and a sigmoid", "adapters/micrograd_mlp.py"),
    Peer("tinygrad", "tinygrad", "Tensor, float64, on its interpreter", "adapters/tinygrad_tensor.py:gradients"),
    Peer(
        "tinygrad",
        "tinygrad",
        "Tensor by default, on its interpreter",
        "adapters/tinygrad_tensor.py:gradients_by_default",
        SINGLE,
        "in its source",
    ),
    Peer(
        "tinygrad",
        "tinygrad",
        "Tensor, float32, on its interpreter",
        "adapters/tinygrad_tensor.py:gradients_by_default --format binary32",
    ),
    Peer(
        "Keras, TensorFlow",
        "tensorflow-cpu",
        "Sequential, float64",
        "adapters/keras_model.py:gradients",
        version=of_keras,
    ),
    Peer(
        "Keras, TensorFlow",
        "tensorflow-cpu",
        "Sequential, float32",
        "adapters/keras_model.py:gradients_by_default --format binary32",
        version=of_keras,
    ),
    Peer("TensorFlow.js", "@tensorflow/tfjs", "variableGrads, float32", "-- node adapters/tfjs.cjs", version=of_npm),
    Peer("brain.js", "brain.js", "train once, float32", "-- node adapters/brain.cjs", version=of_npm),
    Peer("synaptic", "synaptic", "propagate", SYNAPTIC_COMMAND, SYNAPTIC, "a defect", of_npm),
    Peer("synaptic", "synaptic", "propagate, not optimized", f"{SYNAPTIC_COMMAND} neurons", "", "a defect", of_npm),
    Peer(
        "FANN",
        "fann",
        "double, linear error",
        f"{FANN}fann linear",
        CLIPPED,
        "in its source",
        of_pkg_config,
        lambda: compiled("fann.c", "fann", "-ldoublefann", "-lm"),
    ),
    Peer(
        "FANN",
        "fann",
        "float, linear error",
        f"{FANN}fann_single linear",
        "",
        "in its source",
        of_pkg_config,
        lambda: compiled("fann.c", "fann_single", "-DSINGLE", "-lfloatfann", "-lm"),
    ),
    Peer(
        "FANN",
        "fann",
        "double, default error function",
        f"{FANN}fann",
        TANH_ERROR,
        "documented",
        of_pkg_config,
        lambda: compiled("fann.c", "fann", "-ldoublefann", "-lm"),
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was found. bits: the effective precision; share: the largest error as a part of what is allowed.

    sees: the relative error that would be seen in the tensor whose budget is the widest.
    """

    name: str
    version: str
    how: str
    arguments: str
    verdict: str
    found: str
    format: str = ""
    bits: float | None = None
    share: float | None = None
    sees: float | None = None
    smallest: str = ""


def asked(peer: Peer) -> Row:
    """The peer built, asked and judged; where there is none of it, the reason."""
    try:
        installed = peer.version(peer.package)
        peer.build()
    except ABSENT as error:
        return Row(peer.name, "–", peer.how, peer.arguments, "not installed", f"{error}")
    command = [sys.executable, "-m", "purebp", "check", "--report", "json", "--timeout", "120"]
    done = subprocess.run([*command, *shlex.split(peer.arguments)], cwd=HERE, capture_output=True, text=True)
    if not done.stdout:
        return Row(peer.name, installed, peer.how, peer.arguments, "not loaded", done.stderr.strip().splitlines()[-1])
    report = json.loads(done.stdout)
    smallest = report["smallest"] if report["verdict"] == "wrong" else ""
    return Row(
        peer.name,
        installed,
        peer.how,
        peer.arguments,
        report["verdict"],
        gist(report),
        report["format"],
        bits(report),
        share(report),
        sees(report),
        smallest,
    )


def gist(report: dict[str, Any]) -> str:
    """The convention, and what does not conform to it, in a few words."""
    told = [report["convention"]["sentence"]] if report["convention"] else []
    if not report["conforms"]:
        told += [found["name"] for found in report["explanations"][:1]] or report["notes"][:1]
    return "; ".join(re.split(r": it |\. |\.$", text)[0] for text in told)


def smooth(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The tensors of all cases but the kink: there the budget is an interval between one-sided slopes."""
    return [tensor for case in report["cases"] if case["name"] != "a kink" for tensor in case["tensors"]]


def bits(report: dict[str, Any]) -> float | None:
    """Those that are right in every number, relative to the largest of its tensor; half a unit off is all of them."""
    if report["verdict"] in ("wrong", "undecided"):
        return None
    worst = max(tensor["ulps"] for tensor in smooth(report))
    return round(format_named(report["format"]).precision - 1 - log2(max(worst, 0.5)), 1)


def share(report: dict[str, Any]) -> float:
    return float(f"{max(tensor['share'] for tensor in smooth(report)):.1g}")


def sees(report: dict[str, Any]) -> float | None:
    """As in the column of that name in the report, the largest."""
    if report["verdict"] in ("wrong", "undecided"):
        return None
    return float(f"{2 * max(tensor['resolution'] for tensor in report['tensors']):.0e}")


def document(rows: list[Row]) -> str:
    """docs/peers.md."""
    head = "| implementation | version | | verdict | there | format | bits | share | smallest visible error | found |"
    rule = "| --- " * 10 + "|"
    lines = [
        f"| {r.name} | {r.version} | {r.how} | {r.verdict} | {peer.there} | {r.format} | {_shown(r.bits)} | "
        f"{_shown(r.share)} | {_shown(r.sees)} | {r.found} |"
        for peer, r in zip(PANEL, rows)
    ]
    told = [part for peer, row in zip(PANEL, rows) if peer.finding for part in _told(peer, row)]
    conform = sum(row.verdict.startswith("correct") for row in rows)
    introduction = INTRODUCTION.format(node=NODE, rows=len(rows), conform=conform)
    return "\n".join([introduction, head, rule, *lines, LEGEND, *told])


INTRODUCTION = """\
# Real implementations, judged

Written by `python -m tests.peers.panel --write`; `make peers` holds this page to what it finds then. It installs what
is on PyPI and npm. Node.js ({node} or newer) with npm, and for FANN cc, pkg-config and Debian's libfann-dev, must be
there already; a row that lacks something is skipped. Each implementation is called as its users call it, by an adapter
in [tests/peers/adapters](../tests/peers/adapters), and asked by `purebp check`, in Python or over a pipe. Of {rows}
rows {conform} are correct.

*Wrong* means: not the gradient of the loss that was asked for, with the activations that were asked for. It need not be
a mistake. The column *there* tells what it is: *documented*; *in its source*, where it is plainly meant; or *a defect*,
as we judge it. A second look by other means, in [tests/peers/test_panel.py](../tests/peers/test_panel.py), finds the
same in all that is called wrong, in FANN's case in double precision.
"""
LEGEND = """
*bits* is the effective precision: how many bits of every number are right, measured by the largest error relative to
the largest number of its tensor; 53 are all of binary64, 24 of binary32, 8 of bfloat16. *share* is the largest error as
a part of what a right implementation may err. Both leave out the case that meets a kink, where any number between the
two slopes is accepted. Of a step they are those of the updated weights, in which little of the gradient's error is
left. *smallest visible error* is relative, in the tensor where it is the largest:
in bfloat16 correct says little. *found* is the convention, where it was not the default and was left open, and the
mistake.

Two functions of PyTorch leave the function that is asked for at large z, both by choice: softplus, which is z itself
beyond its parameter `threshold`, by default 20, as documented; and `binary_cross_entropy`, whose backward pass divides
by at least 10⁻¹², in its source: `test_functions_of_pytorch_that_leave_what_is_asked_for_at_large_z_are_accused`.

# What was found
"""


def _told(peer: Peer, row: Row) -> list[str]:
    lines = [f"## {peer.name}: {peer.how}", "", peer.finding, ""]
    if row.smallest:
        lines += ["The smallest case that shows it:", "", "```text", *row.smallest.splitlines(), "```", ""]
    return lines


def _shown(x: float | None) -> str:
    return "–" if x is None else f"{x:.2g}" if x < 100 else re.sub(r"e\+?(-?)0?", r"e\1", f"{x:.0e}")


def _output(*command: str) -> str:
    return subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True).stdout


def main() -> None:
    rows = [asked(peer) for peer in PANEL]
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(document(rows), encoding="utf-8")
        NUMBERS.write_text(json.dumps(list(map(asdict, rows)), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    else:
        print(document(rows))


if __name__ == "__main__":
    main()
