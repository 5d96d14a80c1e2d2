"""What a name says: which parameter takes the inputs, which attribute holds weights, which method goes backwards.

Names only order what is tried: what a candidate computes decides.

>>> role("learning_rate"), role("x_train"), role("expected"), role("y_hat"), role("spam")
('rate', 'inputs', 'targets', 'outputs', '')
>>> words("weightsInputHidden2"), kind_of("weights_hidden_output"), kind_of("b1"), kind_of("dW1"), digits("W12")
(('weights', 'input', 'hidden', '2'), 'weights', 'biases', 'gradients', 12)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

ROLES = {
    "epochs": "epochs? n_epochs? num_epochs? epoch_count iterations? n_iter num_iterations? number_of_iterations "
    "number_of_training_iterations n_iterations iters? num_iters max_iter n_steps num_steps times reps repeats? "
    "max_iterations?",
    "rate": "lr l_rate learning_?rate learn_?rate learningrate eta alpha rate step_?size epsilon",
    "size": "batch_?size mini_?batch_?size n_batch",
    "none": "reg lmbda lambda_? lambd l2 regularization reg_lambda weight_decay momentum mu beta decay dropout verbose "
    "print_cost print_loss print_every show debug plot shuffle test_data early_stopping callback",
    "pairs": "training_data mini_batch dataset data_set train_set train_data pairs examples",
    "inputs": "x xs xi x_i x_?train x_?batch inputs? input_data input_?list inputs_list input_vectors? input_arrays? "
    "input_values input_matrix input_rows? features? data samples? train_?x training_inputs training_set_inputs "
    "training_input train_inputs row a0 image images vector xx",
    "targets": "y ys yi y_i y_?train y_?batch y_?true targets? target_?list targets_list target_vectors? "
    "target_values? target_arrays? labels? expected expected_outputs? expected_values? desired desired_outputs? truth "
    "train_?y training_outputs training_set_outputs training_output train_outputs correct correct_outputs? answers? "
    "t d yy ground_truth all_y_trues actual actual_outputs? true_y outputs_true",
    "outputs": "o out outs outputs? y_?hat yh y_?pred preds? predictions? predicted a final_outputs? network_outputs? "
    "result output_activations guess yhat hypothesis a_out",
    "network": "network net nn model params parameters self layers weights_dict theta_dict",
}
_PATTERNS = {name: re.compile("|".join(f"(?:{each})" for each in names.split())) for name, names in ROLES.items()}
GRADIENTS = {"delta", "deltas", "grad", "grads", "gradient", "gradients", "nabla", "d", "adjustment", "adjustments"}
KEPT = {"velocity", "momentum", "prev", "previous", "old", "change", "changes", "cache", "best", "m", "v", "last"}
WEIGHTS = {"w", "weight", "weights", "theta", "thetas", "syn", "synapse", "synapses", "synaptic", "wih", "who", "wi"}
WEIGHTS |= {"wo", "wh", "wx", "wy", "u", "kernel", "ws", "wts", "wt", "coefs", "coefficients"}
BIASES = {"b", "bias", "biases", "bs", "bh", "bo", "bi", "by", "intercept", "intercepts", "threshold", "thresholds"}
FORWARDS = re.compile(
    r"_*(feed_?)?forward\w*|predict\w*|think|propagate|activate|run|query|compute_outputs?|__call__|fprop|output", re.I
)
BACKWARDS = re.compile(
    r"\w*back\w*|\w*grad(?!ient_?descent)\w*|\w*prime\w*|bprop|\w*derivatives?|loss|\w*cost\w*", re.I
)
CHECKS = re.compile(r"numeric|finite|check|approx|estimat", re.I)  # a gradient that others are compared with
TRAINS = re.compile(
    r"_*(train|fit|learn|update|sgd|step|optimi[sz]e|gradient_?descent|apply|adjust|one_?epoch|descend)\w*", re.I
)


def role(name: str) -> str:
    """What a parameter of that name takes: a key of `ROLES`, or "" if its name does not say."""
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    return next((each for each, pattern in _PATTERNS.items() if pattern.fullmatch(plain)), "")


def words(name: str) -> tuple[str, ...]:
    """The words that a name is made of."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+", name))


def kind_of(name: str) -> str:
    """What a tensor of that name is: "weights", "biases", "gradients", what is "kept" from step to step, or ""."""
    said = words(name)
    if GRADIENTS.intersection(said) or re.match(r"d_?[wbWB](?![a-z]{2})", name):
        return "gradients"
    if KEPT.intersection(said):
        return "kept"
    if BIASES.intersection(said):
        return "biases"
    return "weights" if WEIGHTS.intersection(said) else ""


def by_number(things: Sequence[T], name: Callable[[T], str]) -> list[T] | None:
    """In the order of the numbers that their names end with; None if not every one has a number of its own.

    >>> by_number(["W2", "W1"], str), by_number(["Wh", "W1"], str), by_number(["W1", "b1"], str)
    (['W1', 'W2'], None, None)
    """
    numbered = {number: thing for thing in things if (number := digits(name(thing))) is not None}
    return [numbered[number] for number in sorted(numbered)] if len(numbered) == len(things) else None


def digits(name: str) -> int | None:
    """The number that a name ends with."""
    found = re.search(r"\d+$", name)
    return int(found[0]) if found else None


WRITTEN = {  # of which some stand in the code of an activation, or of what it calls
    "sigmoid": r"exp|sigmoid|logistic|expit|tanh|import",
    "tanh": r"tanh|exp|import",
    "relu": r"relu|ReLU|max|where|clip|[<>]|import (?!numpy|math|random)",
    "leaky_relu": r"relu|ReLU|max|where|clip|[<>]|import (?!numpy|math|random)",
    "softmax": r"exp|softmax|import (?!numpy|math|random)",
}


def mentioned(activations: Sequence[str], source: str) -> bool:
    """Whether the text of a candidate has a word of each of these activations.

    >>> mentioned(["relu"], "1 / (1 + exp(-z))"), mentioned(["tanh"], "")
    (False, True)
    """
    said = (WRITTEN.get(name.partition("(")[0]) for name in activations)
    return not source or all(word is None or re.search(word, source) for word in said)
