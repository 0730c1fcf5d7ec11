// Compile the outside world's contracts with npm's solc: node world/compile.mjs OUT
// Writes {"Name": {"abi": [...], "bytecode": "0x..."}} and fails on any warning of our own files.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const out = process.argv[2];
if (!out) {
  console.error("usage: node world/compile.mjs OUT");
  process.exit(2);
}

const names = readdirSync(here).filter((name) => name.endsWith(".sol")).sort();
const input = {
  language: "Solidity",
  sources: Object.fromEntries(
    names.map((name) => [name, { content: readFileSync(join(here, name), "utf8") }]),
  ),
  settings: {
    evmVersion: "cancun",
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const find = (path) => {
  try {
    return { contents: readFileSync(join(path.startsWith("@") ? modules : here, path), "utf8") };
  } catch {
    return { error: `${path} not found: run make setup` };
  }
};
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
const errors = (output.errors ?? []).filter(
  (one) => one.severity === "error" || names.includes(one.sourceLocation?.file),
);
if (errors.length) {
  for (const one of errors) console.error(one.formattedMessage);
  process.exit(1);
}
const found = {};
for (const name of names) {
  for (const [contract, made] of Object.entries(output.contracts[name])) {
    found[contract] = { abi: made.abi, bytecode: `0x${made.evm.bytecode.object}` };
  }
}
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(found)}\n`);
