// The loop in which purebp asks mine.go for gradients, in the line dialect of docs/wire-format.md.
// Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is. Both files are of the package main,
// and a program has one main: call that of mine.go another name.
//
//	go build -o mine mine_purebp.go mine.go
//	purebp check -- ./mine

package main

import (
	"bufio"
	"fmt"
	"io"
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

// ---- YOURS -------------------------------------------------------------------------------------------------------

// What your function computes; what is left out is found by trying. Say more behind the name, such as
// activations=tanh,identity loss=mse returns=gradients sizes=2,3,1 batch=1 biases=false
const hello = "hello 1 mine language=Go"

// The gradients of the loss over all samples, one for each layer, or why there are none: inputs[s] and targets[s] are
// those of sample s; loss, and the Activation of each layer, are names such as "mse" and "tanh", if you can compute
// more than one. Call your function in place of what stands here.
func findGradients(layers []GivenLayer, inputs, targets [][]float64, loss string) ([]GivenGradient, error) {
	return nil, fmt.Errorf("mine_purebp.go does not call your function yet: do so in findGradients()")
}

// ---- END OF YOURS ------------------------------------------------------------------------------------------------

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
