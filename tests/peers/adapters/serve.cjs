// The pipe of docs/wire-format.md: a hello, then an answer to every request.
const readline = require("readline");

module.exports = function serve(hello, answer) {
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { cmd, id, given } = JSON.parse(line);
    if (cmd === "hello") console.log(JSON.stringify({ protocol: 1, language: "JavaScript", ...hello }));
    else if (given.layers.some(({ biases }) => biases === null)) console.log(JSON.stringify({ id, skip: "no biases" }));
    else console.log(JSON.stringify({ id, ...answer(given) }));
  });
};
