"""The gradient checkers of other libraries, each asked as its documentation asks to be.

Every one gets a loss and a gradient, functions of one vector of all parameters, and the point; both work on NumPy
arrays, whatever library the checker is of. So all of them see the same candidate, and nothing else. Where the
defaults cannot be kept, because a hand-written gradient has no forward mode, that alone is declared: jax and autograd
are asked for the reverse mode only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import inf
from typing import Any

Vector = Any  # of NumPy
Loss = Callable[[Vector], Any]
Gradient = Callable[[Vector], Vector]
Distance = Callable[[Loss, Gradient, Vector], float]


@dataclass(frozen=True, slots=True)
class Checker:
    """How far the gradient is from what the checker finds, and from where on it is said to be wrong.

    Where the checker itself gives the verdict, the distance is 0 or infinite. Where it gives a number, and no verdict,
    its user sets the limit: some are tried, and the best of them is shown. A checker that draws a direction anew each
    time is there once for each seed; the directions of fast mode and of jax are the same in every run.
    """

    distances: tuple[Distance, ...]
    limits: tuple[float, ...] = (1.0,)


def torch_gradcheck(fast_mode: bool) -> Distance:
    def check(loss: Loss, gradient: Gradient, x: Vector) -> float:
        torch, candidate = import_module("torch"), torch_candidate(loss, gradient)
        given = torch.tensor(x, requires_grad=True)
        accepted = torch.autograd.gradcheck(candidate, given, fast_mode=fast_mode, raise_exception=False)
        return 0.0 if accepted else inf

    return check


def torch_candidate(loss: Loss, gradient: Gradient) -> Callable[[Any], Any]:
    torch = import_module("torch")

    def forward(context: Any, x: Any) -> Any:
        context.save_for_backward(x)
        return torch.tensor(loss(x.detach().numpy()), dtype=x.dtype)

    def backward(context: Any, above: Any) -> Any:
        (x,) = context.saved_tensors
        return above * torch.as_tensor(gradient(x.detach().numpy()))

    members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    candidate: Any = type("Candidate", (torch.autograd.Function,), members)
    apply: Callable[[Any], Any] = candidate.apply
    return apply


def jax_check_grads(loss: Loss, gradient: Gradient, x: Vector) -> float:
    jax, test_util = import_module("jax"), import_module("jax.test_util")
    jax.config.update("jax_enable_x64", True)
    candidate = jax_candidate(loss, gradient, x)
    try:
        test_util.check_grads(candidate, (jax.numpy.asarray(x),), order=1, modes=("rev",))
    except AssertionError:
        return inf
    return 0.0


def jax_candidate(loss: Loss, gradient: Gradient, x: Vector) -> Callable[[Any], Any]:
    candidate: Callable[[Any], Any]
    candidate, asked = _jax_candidate(str(x.dtype))
    asked[:] = loss, gradient
    return candidate


@cache
def _jax_candidate(dtype: str) -> tuple[Any, list[Any]]:
    """A function that calls back whatever is in the list, so that it is not compiled again for every candidate."""
    jax, np = import_module("jax"), import_module("numpy")
    asked: list[Any] = []
    number = jax.ShapeDtypeStruct((), dtype)

    def loss(x: Any) -> Any:
        return np.asarray(asked[0](np.asarray(x)), dtype)

    def gradient(x: Any) -> Any:
        return np.asarray(asked[1](np.asarray(x)), dtype)

    @jax.custom_vjp  # type: ignore[untyped-decorator]  # jax is Any
    def candidate(x: Any) -> Any:
        return jax.pure_callback(loss, number, x)

    def backward(x: Any, above: Any) -> tuple[Any]:
        return (above * jax.pure_callback(gradient, jax.ShapeDtypeStruct(x.shape, dtype), x),)

    candidate.defvjp(lambda x: (candidate(x), x), backward)
    return candidate, asked


def autograd_check_grads(seed: int) -> Distance:
    def check(loss: Loss, gradient: Gradient, x: Vector) -> float:
        test_util, candidate = import_module("autograd.test_util"), autograd_candidate(loss, gradient)
        import_module("numpy").random.seed(seed)  # the global generator, which it draws its directions from
        try:
            test_util.check_grads(candidate, modes=["rev"], order=1)(x)
        except AssertionError:
            return inf
        return 0.0

    return check


def autograd_candidate(loss: Loss, gradient: Gradient) -> Callable[[Any], Any]:
    extend = import_module("autograd.extend")
    candidate: Callable[[Any], Any] = extend.primitive(loss)
    extend.defvjp(candidate, lambda answer, x: lambda above: above * gradient(x))
    return candidate


def scipy_check_grad(**options: Any) -> Distance:
    return lambda *given: float(import_module("scipy.optimize").check_grad(*given, **options))


def numdifftools_gradient(loss: Loss, gradient: Gradient, x: Vector) -> float:
    np = import_module("numpy")
    found = np.ravel(import_module("numdifftools").Gradient(loss)(x))
    return float(np.max(np.abs(found - gradient(x)) / (1e-8 + 1e-5 * np.abs(found))))


SEEDS = range(5)
NORMS = tuple(10.0**k for k in range(-8, -2))  # of the difference; the 2-norm, or along the one direction
UNITS = tuple(10.0**k for k in range(-6, 6))  # 1 is the tolerance of numpy.allclose, used in its documentation
CHECKERS = {
    "torch gradcheck": Checker((torch_gradcheck(fast_mode=False),)),
    "torch gradcheck, fast mode": Checker((torch_gradcheck(fast_mode=True),)),
    "jax check_grads": Checker((jax_check_grads,)),
    "autograd check_grads": Checker(tuple(map(autograd_check_grads, SEEDS))),
    "scipy check_grad": Checker((scipy_check_grad(),), NORMS),
    "scipy check_grad, random": Checker(tuple(scipy_check_grad(direction="random", rng=seed) for seed in SEEDS), NORMS),
    "numdifftools Gradient": Checker((numdifftools_gradient,), UNITS),
}
