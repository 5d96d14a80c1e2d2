//! Backpropagation for dense networks, and the loop in which purebp asks it: the line dialect of docs/wire-format.md.
//!
//!     rustc -O backprop.rs
//!     purebp check -- ./backprop

use std::io::stdin;
use std::str::{FromStr, SplitWhitespace};

const HELLO: &str = "hello 1 backprop language=Rust activations=tanh,identity loss=mse returns=gradients";

#[derive(Clone, Copy)]
pub enum Activation {
    Identity,
    Sigmoid,
    Tanh,
    Relu,
}

impl FromStr for Activation {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "identity" => Ok(Self::Identity),
            "sigmoid" => Ok(Self::Sigmoid),
            "tanh" => Ok(Self::Tanh),
            "relu" => Ok(Self::Relu),
            _ => Err(format!("no activation {name}")),
        }
    }
}

impl Activation {
    fn value(self, z: f64) -> f64 {
        match self {
            Self::Identity => z,
            Self::Sigmoid => 1.0 / (1.0 + (-z).exp()),
            Self::Tanh => z.tanh(),
            Self::Relu => z.max(0.0),
        }
    }

    /// f′(z), written in terms of a = f(z).
    fn derivative(self, a: f64) -> f64 {
        match self {
            Self::Identity => 1.0,
            Self::Sigmoid => a * (1.0 - a),
            Self::Tanh => 1.0 - a * a,
            Self::Relu => f64::from(a > 0.0),
        }
    }
}

pub type Matrix = Vec<Vec<f64>>;

/// Row j of the weights feeds neuron j.
pub struct Layer {
    pub weights: Matrix,
    pub biases: Option<Vec<f64>>,
    pub activation: String,
}

pub struct Gradient {
    weights: Matrix,
    biases: Option<Vec<f64>>,
}

impl Gradient {
    /// Weights row by row, and then biases.
    pub fn numbers(&self) -> impl Iterator<Item = &f64> {
        self.weights.iter().chain(&self.biases).flatten()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

impl Layer {
    fn forward(&self, f: Activation, below: &[f64]) -> Vec<f64> {
        let bias = |j: usize| self.biases.as_ref().map_or(0.0, |b| b[j]);
        let neurons = self.weights.iter().enumerate();
        neurons.map(|(j, row)| f.value(dot(row, below) + bias(j))).collect()
    }

    /// Adds the gradients of one sample; returns the error of the layer below.
    fn backward(&self, f: Activation, gradient: &mut Gradient, below: &[f64], a: &[f64], error: &[f64]) -> Vec<f64> {
        let mut error_below = vec![0.0; below.len()];
        for (j, row) in self.weights.iter().enumerate() {
            let delta = error[j] * f.derivative(a[j]);
            if let Some(biases) = &mut gradient.biases {
                biases[j] += delta;
            }
            for (i, w) in row.iter().enumerate() {
                gradient.weights[j][i] += delta * below[i];
                error_below[i] += delta * w;
            }
        }
        error_below
    }
}

/// The gradients of the loss over the batch, or why there are none.
pub fn gradients(layers: &[Layer], inputs: &Matrix, targets: &Matrix, loss: &str) -> Result<Vec<Gradient>, String> {
    let factor = match loss {
        "sse" => 2.0,
        "mse" => 2.0 / (targets.len() * targets[0].len()) as f64,
        _ => return Err(format!("no loss {loss}")),
    };
    let functions: Vec<Activation> = layers.iter().map(|layer| layer.activation.parse()).collect::<Result<_, _>>()?;
    let zeros = |layer: &Layer| Gradient {
        weights: layer.weights.iter().map(|row| vec![0.0; row.len()]).collect(),
        biases: layer.biases.as_ref().map(|b| vec![0.0; b.len()]),
    };
    let mut found: Vec<Gradient> = layers.iter().map(zeros).collect();
    for (x, y) in inputs.iter().zip(targets) {
        let mut a = vec![x.clone()];
        for (l, layer) in layers.iter().enumerate() {
            a.push(layer.forward(functions[l], &a[l]));
        }
        let mut error: Vec<f64> = a[layers.len()].iter().zip(y).map(|(output, t)| factor * (output - t)).collect();
        for (l, layer) in layers.iter().enumerate().rev() {
            error = layer.backward(functions[l], &mut found[l], &a[l], &a[l + 1], &error);
        }
    }
    Ok(found)
}

fn parse<T: FromStr>(words: &mut SplitWhitespace) -> Result<T, T::Err> {
    words.next().expect("a longer line").parse()
}

fn size(words: &mut SplitWhitespace) -> usize {
    parse(words).expect("a size")
}

fn matrix(words: &mut SplitWhitespace, rows: usize, columns: usize) -> Matrix {
    let mut row = |_| (0..columns).map(|_| parse(words).expect("a number")).collect();
    (0..rows).map(&mut row).collect()
}

/// What is answered to a request, from its number of layers on: the gradients in words, or why there are none.
fn answer(words: &mut SplitWhitespace) -> Result<String, String> {
    let depth = size(words);
    let sizes: Vec<usize> = (0..=depth).map(|_| size(words)).collect();
    let samples = size(words);
    let loss = words.next().expect("a loss");
    words.next(); // the learning rate
    let mut layers = Vec::new();
    for n in sizes.windows(2) {
        let activation = words.next().expect("an activation").into();
        let has_biases = size(words) == 1;
        let weights = matrix(words, n[1], n[0]);
        let biases = has_biases.then(|| matrix(words, 1, n[1]).remove(0));
        layers.push(Layer { weights, biases, activation });
    }
    let (inputs, targets) = (matrix(words, samples, sizes[0]), matrix(words, samples, sizes[depth]));
    let mut text = String::from("gradients");
    for number in gradients(&layers, &inputs, &targets, loss)?.iter().flat_map(Gradient::numbers) {
        text += &format!(" {number:e}");
    }
    Ok(text)
}

pub fn main() {
    for line in stdin().lines().map_while(Result::ok) {
        let mut words = line.split_whitespace();
        if words.next() == Some("run") {
            let id = words.next().expect("an id");
            println!("{id} {}", answer(&mut words).unwrap_or_else(|why| format!("skip {why}")));
        } else {
            println!("{HELLO}");
        }
    }
}
