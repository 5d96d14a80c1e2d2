"""The gradient checkers of other libraries, each asked as its documentation asks to be.

Every one gets a loss and a gradient, functions of one vector of all parameters, and the point; both work on NumPy
arrays, whatever library the checker is of. So all of them see the same candidate, and nothing else. Where the
defaults cannot be kept, because a hand-written gradient has no forward mode, that alone is declared.
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
    its user sets the limit: some are tried, and the best of them is shown.
    """

    distance: Distance
    limits: tuple[float, ...] = (1.0,)


def torch_gradcheck(fast_mode: bool) -> Distance:
    def check(loss: Loss, gradient: Gradient, x: Vector) -> float:
        torch = import_module("torch")
        torch.manual_seed(0)

        def forward(context: Any, x: Any) -> Any:
            context.save_for_backward(x)
            return torch.tensor(loss(x.detach().numpy()), dtype=x.dtype)

        def backward(context: Any, above: Any) -> Any:
            (x,) = context.saved_tensors
            return above * torch.as_tensor(gradient(x.detach().numpy()))

        members = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
        candidate = type("Candidate", (torch.autograd.Function,), members)
        given = torch.tensor(x, requires_grad=True)
        accepted = torch.autograd.gradcheck(candidate.apply, given, fast_mode=fast_mode, raise_exception=False)  # type: ignore[attr-defined]  # of torch
        return 0.0 if accepted else inf

    return check


def jax_check_grads(loss: Loss, gradient: Gradient, x: Vector) -> float:
    jax, test_util = import_module("jax"), import_module("jax.test_util")
    jax.config.update("jax_enable_x64", True)
    candidate, asked = _jax_candidate(str(x.dtype))
    asked[:] = loss, gradient
    try:
        test_util.check_grads(candidate, (jax.numpy.asarray(x),), order=1, modes=("rev",))
    except AssertionError:
        return inf
    return 0.0


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


def autograd_check_grads(loss: Loss, gradient: Gradient, x: Vector) -> float:
    extend, test_util = import_module("autograd.extend"), import_module("autograd.test_util")
    import_module("numpy").random.seed(0)  # whose global generator it draws its directions from
    candidate = extend.primitive(loss)
    extend.defvjp(candidate, lambda answer, x: lambda above: above * gradient(x))
    try:
        test_util.check_grads(candidate, modes=["rev"], order=1)(x)
    except AssertionError:
        return inf
    return 0.0


def scipy_check_grad(loss: Loss, gradient: Gradient, x: Vector) -> float:
    return float(import_module("scipy.optimize").check_grad(loss, gradient, x))


def numdifftools_gradient(loss: Loss, gradient: Gradient, x: Vector) -> float:
    np = import_module("numpy")
    found = np.ravel(import_module("numdifftools").Gradient(loss)(x))
    return float(np.max(np.abs(found - gradient(x)) / (1e-8 + 1e-5 * np.abs(found))))


CHECKERS = {
    "torch gradcheck": Checker(torch_gradcheck(fast_mode=False)),
    "torch gradcheck, fast mode": Checker(torch_gradcheck(fast_mode=True)),
    "jax check_grads": Checker(jax_check_grads),
    "autograd check_grads": Checker(autograd_check_grads),
    "scipy check_grad": Checker(scipy_check_grad, (1e-4, 1e-5, 1e-6, 1e-7)),  # of the 2-norm of the difference
    "numdifftools Gradient": Checker(
        numdifftools_gradient, (0.01, 0.1, 1.0, 10.0)
    ),  # 1 is that of numpy.allclose, used in its documentation
}
