// Backpropagation for dense networks, and the loop in which purebp asks it: the line dialect of docs/wire-format.md.
//
//     g++ -std=c++17 -O2 -o backprop backprop.cpp
//     purebp check -- ./backprop
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

namespace purebp {

const char *const HELLO = "hello 1 backprop language=C++ activations=tanh,identity loss=mse returns=gradients";

double value(const std::string &f, double z) {
    if (f == "identity") return z;
    if (f == "sigmoid") return 1 / (1 + std::exp(-z));
    if (f == "tanh") return std::tanh(z);
    if (f == "relu") return std::fmax(z, 0);
    throw Unsupported("no activation " + f);
}

double derivative(const std::string &f, double a) {  // f'(z), written in terms of a = f(z)
    return f == "sigmoid" ? a * (1 - a) : f == "tanh" ? 1 - a * a : f == "relu" ? a > 0 : 1;
}

Vector forward(const Layer &layer, const Vector &below) {
    Vector a;
    for (std::size_t j = 0; j < layer.weights.size(); j++) {
        double z = layer.biases.empty() ? 0 : layer.biases[j];
        for (std::size_t i = 0; i < below.size(); i++) z += layer.weights[j][i] * below[i];
        a.push_back(value(layer.f, z));
    }
    return a;
}

// Adds the gradients of one sample; returns the error of the layer below.
Vector backward(const Layer &layer, Gradient &gradient, const Vector &below, const Vector &a, const Vector &error) {
    Vector error_below(below.size());
    for (std::size_t j = 0; j < a.size(); j++) {
        double delta = error[j] * derivative(layer.f, a[j]);
        if (!layer.biases.empty()) gradient.biases[j] += delta;
        for (std::size_t i = 0; i < below.size(); i++) {
            gradient.weights[j][i] += delta * below[i];
            error_below[i] += layer.weights[j][i] * delta;
        }
    }
    return error_below;
}

std::vector<Gradient> gradients(
    const std::vector<Layer> &layers, const Matrix &inputs, const Matrix &targets, const std::string &loss) {
    if (loss != "sse" && loss != "mse") throw Unsupported("no loss " + loss);
    double factor = loss == "sse" ? 2.0 : 2.0 / static_cast<double>(targets.size() * targets[0].size());
    std::vector<Gradient> found;
    for (const Layer &layer : layers) {
        found.push_back({Matrix(layer.weights.size(), Vector(layer.weights[0].size())), Vector(layer.biases.size())});
    }
    for (std::size_t s = 0; s < inputs.size(); s++) {
        Matrix a{inputs[s]};
        for (const Layer &layer : layers) a.push_back(forward(layer, a.back()));
        Vector error;
        for (std::size_t j = 0; j < targets[s].size(); j++) error.push_back(factor * (a.back()[j] - targets[s][j]));
        for (std::size_t l = layers.size(); l-- > 0;) error = backward(layers[l], found[l], a[l], a[l + 1], error);
    }
    return found;
}

}  // namespace purebp

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
