"""PyTorch's autograd, through an nn.Sequential in double precision."""

import torch

PUREBP = {"activations": ["tanh", "identity"], "loss": "mse", "arrays": "torch"}


def gradients(weights, biases, x, y):
    (n_hidden, n_in), n_out = weights[0].shape, len(biases[1])
    model = torch.nn.Sequential(torch.nn.Linear(n_in, n_hidden), torch.nn.Tanh(), torch.nn.Linear(n_hidden, n_out))
    model.double()
    layers = [model[0], model[2]]
    with torch.no_grad():
        for layer, w, b in zip(layers, weights, biases):
            layer.weight.copy_(w)
            layer.bias.copy_(b)
    torch.nn.functional.mse_loss(model(x), y).backward()
    return [layer.weight.grad for layer in layers], [layer.bias.grad for layer in layers]
