// synaptic: activate and propagate a Perceptron once, from given weights. With "neurons" as an argument each neuron
// does it for itself (setOptimize(false)); by default synaptic writes a function for the whole network.
const { Architect, Network } = require("synaptic");
const serve = require("./serve.cjs");

const rate = 0.125;

serve(
  { name: "synaptic", activations: ["sigmoid", "sigmoid"], batch: 1, returns: "step", learning_rate: rate },
  ({ layers, inputs, targets }) => {
    const sizes = [inputs[0].length, ...layers.map(({ biases }) => biases.length)];
    const first = sizes.map((_, l) => sizes.slice(0, l).reduce((a, b) => a + b, 0)); // neuron of every layer
    const place = ({ from, to }) => {
      const l = first.findLastIndex((n) => n <= to);
      return [l - 1, to - first[l], from - first[l - 1]];
    };
    const json = new Architect.Perceptron(...sizes).toJSON();
    layers.forEach(({ biases }, l) => biases.forEach((b, j) => (json.neurons[first[l + 1] + j].bias = b)));
    for (const connection of json.connections) {
      const [l, j, i] = place(connection);
      connection.weight = layers[l].weights[j][i];
    }
    const network = Network.fromJSON(json);
    if (process.argv[2] === "neurons") network.setOptimize(false);
    network.activate(inputs[0]);
    network.propagate(rate, targets[0]);
    const after = network.toJSON();
    after.connections.forEach((connection) => {
      const [l, j, i] = place(connection);
      layers[l].weights[j][i] = connection.weight;
    });
    layers.forEach(({ biases }, l) => biases.forEach((_, j) => (biases[j] = after.neurons[first[l + 1] + j].bias)));
    return { step: layers.map(({ weights, biases }) => ({ weights, biases })) };
  }
);
