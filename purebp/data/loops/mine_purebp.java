// The loop in which purebp asks mine.java for gradients, in the line dialect of docs/wire-format.md.
// Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is.
//
//     javac -d . mine_purebp.java mine.java
//     purebp check -- java -cp . mine_purebp

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.StringJoiner;
import java.util.stream.DoubleStream;

final class mine_purebp {
    /** What the network or the loss needs is not here. */
    static final class Unsupported extends RuntimeException {
        private static final long serialVersionUID = 1;

        Unsupported(String message) {
            super(message);
        }
    }

    /** Row j of the weights feeds neuron j; biases are null where there are none. */
    record Layer(double[][] weights, double[] biases, String f) {
    }

    /** Of one layer, in its shapes. */
    record Gradient(double[][] weights, double[] biases) {
        /** Weights row by row, and then biases. */
        DoubleStream numbers() {
            return DoubleStream.concat(Arrays.stream(weights).flatMapToDouble(Arrays::stream),
                                       biases == null ? DoubleStream.empty() : Arrays.stream(biases));
        }
    }

    // ---- YOURS ---------------------------------------------------------------------------------------------------

    /**
     * What your function computes; what is left out is found by trying. Say more behind the name, such as
     * activations=tanh,identity loss=mse returns=gradients sizes=2,3,1 batch=1 biases=false
     */
    private static final String HELLO =
        "hello 1 mine language=Java";

    /**
     * The gradients of the loss over all samples, a Gradient for each layer: inputs[s] and targets[s] are those of
     * sample s; loss, and the f of each layer, are names such as "mse" and "tanh", if you can compute more than one.
     * Call your method in place of what stands here.
     */
    static List<Gradient> gradients(List<Layer> layers, double[][] inputs, double[][] targets, String loss) {
        throw new Unsupported("mine_purebp.java does not call your method yet: do so in gradients()");
    }

    // ---- END OF YOURS --------------------------------------------------------------------------------------------

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
