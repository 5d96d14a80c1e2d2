// Reads files of test vectors, computes the gradients and compares them with what is expected. It needs no purebp.
//
//     node reader.js DIR/gradients.json DIR/refused.json
"use strict";

const { readFileSync } = require("node:fs");
const { gradients, Unsupported, ShapeError } = require("./backprop.js");

// All numbers in arrays and objects, in their order.
const numbers = (x) => (typeof x === "object" && x !== null ? Object.values(x).flatMap(numbers) : x ?? []);

// Every number is within its budget. NaN never is.
function right(got, expected, budget) {
  const [g, e, b] = [got, expected, budget].map(numbers);
  return g.length === e.length && g.every((x, i) => Math.abs(x - e[i]) <= b[i]);
}

function verdict({ given, expected, budget }) {
  try {
    return right(gradients(given), expected.gradients, budget?.binary64.gradients) ? "right" : "wrong";
  } catch (error) {
    if (error instanceof Unsupported) return "skipped";
    if (error instanceof ShapeError) return expected.error === "shape" ? "right" : "wrong";
    throw error;
  }
}

const count = { right: 0, wrong: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  for (const test of JSON.parse(readFileSync(file, "utf8")).tests) {
    const found = verdict(test);
    count[found]++;
    if (found === "wrong") console.log(`${test.id}: wrong`);
  }
}
console.log(`${count.right} of ${count.right + count.wrong} vectors right, ${count.skipped} skipped`);
process.exitCode = count.wrong > 0 || count.right === 0 ? 1 : 0;
