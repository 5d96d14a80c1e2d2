//! The loop in which purebp asks mine.rs for gradients, in the line dialect of docs/wire-format.md.
//! Fill in what stands between YOURS and END OF YOURS; the rest can stay as it is.
//!
//!     rustc -O -o mine mine_purebp.rs
//!     purebp check -- ./mine
#![allow(dead_code)] // until you call your function; and its main is not run

use std::io::stdin;
use std::str::{FromStr, SplitWhitespace};

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

// ---- YOURS -------------------------------------------------------------------------------------------------------

/// What your function computes; what is left out is found by trying. Say more behind the name, such as
/// activations=tanh,identity loss=mse returns=gradients sizes=2,3,1 batch=1 biases=false
const HELLO: &str = "hello 1 mine language=Rust";

#[path = "mine.rs"]
mod yours;

/// The gradients of the loss over all samples, a `Gradient` for each layer, or why there are none: inputs[s][i] and
/// targets[s][j] are those of sample s; `loss`, and the activation of each layer, are names such as "mse" and "tanh".
/// Call your function, which must be `pub`, as yours::backprop(...), in place of what stands here. Never print to standard
/// output: the answers go there.
#[allow(unused_variables)]
pub fn gradients(layers: &[Layer], inputs: &Matrix, targets: &Matrix, loss: &str) -> Result<Vec<Gradient>, String> {
    Err("mine_purebp.rs does not call your function yet: do so in gradients()".into())
}

// ---- END OF YOURS ------------------------------------------------------------------------------------------------

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
