"""What the files of vectors say of themselves: how to read them, formulas, and what the flags of a test mean."""

from purebp.textbook.activations import ACTIVATIONS
from purebp.textbook.losses import binary_cross_entropy, cross_entropy, half_mse, half_sse, huber, mae, mse, sse

ABOUT = [
    "Test vectors for backpropagation. For each test, compute what is expected from what is given.",
    "Layers come in the order in which the inputs pass through them: z = W a + b, a = activation(z).",
    "Weights have one row per neuron, inputs and targets one row per sample; biases may be null.",
    "Gradients are those of the loss as it is named: they are to be subtracted. A step is weights - learning_rate gradients.",
    "Accept an answer when |answer - expected| <= budget, number by number, with the budget of the format you compute in.",
    "No correct implementation is further off. Expected values are the exact ones, correctly rounded.",
    "What lies on the way is under intermediate, for finding where an implementation goes wrong.",
    "hash is the SHA-256 of what is given, to tell whether a test has changed.",
]
FORMULAS = {f.form: f.definition for f in ACTIVATIONS}
LOSS_FORMULAS = {
    loss.form: loss.definition
    for loss in (mse, half_mse, sse, half_sse, mae, huber(), binary_cross_entropy, cross_entropy)
} | {"LOSS/sum, LOSS/samples, LOSS/outputs, LOSS/entries": "the sum divided by 1, samples, outputs, samples x outputs"}
NOTES = {
    "Kink": (
        "The derivative of an activation is asked for where it jumps, or a target is hit by an absolute error.",
        "A pre-activation (or an error) lies exactly on a kink, such as 0 for relu. Every element of Clarke's "
        "subdifferential is accepted: expected is the middle of that interval, from clarke.lower to clarke.upper, and the "
        "budget reaches its ends. Deltas under intermediate are such middles as well.",
    ),
    "Saturated": (
        "A derivative written a (1 - a) is 0 where it should be tiny, or e^z overflows.",
        "A neuron is far on the flat side of its activation.",
    ),
    "SquareLayers": (
        "A transposed weight matrix has the right shape, and shows in its numbers alone.",
        "A layer has as many neurons as inputs.",
    ),
    "SeveralSamples": (
        "Gradients are not summed over the samples, or only the last sample counts, or 1/n is missing.",
        "The batch holds more than one sample.",
    ),
    "SeveralOutputs": (
        "1/m is missing, or outputs are summed where they should not be.",
        "There are two outputs or more.",
    ),
    "NoBiases": ("The code expects biases.", "The layers have none: biases are null."),
    "Zeros": ("0 is divided by, or a zero weight hides its gradient.", "Some inputs and weights are exactly 0."),
    "Deep": ("An error is passed down past the layer for which it is meant.", "Three layers or more."),
    "Shapes": (
        "Broadcasting or reading past an end gives numbers where there is no answer.",
        "What is given makes no sense: say so with an error. A crash, or numbers, fail the test.",
    ),
}
