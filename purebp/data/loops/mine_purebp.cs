// The loop in which purebp asks mine.cs for gradients, in the line dialect of docs/wire-format.md.
// Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is. In the project of mine.cs:
//
//     dotnet build -p:StartupObject=mine_purebp -p:AssemblyName=mine_purebp -o build_purebp .
//     purebp check -- dotnet build_purebp/mine_purebp.dll
//
// or, with Mono: mcs -main:mine_purebp -out:mine.exe mine_purebp.cs mine.cs; purebp check -- mono mine.exe

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

internal static class mine_purebp
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

    // ---- YOURS ---------------------------------------------------------------------------------------------------

    // What your method computes; what is left out is found by trying. Say more behind the name, such as
    // activations=tanh,identity loss=mse returns=gradients sizes=2,3,1 batch=1 biases=false
    private const string Hello = "hello 1 mine language=C#";

    // The gradients of the loss over all samples, a Gradient for each layer: inputs[s] and targets[s] are those of
    // sample s; loss, and the Activation of each layer, are names such as "mse" and "tanh", if you can compute more
    // than one. Call your method in place of what stands here.
    private static List<Gradient> Gradients(List<Layer> layers, double[][] inputs, double[][] targets, string loss)
    {
        throw new Unsupported("mine_purebp.cs does not call your method yet: do so in Gradients()");
    }

    // ---- END OF YOURS --------------------------------------------------------------------------------------------

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
