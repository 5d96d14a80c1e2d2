/* The loop in which purebp asks mine.c for gradients, in the line dialect of docs/wire-format.md.
   Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is.

       cc -O2 -o mine mine_purebp.c -lm
       purebp check -- ./mine                                                                                       */

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

/* ---- YOURS ------------------------------------------------------------------------------------------------------ */

/* What your function computes; what is left out is found by trying. Say more behind the name, such as
   activations=tanh,identity loss=mse returns=gradients sizes=2,3,1 batch=1 biases=false */
#define HELLO "hello 1 mine language=C"

#define main main_of_mine  /* mine.c may have a main of its own, which is not run */
#include "mine.c"
#undef main

static const char *find_gradients(void) {
    /* Call your function with what is in `given`, write what it finds to dw and db of each layer, and return NULL:
           given.depth, given.samples        how many layers and samples there are
           given.x[s][i], given.y[s][j]      inputs and targets of sample s
           given.layers[l].n_in, .n_out      how many inputs and neurons layer l has
           given.layers[l].w[j][i], .b[j]    the weight from i to neuron j, the bias of neuron j
           given.layers[l].dw[j][i], .db[j]  the gradients of the loss over all samples: 0 until you write them
           given.layers[l].f, given.loss     names, such as "tanh" and "mse", if you can compute more than one
       Never print to standard output: it is where the answers go. */
    return "mine_purebp.c does not call your function yet: do so in find_gradients()";
}

/* ---- END OF YOURS ----------------------------------------------------------------------------------------------- */

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
