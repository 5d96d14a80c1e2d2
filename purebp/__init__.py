"""purebp: backpropagation written down once, plainly, in pure Python."""

from purebp.activations import Activation, activation, elu, gelu, identity, leaky_relu, relu, sigmoid, silu, softmax, softplus, tanh
from purebp.arithmetic import FLOAT, Arithmetic, PurebpError
from purebp.backprop import Trace, backpropagation, evaluate, forward
from purebp.losses import Loss, binary_cross_entropy, cross_entropy, half_mse, half_sse, huber, loss, mae, mse, sse
from purebp.network import Batch, Gradients, Layer, LayerGradients, Network
from purebp.optimizers import adam_step, momentum_step, sgd_step
from purebp.training import Epoch, train
