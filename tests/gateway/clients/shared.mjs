// What the clients' scripts share: what they are told on stdin, and how they answer.
import { readFileSync } from "node:fs";

export const told = JSON.parse(readFileSync(0, "utf8"));

export const WALLETS = [
  "function create(bytes32 salt, address recovery) payable returns (bytes32, address)",
  "function pause(bytes32 wallet)",
  "event WalletCreated(bytes32 indexed wallet, address indexed owner, address indexed account)",
  "event PauseSet(bytes32 indexed wallet, bool paused)",
  "error WalletExists()",
  "error NotOwner()",
];

export const PARALLEL = 20;
export const CONFIRMATIONS = 3;
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Give what a promise throws; throw if it does not. */
export async function thrown(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

export function answer(found) {
  const plain = (_, value) => (typeof value === "bigint" ? Number(value) : value);
  console.log(JSON.stringify(found, plain));
  process.exit(0);
}
