"""What the files of vectors say of themselves: how to read them, formulas, and what the flags of a test mean."""

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
LOSSES = {
    "mse": "mean over all entries of (output - target)^2",
    "half_mse": "half of mse",
    "sse": "sum over all entries of (output - target)^2",
    "half_sse": "half of sse",
    "mae": "mean over all entries of |output - target|",
    "huber(d)": "mean over all entries of h(output - target), h(e) = e^2/2 for |e| <= d, d (|e| - d/2) beyond",
    "binary_cross_entropy": "mean over all entries of -(y log(output) + (1 - y) log(1 - output)), y the target",
    "cross_entropy": "mean over the samples of -sum of target log(output)",
    "LOSS/sum, LOSS/samples, LOSS/outputs, LOSS/entries": "the sum divided by 1, samples, outputs, samples x outputs",
}
ACTIVATIONS = {
    "identity": "z",
    "sigmoid": "1/(1 + e^-z)",
    "tanh": "tanh z",
    "relu": "max(0, z)",
    "leaky_relu(s)": "z for z > 0, else s z",
    "elu(a)": "z for z > 0, else a (e^z - 1)",
    "softplus": "log(1 + e^z)",
    "silu": "z/(1 + e^-z)",
    "gelu": "z P(z), P the distribution function of the standard normal distribution",
    "softmax": "e^z / sum of e^z over the outputs of a sample",
}
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
