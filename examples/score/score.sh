#!/usr/bin/env bash
# Scores `breaks list --json` against the truth that `sandbox generate` kept aside: score.sh FOLDER
set -euo pipefail
world=${1:?usage: score.sh FOLDER} && jeongsan=$(cd "$(dirname "$0")/../.." && pwd)/bin/jeongsan
"$jeongsan" breaks list --json | node -e '
  const read = (file) => JSON.parse(require("node:fs").readFileSync(file, "utf8"));
  const key = (b) => [b.provider, b.stage, b.on, b.kind, b.providerTid, b.line, b.differenceWon].join(" ");
  const truth = new Set(read(process.argv[1]).filter((b) => b.kind !== "timing").map(key));
  const found = new Set(read(0).map(key));
  const missed = [...truth].filter((b) => !found.has(b)), invented = [...found].filter((b) => !truth.has(b));
  console.log(`planted ${truth.size}, found ${found.size}, missed ${missed.length}, invented ${invented.length}`);
  for (const b of [...missed.map((b) => `missed   ${b}`), ...invented.map((b) => `invented ${b}`)].slice(0, 20)) console.log(b);
  process.exitCode = missed.length + invented.length === 0 ? 0 : 1;' "$world/truth.json"
