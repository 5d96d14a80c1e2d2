"""Two layers, tanh and identity, mse, in the line dialect; with a mistake, if it is told one. Its layout it does not say.

python words.py right|biases|first|forgets [HELLO ...]
"""

import math
import sys

Rows = list[list[float]]


def numbers(words: list[str], rows: int, columns: int) -> Rows:
    return [[float(words.pop(0)) for _ in range(columns)] for _ in range(rows)]


def main() -> None:
    how, *hello = sys.argv[1:]
    input()
    print("hello 1 words language=Python activations=tanh,identity loss=mse", *hello, flush=True)
    for line in sys.stdin:
        _, number, depth, *words = line.split()
        sizes = [int(words.pop(0)) for _ in range(int(depth) + 1)]
        samples, _, _ = int(words.pop(0)), words.pop(0), words.pop(0)
        layers: list[tuple[bool, Rows, list[float]]] = []
        for n_in, n_out in zip(sizes, sizes[1:]):
            name, biased = words.pop(0), words.pop(0) == "1"
            weights = numbers(words, n_out, n_in)
            biases = numbers(words, 1, n_out)[0] if biased else []
            layers.append((name == "identity", weights, biases))
        inputs, targets = numbers(words, samples, sizes[0]), numbers(words, samples, sizes[-1])
        found = [([[0.0] * len(row) for row in w], [0.0] * len(b)) for _, w, b in layers]
        for x, y in list(zip(inputs, targets))[: 1 if how == "first" else None]:
            a = [x]
            for linear, weights, biases in layers:
                z = [
                    sum(w * v for w, v in zip(row, a[-1])) + b
                    for row, b in zip(weights, biases or [0.0] * len(weights))
                ]
                a.append(z if linear else list(map(math.tanh, z)))
            error = [2 * (p - t) / (samples * len(y)) for p, t in zip(a[-1], y)]
            for l in reversed(range(len(layers))):
                linear, weights, biases = layers[l]
                deltas = [e if linear else e * (1 - p * p) for e, p in zip(error, a[l + 1])]
                for j, d in enumerate(deltas):
                    for i, v in enumerate(a[l]):
                        found[l][0][j][i] += d * v
                    if biases:
                        found[l][1][j] += d * (3 if how == "biases" else 1)
                error = [sum(d * row[i] for d, row in zip(deltas, weights)) for i in range(len(a[l]))]
        said = [
            repr(x)
            for weights, biases in found
            for x in [*(w for row in weights for w in row), *([] if how == "forgets" else biases)]
        ]
        print(number, "gradients", *said, flush=True)


if __name__ == "__main__":
    main()
