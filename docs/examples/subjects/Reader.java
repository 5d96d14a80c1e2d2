// Reads a file of test vectors, computes the gradients and compares them with what is expected. It needs no purebp.
//
//     javac Reader.java && java Reader DIR/gradients.json

import java.io.IOException;
import java.io.StreamTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

public final class Reader {
    /** The JSON of these files: a word, or items with keys or without; commas and colons count as spaces. */
    record Json(String key, String word, List<Json> items) {
        Json get(String name) {
            return items.stream().filter(item -> name.equals(item.key)).findFirst().orElseThrow();
        }

        DoubleStream numbers() {
            boolean isNumber = !word.isEmpty() && "-0123456789".indexOf(word.charAt(0)) >= 0;
            return isNumber ? DoubleStream.of(Double.parseDouble(word)) : items.stream().flatMapToDouble(Json::numbers);
        }

        double[][] matrix() {
            return items.stream().map(row -> row.numbers().toArray()).toArray(double[][]::new);
        }
    }

    private static Json json(StreamTokenizer tokens, String key) throws IOException {
        List<Json> items = new ArrayList<>();
        int start = tokens.nextToken();
        if (start != '{' && start != '[') return new Json(key, tokens.sval, items);
        while (tokens.nextToken() != '}' && tokens.ttype != ']') {
            String name = start == '{' ? tokens.sval : "";
            if (start == '[') tokens.pushBack();
            items.add(json(tokens, name));
        }
        return new Json(key, "", items);
    }

    private static Json read(Path file) throws IOException {
        StreamTokenizer tokens = new StreamTokenizer(Files.newBufferedReader(file));
        tokens.resetSyntax();
        tokens.wordChars('!', '~');
        tokens.quoteChar('"');
        tokens.whitespaceChars(0, ' ');
        for (char c : ",:".toCharArray()) tokens.whitespaceChars(c, c);
        for (char c : "{}[]".toCharArray()) tokens.ordinaryChar(c);
        return json(tokens, "");
    }

    /** Whether every gradient is within its budget; NaN never is. */
    private static boolean isRight(Json test) {
        Json given = test.get("given");
        List<Backprop.Layer> layers = given.get("layers").items.stream().map(Reader::layer).toList();
        double[] found = Backprop.gradients(
                layers, given.get("inputs").matrix(), given.get("targets").matrix(), given.get("loss").word)
            .stream().flatMapToDouble(Backprop.Gradient::numbers).toArray();
        double[] expected = test.get("expected").get("gradients").numbers().toArray();
        double[] budget = test.get("budget").get("binary64").get("gradients").numbers().toArray();
        return IntStream.range(0, expected.length).allMatch(i -> Math.abs(found[i] - expected[i]) <= budget[i]);
    }

    private static Backprop.Layer layer(Json layer) {
        Json biases = layer.get("biases");
        return new Backprop.Layer(
            layer.get("weights").matrix(),
            biases.word.equals("null") ? null : biases.numbers().toArray(),
            layer.get("activation").word);
    }

    public static void main(String[] args) throws IOException {
        List<Json> tests = read(Path.of(args[0])).get("tests").items;
        int right = 0, skipped = 0;
        for (Json test : tests) {
            try {
                if (isRight(test)) right++;
                else System.out.println(test.get("id").word + ": wrong");
            } catch (Backprop.Unsupported reason) {
                skipped++;
            }
        }
        int asked = tests.size() - skipped;
        System.out.printf("%d of %d vectors right, %d skipped%n", right, asked, skipped);
        System.exit(right < asked || right == 0 ? 1 : 0);
    }
}
