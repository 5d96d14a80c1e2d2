// The loop in which purebp asks mine.js for gradients: one line of JSON after the other (docs/wire-format.md).
// Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is.
//
//     purebp check -- node mine_purebp.js
"use strict";

class Unsupported extends Error {}

// ---- YOURS -------------------------------------------------------------------------------------------------------

// What your function computes; what is left out is found by trying. Say more, such as
// activations: ["tanh", "identity"], loss: "mse", returns: "gradients", sizes: [2, 3, 1], batch: 1, biases: false
const HELLO = { protocol: 1, name: "mine", language: "JavaScript" };

console.log = console.error; // what mine.js prints is no answer
const yours = require("./mine.js"); // what it exports: module.exports = { backprop }

// The gradients of the loss over all samples: a list with {weights, biases} for each layer.
//     layers[l].weights[j][i], .biases[j]   the weight from i to neuron j, the bias of neuron j; biases may be null
//     layers[l].activation, loss            names, such as "tanh" and "mse", if you can compute more than one
//     inputs[s][i], targets[s][j]           those of sample s
// Call your function, as yours.backprop(...), in place of what stands here.
function gradients({ layers, inputs, targets, loss }) {
  throw new Unsupported("mine_purebp.js does not call your function yet: do so in gradients()");
}

// ---- END OF YOURS ------------------------------------------------------------------------------------------------

function answer(request) {
  if (request.cmd === "hello") return HELLO;
  try {
    return { id: request.id, gradients: gradients(request.given) };
  } catch (error) {
    if (error instanceof Unsupported) return { id: request.id, skip: error.message };
    throw error;
  }
}

if (require.main === module) {
  const lines = require("node:readline").createInterface({ input: process.stdin });
  lines.on("line", (line) => process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n"));
}
