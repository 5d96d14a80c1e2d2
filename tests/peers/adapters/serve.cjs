// The pipe of docs/wire-format.md: a hello, then an answer to every request.
const readline = require("readline");

module.exports = function serve(hello, answer) {
  readline.createInterface({ input: process.stdin }).on("line", (line) => {
    const { cmd, id, given } = JSON.parse(line);
    console.log(JSON.stringify(cmd === "hello" ? { protocol: 1, language: "JavaScript", ...hello } : { id, ...answer(given) }));
  });
};
