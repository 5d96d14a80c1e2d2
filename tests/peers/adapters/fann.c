/* FANN: fann_train on one sample, from given weights; two layers of FANN_SIGMOID with the default steepness.
   With "linear" as an argument the error is that of squares, by default it is FANN_ERRORFUNC_TANH. */
#include <stdio.h>
#include <string.h>
#ifdef SINGLE
#include <floatfann.h>
#define FORMAT "binary32"
#else
#include <doublefann.h>
#define FORMAT "binary64"
#endif

static fann_type number(void) {
    double x = 0;
    return scanf("%lf", &x) == 1 ? x : 0;
}

int main(int argc, char **argv) {
    char line[256], id[64];
    unsigned depth, sizes[9], place[4096]; /* of a weight in FANN: neuron by neuron, its bias last */
    static struct fann_connection connections[4096];
    if (!fgets(line, sizeof line, stdin)) return 1;
    puts("hello 1 FANN language=C activations=sigmoid,sigmoid batch=1 returns=step learning_rate=0.125 format=" FORMAT);
    fflush(stdout);
    while (scanf(" run %63s %u", id, &depth) == 2) {
        unsigned n = 0, k = 0, biases = 1;
        for (unsigned l = 0; l <= depth; l++) scanf("%u", &sizes[l]);
        scanf("%*u %*s %*s"); /* one sample, the loss, the learning rate */
        struct fann *ann = fann_create_standard_array(depth + 1, sizes);
        fann_set_activation_function_hidden(ann, FANN_SIGMOID);
        fann_set_activation_function_output(ann, FANN_SIGMOID);
        fann_set_learning_rate(ann, 0.125f);
        if (argc > 1 && !strcmp(argv[1], "linear")) fann_set_train_error_function(ann, FANN_ERRORFUNC_LINEAR);
        fann_get_connection_array(ann, connections);
        for (unsigned l = 0; l < depth; l++, n = k) {
            unsigned width = sizes[l] + 1, start = k;
            for (unsigned j = 0; j < sizes[l + 1]; j++)
                for (unsigned i = 0; i < sizes[l]; i++) place[k++] = n + j * width + i;
            for (unsigned j = 0; j < sizes[l + 1]; j++) place[k++] = n + j * width + sizes[l];
            scanf("%*s %u", &biases);
            for (unsigned i = start; i < (biases ? k : k - sizes[l + 1]); i++) connections[place[i]].weight = number();
        }
        fann_set_weight_array(ann, connections, n);
        fann_type x[64], y[64];
        for (unsigned i = 0; i < sizes[0]; i++) x[i] = number();
        for (unsigned i = 0; i < sizes[depth]; i++) y[i] = number();
        fann_train(ann, x, y);
        fann_get_connection_array(ann, connections);
        printf("%s %s", id, biases ? "step" : "skip FANN always has biases");
        for (unsigned i = 0; biases && i < n; i++) printf(" %.17g", connections[place[i]].weight);
        puts("");
        fflush(stdout);
        fann_destroy(ann);
    }
    return 0;
}
