// Backpropagation for dense networks, and the loop in which purebp asks it: the line dialect of docs/wire-format.md.
//
//     javac Backprop.java
//     purebp check -- java Backprop

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.stream.DoubleStream;

final class Backprop {
    private static final String HELLO =
        "hello 1 backprop language=Java activations=tanh,identity loss=mse returns=gradients";

    /** What the network or the loss needs is not here. */
    static final class Unsupported extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unsupported(String message) {
            super(message);
        }
    }

    enum Activation {
        IDENTITY, SIGMOID, TANH, RELU;

        static Activation named(String name) {
            for (Activation f : values()) {
                if (f.name().toLowerCase(Locale.ROOT).equals(name)) return f;
            }
            throw new Unsupported("no activation " + name);
        }

        double value(double z) {
            return switch (this) {
                case IDENTITY -> z;
                case SIGMOID -> 1 / (1 + Math.exp(-z));
                case TANH -> Math.tanh(z);
                case RELU -> Math.max(z, 0);
            };
        }

        /** f'(z), written in terms of a = f(z). */
        double derivative(double a) {
            return switch (this) {
                case IDENTITY -> 1;
                case SIGMOID -> a * (1 - a);
                case TANH -> 1 - a * a;
                case RELU -> a > 0 ? 1 : 0;
            };
        }
    }

    /** Row j of the weights feeds neuron j; biases are null where there are none. */
    record Layer(double[][] weights, double[] biases, String f) {
        double[] forward(double[] below) {
            Activation activation = Activation.named(f);
            double[] a = new double[weights.length];
            for (int j = 0; j < a.length; j++) {
                double z = biases == null ? 0 : biases[j];
                for (int i = 0; i < below.length; i++) z += weights[j][i] * below[i];
                a[j] = activation.value(z);
            }
            return a;
        }

        /** Adds the gradients of one sample; returns the error of the layer below. */
        double[] backward(Gradient gradient, double[] below, double[] a, double[] error) {
            Activation activation = Activation.named(f);
            double[] errorBelow = new double[below.length];
            for (int j = 0; j < a.length; j++) {
                double delta = error[j] * activation.derivative(a[j]);
                if (biases != null) gradient.biases[j] += delta;
                for (int i = 0; i < below.length; i++) {
                    gradient.weights[j][i] += delta * below[i];
                    errorBelow[i] += weights[j][i] * delta;
                }
            }
            return errorBelow;
        }
    }

    /** Of one layer, in its shapes. */
    record Gradient(double[][] weights, double[] biases) {
        Gradient(Layer layer) {
            this(new double[layer.weights.length][layer.weights[0].length],
                 layer.biases == null ? null : new double[layer.biases.length]);
        }

        /** Weights row by row, and then biases. */
        DoubleStream numbers() {
            return DoubleStream.concat(Arrays.stream(weights).flatMapToDouble(Arrays::stream),
                                       biases == null ? DoubleStream.empty() : Arrays.stream(biases));
        }
    }

    static List<Gradient> gradients(List<Layer> layers, double[][] inputs, double[][] targets, String loss) {
        double factor = switch (loss) {
            case "sse" -> 2;
            case "mse" -> 2.0 / (targets.length * targets[0].length);
            default -> throw new Unsupported("no loss " + loss);
        };
        List<Gradient> gradients = layers.stream().map(Gradient::new).toList();
        for (int s = 0; s < inputs.length; s++) {
            List<double[]> a = new ArrayList<>(List.of(inputs[s]));
            for (Layer layer : layers) a.add(layer.forward(a.get(a.size() - 1)));
            double[] error = a.get(layers.size()).clone();
            for (int j = 0; j < error.length; j++) error[j] = factor * (error[j] - targets[s][j]);
            for (int l = layers.size() - 1; l >= 0; l--) {
                error = layers.get(l).backward(gradients.get(l), a.get(l), a.get(l + 1), error);
            }
        }
        return gradients;
    }

    private static double[][] matrix(Iterator<String> words, int rows, int columns) {
        double[][] matrix = new double[rows][columns];
        for (double[] row : matrix) {
            for (int i = 0; i < columns; i++) row[i] = Double.parseDouble(words.next());
        }
        return matrix;
    }

    private static int size(Iterator<String> words) {
        return Integer.parseInt(words.next());
    }

    /** What is answered to a request, from its number of layers on. */
    private static String answer(Iterator<String> words) {
        int[] sizes = new int[size(words) + 1];
        for (int l = 0; l < sizes.length; l++) sizes[l] = size(words);
        int samples = size(words);
        String loss = words.next();
        words.next(); // the learning rate
        List<Layer> layers = new ArrayList<>();
        for (int l = 1; l < sizes.length; l++) {
            String f = words.next();
            boolean hasBiases = words.next().equals("1");
            double[][] weights = matrix(words, sizes[l], sizes[l - 1]);
            layers.add(new Layer(weights, hasBiases ? matrix(words, 1, sizes[l])[0] : null, f));
        }
        double[][] inputs = matrix(words, samples, sizes[0]);
        double[][] targets = matrix(words, samples, sizes[sizes.length - 1]);
        StringJoiner answer = new StringJoiner(" ", "gradients ", "");
        for (Gradient gradient : gradients(layers, inputs, targets, loss)) {
            gradient.numbers().forEach(x -> answer.add(Double.toString(x)));
        }
        return answer.toString();
    }

    public static void main(String[] args) {
        PrintStream answers = System.out;
        System.setOut(System.err); // what else is printed is no answer
        new BufferedReader(new InputStreamReader(System.in)).lines().forEach(line -> {
            Iterator<String> words = List.of(line.split(" ")).iterator();
            if (!words.next().equals("run")) {
                answers.println(HELLO);
                return;
            }
            String id = words.next();
            try {
                answers.println(id + " " + answer(words));
            } catch (Unsupported reason) {
                answers.println(id + " skip " + reason.getMessage());
            }
        });
    }
}
