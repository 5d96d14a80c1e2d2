// Backpropagation for dense networks, and the loop in which purebp asks it: one line of JSON after the other.
//
//     purebp check -- node backprop.js
"use strict";

const HELLO = {
  protocol: 1,
  name: "backprop",
  language: "JavaScript",
  activations: ["tanh", "identity"],
  loss: "mse",
  returns: "gradients",
};

// f(z), and f'(z) written in terms of a = f(z).
const ACTIVATIONS = {
  identity: { value: (z) => z, derivative: () => 1 },
  sigmoid: { value: (z) => 1 / (1 + Math.exp(-z)), derivative: (a) => a * (1 - a) },
  tanh: { value: Math.tanh, derivative: (a) => 1 - a * a },
  relu: { value: (z) => Math.max(z, 0), derivative: (a) => (a > 0 ? 1 : 0) },
};

// The derivative of the loss by an output, in units of output - target; n is the number of all outputs.
const LOSSES = { sse: () => 2, mse: (n) => 2 / n };

class Unsupported extends Error {}

class ShapeError extends Error {}

function known(table, name) {
  if (!Object.hasOwn(table, name)) throw new Unsupported(`no ${name}`);
  return table[name];
}

function checkShapes(layers, inputs, targets) {
  const need = (fits, what) => {
    if (!fits) throw new ShapeError(what);
  };
  need(layers.length > 0 && inputs.length > 0, "there must be a layer and a sample");
  need(inputs.length === targets.length, `${inputs.length} inputs, ${targets.length} targets`);
  let width = inputs[0].length;
  need(inputs.every((x) => x.length === width), "inputs differ in length");
  for (const { weights, biases } of layers) {
    need(weights.every((row) => row.length === width), `a row of weights for each neuron, ${width} numbers in each`);
    need(!biases || biases.length === weights.length, `${biases?.length} biases for ${weights.length} neurons`);
    width = weights.length;
  }
  need(targets.every((y) => y.length === width), `there are ${width} outputs`);
}

function forward({ weights, biases, f }, below) {
  return weights.map((row, j) => f.value(row.reduce((z, w, i) => z + w * below[i], biases ? biases[j] : 0)));
}

// Adds the gradients of one sample to those of the layer; returns the error of the layer below.
function backward({ weights, biases, f }, gradient, below, a, error) {
  const errorBelow = new Array(below.length).fill(0);
  for (let j = 0; j < a.length; j++) {
    const delta = error[j] * f.derivative(a[j]);
    if (biases) gradient.biases[j] += delta;
    for (let i = 0; i < below.length; i++) {
      gradient.weights[j][i] += delta * below[i];
      errorBelow[i] += weights[j][i] * delta;
    }
  }
  return errorBelow;
}

function gradients({ layers, inputs, targets, loss }) {
  checkShapes(layers, inputs, targets);
  const network = layers.map((layer) => ({ ...layer, f: known(ACTIVATIONS, layer.activation) }));
  const factor = known(LOSSES, loss)(targets.length * targets[0].length);
  const found = layers.map(({ weights, biases }) => ({
    weights: weights.map((row) => row.map(() => 0)),
    biases: biases && biases.map(() => 0),
  }));
  inputs.forEach((x, s) => {
    const a = [x];
    for (const layer of network) a.push(forward(layer, a.at(-1)));
    let error = a.at(-1).map((output, j) => factor * (output - targets[s][j]));
    for (let l = network.length - 1; l >= 0; l--) error = backward(network[l], found[l], a[l], a[l + 1], error);
  });
  return found;
}

function answer(request) {
  if (request.cmd === "hello") return HELLO;
  try {
    return { id: request.id, gradients: gradients(request.given) };
  } catch (error) {
    if (error instanceof Unsupported) return { id: request.id, skip: error.message };
    if (error instanceof ShapeError) return { id: request.id, error: { kind: "shape", message: error.message } };
    throw error;
  }
}

if (require.main === module) {
  const lines = require("node:readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n"));
}

module.exports = { gradients, Unsupported, ShapeError };
