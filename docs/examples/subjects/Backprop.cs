// Backpropagation for dense networks, and the loop in which purebp asks it: the line dialect of docs/wire-format.md.
//
//     mcs -out:backprop.exe Backprop.cs
//     purebp check -- mono backprop.exe
//
// or, in the directory of a project: dotnet build -o build; purebp check -- dotnet build/PROJECT.dll

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

internal static class Backprop
{
    /// <summary>Row j of the weights feeds neuron j; biases are null where there are none.</summary>
    internal sealed class Layer
    {
        public double[][] Weights { get; set; }
        public double[] Biases { get; set; }
        public string Activation { get; set; }
    }

    /// <summary>Of one layer, in its shapes.</summary>
    internal sealed class Gradient
    {
        public double[][] Weights { get; set; }
        public double[] Biases { get; set; }
    }

    /// <summary>Why there are no gradients.</summary>
    internal sealed class Unsupported : Exception
    {
        public Unsupported(string message) : base(message) { }
    }

    private const string Hello =
        "hello 1 backprop language=C# activations=tanh,identity loss=mse returns=gradients";

    private static double Value(string f, double z)
    {
        switch (f)
        {
            case "identity": return z;
            case "sigmoid": return 1 / (1 + Math.Exp(-z));
            case "tanh": return Math.Tanh(z);
            case "relu": return Math.Max(z, 0);
            default: throw new Unsupported("no activation " + f);
        }
    }

    /// <summary>f'(z), written in terms of a = f(z).</summary>
    private static double Derivative(string f, double a)
    {
        return f == "sigmoid" ? a * (1 - a) : f == "tanh" ? 1 - a * a : f == "relu" && a <= 0 ? 0 : 1;
    }

    private static double[] Forward(Layer layer, double[] below)
    {
        var a = new double[layer.Weights.Length];
        for (int j = 0; j < a.Length; j++)
        {
            double z = layer.Biases == null ? 0 : layer.Biases[j];
            for (int i = 0; i < below.Length; i++) z += layer.Weights[j][i] * below[i];
            a[j] = Value(layer.Activation, z);
        }
        return a;
    }

    /// <summary>Adds the gradients of one sample; returns the error of the layer below.</summary>
    private static double[] Backward(Layer layer, Gradient gradient, double[] below, double[] a, double[] error)
    {
        var errorBelow = new double[below.Length];
        for (int j = 0; j < a.Length; j++)
        {
            double delta = error[j] * Derivative(layer.Activation, a[j]);
            if (layer.Biases != null) gradient.Biases[j] += delta;
            for (int i = 0; i < below.Length; i++)
            {
                gradient.Weights[j][i] += delta * below[i];
                errorBelow[i] += layer.Weights[j][i] * delta;
            }
        }
        return errorBelow;
    }

    private static List<Gradient> Gradients(List<Layer> layers, double[][] inputs, double[][] targets, string loss)
    {
        if (loss != "sse" && loss != "mse") throw new Unsupported("no loss " + loss);
        double factor = loss == "sse" ? 2 : 2.0 / (targets.Length * targets[0].Length);
        var found = layers.Select(layer => new Gradient
        {
            Weights = layer.Weights.Select(row => new double[row.Length]).ToArray(),
            Biases = layer.Biases == null ? null : new double[layer.Biases.Length],
        }).ToList();
        for (int s = 0; s < inputs.Length; s++)
        {
            var a = new List<double[]> { inputs[s] };
            foreach (Layer layer in layers) a.Add(Forward(layer, a[a.Count - 1]));
            double[] error = a[layers.Count].Zip(targets[s], (output, t) => factor * (output - t)).ToArray();
            for (int l = layers.Count - 1; l >= 0; l--) error = Backward(layers[l], found[l], a[l], a[l + 1], error);
        }
        return found;
    }

    private static int Size(IEnumerator<string> words)
    {
        return int.Parse(Next(words), CultureInfo.InvariantCulture);
    }

    private static string Next(IEnumerator<string> words)
    {
        return words.MoveNext() ? words.Current : throw new FormatException("a longer line is wanted");
    }

    private static double[][] Matrix(IEnumerator<string> words, int rows, int columns)
    {
        var matrix = new double[rows][];
        for (int j = 0; j < rows; j++)
        {
            matrix[j] = new double[columns];
            for (int i = 0; i < columns; i++) matrix[j][i] = double.Parse(Next(words), CultureInfo.InvariantCulture);
        }
        return matrix;
    }

    /// <summary>What is answered to a request, from its number of layers on.</summary>
    private static string Answer(IEnumerator<string> words)
    {
        var sizes = new int[Size(words) + 1];
        for (int l = 0; l < sizes.Length; l++) sizes[l] = Size(words);
        int samples = Size(words);
        string loss = Next(words);
        Next(words); // the learning rate
        var layers = new List<Layer>();
        for (int l = 1; l < sizes.Length; l++)
        {
            string f = Next(words);
            bool hasBiases = Next(words) == "1";
            double[][] weights = Matrix(words, sizes[l], sizes[l - 1]);
            double[] biases = hasBiases ? Matrix(words, 1, sizes[l])[0] : null;
            layers.Add(new Layer { Weights = weights, Biases = biases, Activation = f });
        }
        double[][] inputs = Matrix(words, samples, sizes[0]);
        double[][] targets = Matrix(words, samples, sizes[sizes.Length - 1]);
        var said = new List<string> { "gradients" };
        foreach (Gradient gradient in Gradients(layers, inputs, targets, loss))
        {
            var numbers = gradient.Weights.SelectMany(row => row).Concat(gradient.Biases ?? new double[0]);
            said.AddRange(numbers.Select(x => x.ToString("G17", CultureInfo.InvariantCulture)));
        }
        return string.Join(" ", said);
    }

    private static void Main()
    {
        TextWriter answers = Console.Out;
        Console.SetOut(Console.Error); // what else is printed is no answer
        for (string line = Console.ReadLine(); line != null; line = Console.ReadLine())
        {
            IEnumerator<string> words = ((IEnumerable<string>)line.Split(' ')).GetEnumerator();
            string said = Hello;
            if (Next(words) == "run")
            {
                string id = Next(words);
                try
                {
                    said = id + " " + Answer(words);
                }
                catch (Unsupported why)
                {
                    said = id + " skip " + why.Message;
                }
            }
            answers.WriteLine(said);
            answers.Flush();
        }
    }
}
