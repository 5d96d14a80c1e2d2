//! Reads a file of test vectors, computes the gradients and compares them with what is expected. It needs no purebp.
//!
//!     rustc -O reader.rs && ./reader DIR/gradients.json

#[allow(dead_code)] // its loop is not wanted here
mod backprop;

use backprop::{gradients, Gradient, Layer, Matrix};

/// The JSON of these files: a word, or items with keys or without. Their strings have no escapes.
struct Json<'a> {
    word: &'a str,
    items: Vec<(&'a str, Json<'a>)>,
}

/// Takes the token off the text, if that begins with it; commas and colons count as spaces.
fn take(text: &mut &str, token: &str) -> bool {
    *text = text.trim_start_matches([' ', '\n', ',', ':']);
    let rest = text.strip_prefix(token);
    *text = rest.unwrap_or(text);
    rest.is_some()
}

impl<'a> Json<'a> {
    fn read(text: &mut &'a str) -> Self {
        for (start, end) in [("{", "}"), ("[", "]")] {
            if take(text, start) {
                let mut items = Vec::new();
                while !take(text, end) {
                    let key = if start == "{" { Self::read(text).word } else { "" };
                    items.push((key, Self::read(text)));
                }
                return Self { word: "", items };
            }
        }
        let ends: &[char] = if take(text, "\"") { &['"'] } else { &[',', ']', '}', '\n'] };
        let (word, rest) = text.split_at(text.find(ends).expect("the end of a word"));
        *text = rest.trim_start_matches('"');
        Self { word, items: vec![] }
    }

    fn get(&self, key: &str) -> &Self {
        &self.items.iter().find(|item| item.0 == key).expect(key).1
    }

    fn numbers(&self) -> Vec<f64> {
        self.word.parse().into_iter().chain(self.items.iter().flat_map(|item| item.1.numbers())).collect()
    }

    fn matrix(&self) -> Matrix {
        self.items.iter().map(|row| row.1.numbers()).collect()
    }
}

/// Whether every gradient is within its budget (NaN never is), or why there are none.
fn right(test: &Json) -> Result<bool, String> {
    let given = test.get("given");
    let mut layers = Vec::new();
    for (_, layer) in &given.get("layers").items {
        let [weights, biases] = ["weights", "biases"].map(|key| layer.get(key));
        let biases = (biases.word != "null").then(|| biases.numbers());
        layers.push(Layer { weights: weights.matrix(), biases, activation: layer.get("activation").word.into() });
    }
    let [inputs, targets] = ["inputs", "targets"].map(|key| given.get(key).matrix());
    let found = gradients(&layers, &inputs, &targets, given.get("loss").word)?;
    let known = [test.get("expected"), test.get("budget").get("binary64")];
    let [expected, budget] = known.map(|x| x.get("gradients").numbers());
    let found: Vec<&f64> = found.iter().flat_map(Gradient::numbers).collect();
    let mut all = found.iter().zip(expected.iter().zip(&budget));
    Ok(found.len() == expected.len() && all.all(|(&g, (e, b))| (g - e).abs() <= *b))
}

fn main() {
    let file = std::env::args().nth(1).expect("wanted: a file of test vectors");
    let text = std::fs::read_to_string(&file).expect(&file);
    let document = Json::read(&mut text.as_str());
    let tests = &document.get("tests").items;
    let (mut tried, mut correct) = (0, 0);
    for (_, test) in tests {
        if let Ok(is_right) = right(test) {
            tried += 1;
            correct += usize::from(is_right);
            if !is_right {
                println!("{}: wrong", test.get("id").word);
            }
        }
    }
    println!("{correct} of {tried} vectors right, {} skipped", tests.len() - tried);
    std::process::exit(i32::from(correct < tried || correct == 0));
}
