// Backpropagation for dense networks, and the loop in which purebp asks it: the line dialect of docs/wire-format.md.
//
//	go build -o backprop backprop.go
//	purebp check -- ./backprop

package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// GivenLayer holds what is given of one: row j of the weights feeds neuron j; biases are nil where there are none.
type GivenLayer struct {
	Weights    [][]float64
	Biases     []float64
	Activation string
}

// GivenGradient is that of one layer, in its shapes.
type GivenGradient struct {
	Weights [][]float64
	Biases  []float64
}

const hello = "hello 1 backprop language=Go activations=tanh,identity loss=mse returns=gradients"

type activation struct {
	value, derivative func(float64) float64 // f(z), and f'(z) written in terms of a = f(z)
}

var activations = map[string]activation{
	"identity": {func(z float64) float64 { return z }, func(a float64) float64 { return 1 }},
	"sigmoid":  {func(z float64) float64 { return 1 / (1 + math.Exp(-z)) }, func(a float64) float64 { return a - a*a }},
	"tanh":     {math.Tanh, func(a float64) float64 { return 1 - a*a }},
	"relu": {func(z float64) float64 { return math.Max(z, 0) }, func(a float64) float64 {
		if a > 0 {
			return 1
		}
		return 0
	}},
}

func forward(layer GivenLayer, below []float64) []float64 {
	a := make([]float64, len(layer.Weights))
	for j, row := range layer.Weights {
		z := 0.0
		if layer.Biases != nil {
			z = layer.Biases[j]
		}
		for i, w := range row {
			z += w * below[i]
		}
		a[j] = activations[layer.Activation].value(z)
	}
	return a
}

// backward adds the gradients of one sample; it returns the error of the layer below.
func backward(layer GivenLayer, gradient GivenGradient, below, a, err []float64) []float64 {
	errBelow := make([]float64, len(below))
	for j, row := range layer.Weights {
		delta := err[j] * activations[layer.Activation].derivative(a[j])
		if layer.Biases != nil {
			gradient.Biases[j] += delta
		}
		for i, w := range row {
			gradient.Weights[j][i] += delta * below[i]
			errBelow[i] += w * delta
		}
	}
	return errBelow
}

func findGradients(layers []GivenLayer, inputs, targets [][]float64, loss string) ([]GivenGradient, error) {
	n := float64(len(targets) * len(targets[0]))
	factor, known := map[string]float64{"sse": 2, "mse": 2 / n}[loss]
	if !known {
		return nil, fmt.Errorf("no loss %s", loss)
	}
	found := make([]GivenGradient, len(layers))
	for l, layer := range layers {
		if _, known := activations[layer.Activation]; !known {
			return nil, fmt.Errorf("no activation %s", layer.Activation)
		}
		for _, row := range layer.Weights {
			found[l].Weights = append(found[l].Weights, make([]float64, len(row)))
		}
		found[l].Biases = make([]float64, len(layer.Biases))
	}
	for s, x := range inputs {
		a := [][]float64{x}
		for l, layer := range layers {
			a = append(a, forward(layer, a[l]))
		}
		err := make([]float64, len(targets[s]))
		for j, t := range targets[s] {
			err[j] = factor * (a[len(layers)][j] - t)
		}
		for l := len(layers) - 1; l >= 0; l-- {
			err = backward(layers[l], found[l], a[l], a[l+1], err)
		}
	}
	return found, nil
}

// givenWords are those of a request; what is no request ends the program.
type givenWords struct{ words []string }

func (given *givenWords) next() string {
	word := given.words[0]
	given.words = given.words[1:]
	return word
}

func (given *givenWords) size() int {
	n, err := strconv.Atoi(given.next())
	if err != nil {
		panic(err)
	}
	return n
}

func (given *givenWords) matrix(rows, columns int) [][]float64 {
	matrix := make([][]float64, rows)
	for j := range matrix {
		for i := 0; i < columns; i++ {
			x, err := strconv.ParseFloat(given.next(), 64)
			if err != nil {
				panic(err)
			}
			matrix[j] = append(matrix[j], x)
		}
	}
	return matrix
}

// answer is what is said to a request, from its number of layers on.
func (given *givenWords) answer() string {
	sizes := make([]int, given.size()+1)
	for l := range sizes {
		sizes[l] = given.size()
	}
	samples, loss := given.size(), given.next()
	given.next() // the learning rate
	layers := make([]GivenLayer, len(sizes)-1)
	for l := range layers {
		layers[l].Activation = given.next()
		hasBiases := given.next() == "1"
		layers[l].Weights = given.matrix(sizes[l+1], sizes[l])
		if hasBiases {
			layers[l].Biases = given.matrix(1, sizes[l+1])[0]
		}
	}
	inputs, targets := given.matrix(samples, sizes[0]), given.matrix(samples, sizes[len(sizes)-1])
	found, err := findGradients(layers, inputs, targets, loss)
	if err != nil {
		return "skip " + err.Error()
	}
	said := []string{"gradients"}
	for _, gradient := range found {
		for _, row := range append(gradient.Weights, gradient.Biases) {
			for _, x := range row {
				said = append(said, strconv.FormatFloat(x, 'g', -1, 64))
			}
		}
	}
	return strings.Join(said, " ")
}

func main() {
	answers := os.Stdout
	os.Stdout = os.Stderr // what else is printed is no answer
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return
		}
		given := givenWords{strings.Fields(line)}
		if given.next() == "run" {
			fmt.Fprintln(answers, given.next(), given.answer())
		} else {
			fmt.Fprintln(answers, hello)
		}
	}
}
