// The loop in which purebp asks mine.cpp for gradients, in the line dialect of docs/wire-format.md.
// Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is.
//
//     g++ -std=c++17 -O2 -o mine mine_purebp.cpp
//     purebp check -- ./mine
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace purebp {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

struct Layer {
    Matrix weights;   // row j feeds neuron j
    Vector biases;    // empty where there are none
    std::string f;    // the name of its activation
};

struct Gradient {
    Matrix weights;   // in the shapes of the layer
    Vector biases;
};

struct Unsupported : std::runtime_error {  // why there are no gradients
    using std::runtime_error::runtime_error;
};

}  // namespace purebp

// ---- YOURS -------------------------------------------------------------------------------------------------------

#define main main_of_mine  // mine.cpp may have a main of its own, which is not run
#include "mine.cpp"
#undef main

namespace purebp {

// What your function computes; what is left out is found by trying. Say more behind the name, such as
// activations=tanh,identity loss=mse returns=gradients sizes=2,3,1 batch=1 biases=false
const char *const HELLO = "hello 1 mine language=C++";

// The gradients of the loss over all samples, one `Gradient` for each layer: inputs[s] and targets[s] are those of
// sample s; `loss`, and `f` of each layer, are names such as "mse" and "tanh", if you can compute more than one.
// Call your function, as ::backprop(...), in place of what stands here.
std::vector<Gradient> gradients(
    const std::vector<Layer> &layers, const Matrix &inputs, const Matrix &targets, const std::string &loss) {
    static_cast<void>(layers), static_cast<void>(inputs), static_cast<void>(targets), static_cast<void>(loss);
    throw Unsupported("mine_purebp.cpp does not call your function yet: do so in gradients()");
}

}  // namespace purebp

// ---- END OF YOURS ------------------------------------------------------------------------------------------------

namespace purebp {

template <typename T>
T read(std::istream &words) {
    T value;
    if (!(words >> value)) throw std::invalid_argument("a longer line is wanted");
    return value;
}

Matrix read_matrix(std::istream &words, std::size_t rows, std::size_t columns) {
    Matrix matrix(rows, Vector(columns));
    for (Vector &row : matrix) {
        for (double &number : row) number = read<double>(words);
    }
    return matrix;
}

// What is answered to a request, from its number of layers on.
std::string answer(std::istream &words) {
    std::vector<std::size_t> sizes(read<std::size_t>(words) + 1);
    for (std::size_t &size : sizes) size = read<std::size_t>(words);
    auto samples = read<std::size_t>(words);
    auto loss = read<std::string>(words);
    read<std::string>(words);  // the learning rate
    std::vector<Layer> layers;
    for (std::size_t l = 1; l < sizes.size(); l++) {
        auto f = read<std::string>(words);
        bool has_biases = read<int>(words) == 1;
        Matrix weights = read_matrix(words, sizes[l], sizes[l - 1]);
        layers.push_back({weights, has_biases ? read_matrix(words, 1, sizes[l])[0] : Vector(), f});
    }
    Matrix inputs = read_matrix(words, samples, sizes.front());
    Matrix targets = read_matrix(words, samples, sizes.back());
    std::ostringstream said;
    said.precision(17);
    said << "gradients";
    for (const Gradient &gradient : gradients(layers, inputs, targets, loss)) {
        for (const Vector &row : gradient.weights) {
            for (double number : row) said << ' ' << number;
        }
        for (double number : gradient.biases) said << ' ' << number;
    }
    return said.str();
}

}  // namespace purebp

int main() {
    std::ostream answers(std::cout.rdbuf());
    std::cout.rdbuf(std::cerr.rdbuf());  // what else is printed is no answer
    for (std::string line, word, id; std::getline(std::cin, line);) {
        std::istringstream words(line);
        words >> word >> id;
        if (word != "run") {
            answers << purebp::HELLO << std::endl;  // which flushes
            continue;
        }
        std::string said;
        try {
            said = purebp::answer(words);
        } catch (const purebp::Unsupported &why) {
            said = std::string("skip ") + why.what();
        }
        answers << id << ' ' << said << std::endl;
    }
}
