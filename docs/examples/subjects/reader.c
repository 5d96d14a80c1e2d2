/* Reads a file of test vectors in words, as `purebp vectors export DIR --lines` writes it, computes the gradients and
   compares them with what is expected. It needs no purebp.

       cc -std=c11 -Wall -Wextra -O2 -o reader reader.c -lm && ./reader DIR/gradients.txt                             */
#define READER
#include "backprop.c"

/* The wrong numbers in a matrix: not within the budget of what is expected. NaN is never within. */
static int wrong(int rows, int columns, double got[][MOST], double expected[][MOST], double budget[][MOST]) {
    int count = 0;
    for (int j = 0; j < rows; j++)
        for (int i = 0; i < columns; i++) count += !(fabs(got[j][i] - expected[j][i]) <= budget[j][i]);
    return count;
}

/* Reads the rest of `WORD ID ... gradients NUMBERS` into weights and biases of the layers. */
static void read_gradients(GivenLayer *layers) {
    char word[64] = "";
    memcpy(layers, given.layers, sizeof given.layers);
    while (strcmp(word, "gradients")) need(scanf("%63s", word) == 1);
    for (int l = 0; l < given.depth; l++) read_parameters(&layers[l]);
}

int main(int argc, char **argv) {
    if (argc != 2 || !freopen(argv[1], "r", stdin))
        return fputs("wanted: a file of test vectors in words\n", stderr), EXIT_FAILURE;
    static GivenLayer expected[MOST], budget[MOST];
    char id[128];
    int tests = 0, skipped = 0, right = 0;
    while (scanf("%*s %127s", id) == 1) {
        read_given();
        const char *none = find_gradients();
        read_gradients(expected);
        read_gradients(budget);              /* binary64 */
        need(scanf(" %*[^\n]") == 0);        /* binary32 */
        int off = 0;
        for (int l = 0; l < given.depth; l++) {
            GivenLayer *got = &given.layers[l], *wanted = &expected[l], *allowed = &budget[l];
            off += wrong(got->n_out, got->n_in, got->dw, wanted->w, allowed->w);
            off += wrong(got->has_biases, got->n_out, &got->db, &wanted->b, &allowed->b);
        }
        if (off && !none) printf("%s: %d numbers are wrong\n", id, off);
        tests++, skipped += none != NULL, right += !none && !off;
    }
    printf("%d of %d vectors right, %d skipped\n", right, tests - skipped, skipped);
    return right == tests - skipped && right > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
