"""PyTorch: autograd of an nn.Sequential, in the precision of what it is given."""

import torch

PUREBP = {"activations": ["tanh", "identity"], "arrays": "torch"}


def gradients(weights, biases, x, y):
    (n_hidden, n_in), n_out = weights[0].shape, len(biases[1])
    model = torch.nn.Sequential(torch.nn.Linear(n_in, n_hidden), torch.nn.Tanh(), torch.nn.Linear(n_hidden, n_out))
    model.to(x.dtype)
    with torch.no_grad():
        for layer, w, b in zip(model[::2], weights, biases):
            layer.weight.copy_(w)
            layer.bias.copy_(b)
    torch.nn.functional.mse_loss(model(x), y).backward()
    return [layer.weight.grad for layer in model[::2]], [layer.bias.grad for layer in model[::2]]
