/* Backpropagation for dense networks, and the loop in which purebp asks it: the line dialect of docs/wire-format.md.

       cc -std=c11 -Wall -Wextra -O2 -o backprop backprop.c -lm
       purebp check -- ./backprop                                                                                   */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 32 };  /* layers, neurons in a layer, samples */

typedef struct {
    int n_in, n_out, has_biases;
    char f[64];                                               /* the name of its activation */
    double w[MOST][MOST], b[MOST], dw[MOST][MOST], db[MOST];  /* w[j][i] leads from i to neuron j; the gradients */
} GivenLayer;

static struct {
    int depth, samples;
    char loss[64];
    GivenLayer layers[MOST];
    double x[MOST][MOST], y[MOST][MOST];  /* a row for each sample */
} given;

#define HELLO "hello 1 backprop language=C activations=tanh,identity loss=mse returns=gradients"

enum { IDENTITY, SIGMOID, TANH, RELU, ACTIVATIONS };
static const char *const names[ACTIVATIONS] = {"identity", "sigmoid", "tanh", "relu"};

static int function_named(const char *name) {
    int f = 0;
    while (f < ACTIVATIONS && strcmp(name, names[f])) f++;
    return f;
}

static double value(int f, double z) {
    return f == SIGMOID ? 1 / (1 + exp(-z)) : f == TANH ? tanh(z) : f == RELU ? fmax(z, 0) : z;
}

static double derivative(int f, double a) {  /* f'(z), written in terms of a = f(z) */
    return f == SIGMOID ? a * (1 - a) : f == TANH ? 1 - a * a : f == RELU ? a > 0 : 1;
}

static void forward(const GivenLayer *layer, const double *below, double *a) {
    int f = function_named(layer->f);
    for (int j = 0; j < layer->n_out; j++) {
        double z = layer->b[j];
        for (int i = 0; i < layer->n_in; i++) z += layer->w[j][i] * below[i];
        a[j] = value(f, z);
    }
}

static void backward(GivenLayer *layer, const double *below, const double *a, const double *error,
                     double *error_below) {
    int f = function_named(layer->f);
    for (int i = 0; i < layer->n_in; i++) error_below[i] = 0;
    for (int j = 0; j < layer->n_out; j++) {
        double delta = error[j] * derivative(f, a[j]);
        layer->db[j] += delta;
        for (int i = 0; i < layer->n_in; i++) {
            layer->dw[j][i] += delta * below[i];
            error_below[i] += layer->w[j][i] * delta;
        }
    }
}

static const char *find_gradients(void) {  /* of what is given; NULL, or why there are none */
    int depth = given.depth, n_out = given.layers[depth - 1].n_out;
    int is_mse = !strcmp(given.loss, "mse");
    double factor = is_mse ? 2.0 / (given.samples * n_out) : 2.0;
    if (!is_mse && strcmp(given.loss, "sse")) return "no such loss";
    for (int l = 0; l < depth; l++) if (function_named(given.layers[l].f) == ACTIVATIONS) return "no such activation";
    for (int s = 0; s < given.samples; s++) {
        double a[MOST + 1][MOST], error[MOST + 1][MOST];
        memcpy(a[0], given.x[s], sizeof a[0]);
        for (int l = 0; l < depth; l++) forward(&given.layers[l], a[l], a[l + 1]);
        for (int j = 0; j < n_out; j++) error[depth][j] = factor * (a[depth][j] - given.y[s][j]);
        for (int l = depth; l-- > 0;) backward(&given.layers[l], a[l], a[l + 1], error[l + 1], error[l]);
    }
    return NULL;
}

/* What stands behind `run` and the id of a request is read into `given`; what is no request ends the program. */
static void need(int condition) {
    if (condition) return;
    fputs("this is no request, or one with sizes above MOST\n", stderr);
    exit(EXIT_FAILURE);
}

static void read_size(int *n) { need(scanf("%d", n) == 1 && *n > 0 && *n <= MOST); }

static void read_matrix(int rows, int columns, double numbers[][MOST]) {
    for (int k = 0; k < rows * columns; k++) need(scanf("%lf", &numbers[k / columns][k % columns]) == 1);
}

static void read_parameters(GivenLayer *layer) {
    read_matrix(layer->n_out, layer->n_in, layer->w);
    read_matrix(layer->has_biases, layer->n_out, &layer->b);
}

static void read_given(void) {
    memset(&given, 0, sizeof given);
    read_size(&given.depth);
    read_size(&given.layers[0].n_in);
    for (int l = 0; l < given.depth; l++) read_size(&given.layers[l].n_out);
    read_size(&given.samples);
    need(scanf("%63s %*s", given.loss) == 1);
    for (GivenLayer *layer = given.layers; layer < given.layers + given.depth; layer++) {
        if (layer > given.layers) layer->n_in = layer[-1].n_out;
        need(scanf("%63s %d", layer->f, &layer->has_biases) == 2);
        layer->has_biases = layer->has_biases == 1;
        read_parameters(layer);
    }
    read_matrix(given.samples, given.layers[0].n_in, given.x);
    read_matrix(given.samples, given.layers[given.depth - 1].n_out, given.y);
}

#ifndef READER  /* reader.c has a main of its own */
static void print(int rows, int columns, double numbers[][MOST]) {
    for (int k = 0; k < rows * columns; k++) printf(" %.17g", numbers[k / columns][k % columns]);
}

int main(void) {
    char id[128];
    need(scanf("%*[^\n]") == 0);
    puts(HELLO);
    fflush(stdout);
    while (scanf(" run %127s", id) == 1) {
        read_given();
        const char *none = find_gradients();
        if (none) printf("%s skip %s", id, none);
        else printf("%s gradients", id);
        for (GivenLayer *layer = given.layers; !none && layer < given.layers + given.depth; layer++) {
            print(layer->n_out, layer->n_in, layer->dw);
            print(layer->has_biases, layer->n_out, &layer->db);
        }
        puts("");
        fflush(stdout);
    }
}
#endif
