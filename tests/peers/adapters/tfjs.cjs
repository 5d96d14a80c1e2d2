// TensorFlow.js on its CPU backend: variableGrads of a loss, in the only precision it has, single.
const tf = require("@tensorflow/tfjs");
const serve = require("./serve.cjs");

serve(
  { name: "TensorFlow.js", activations: ["tanh", "identity"], weights: "in_out", format: "binary32" },
  ({ layers, inputs, targets }) =>
    tf.tidy(() => {
      const variables = layers.map(({ weights, biases }) => [weights, biases].map((x) => tf.variable(tf.tensor(x))));
      const { grads } = tf.variableGrads(() => {
        const [[w1, b1], [w2, b2]] = variables;
        const hidden = tf.tanh(tf.add(tf.matMul(tf.tensor(inputs), w1), b1));
        return tf.losses.meanSquaredError(tf.tensor(targets), tf.add(tf.matMul(hidden, w2), b2));
      });
      const found = (variable) => grads[variable.name].arraySync();
      return { gradients: variables.map(([w, b]) => ({ weights: found(w), biases: found(b) })) };
    })
);
