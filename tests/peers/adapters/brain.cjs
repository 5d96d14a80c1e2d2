// brain.js: one iteration of train on one sample, from given weights. There is no step before it, so that
// the momentum, which must be above 0, does nothing. Its arrays are Float32Arrays.
const brain = require("brain.js");
const serve = require("./serve.cjs");

const learningRate = 0.125;

serve(
  {
    name: "brain.js",
    activations: ["sigmoid", "sigmoid"],
    batch: 1,
    returns: "step",
    learning_rate: learningRate,
    format: "binary32",
  },
  ({ layers, inputs, targets }) => {
    const network = new brain.NeuralNetwork({ activation: "sigmoid" });
    network.sizes = [inputs[0].length, ...layers.map(({ biases }) => biases.length)];
    network.initialize();
    layers.forEach(({ weights, biases }, l) => {
      weights.forEach((row, j) => network.weights[l + 1][j].set(row));
      network.biases[l + 1].set(biases);
    });
    network.train([{ input: inputs[0], output: targets[0] }], { iterations: 1, learningRate });
    const step = layers.map((_, l) => ({
      weights: network.weights[l + 1].map((row) => [...row]),
      biases: [...network.biases[l + 1]],
    }));
    return { step };
  }
);
