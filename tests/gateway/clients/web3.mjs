// web3.js 4, unmodified: sends, waits for confirmations, calls, estimates.
import { Web3 } from "web3";
import { Interface } from "ethers";
import { CONFIRMATIONS, PARALLEL, WALLETS, answer, thrown, told } from "./shared.mjs";

const web3 = new Web3(told.url);
web3.eth.transactionConfirmationBlocks = CONFIRMATIONS;
web3.eth.transactionPollingInterval = web3.eth.transactionConfirmationPollingInterval = 200;
const add = (key) => web3.eth.accounts.wallet.add(key).get(-1 + web3.eth.accounts.wallet.length);
const [rich, many, poor] = [told.rich, told.many, told.poor].map((key) => add(key).address);
const abi = JSON.parse(new Interface(WALLETS).formatJson());
const wallets = new web3.eth.Contract(abi, told.wallets), to = told.recovery;
const found = {};
const code = (error) => {
  for (let one = error; one; one = one.cause ?? one.innerError) {
    if (typeof one.code === "number" && one.code < 0) return { code: one.code, message: one.message };
  }
  return { message: error.message };
};

found.wait = await new Promise((done, fail) => {
  web3.eth.sendTransaction({ from: rich, to, value: "5" })
    .on("confirmation", ({ confirmations, receipt }) => {
      if (confirmations >= CONFIRMATIONS) {
        done({ status: Number(receipt.status), confirmations: Number(confirmations) });
      }
    })
    .on("error", fail);
});

const start = Number(await web3.eth.getTransactionCount(many, "pending"));
const all = await Promise.all(
  Array.from({ length: PARALLEL }, (_, at) => PARALLEL - 1 - at).map((at) =>
    web3.eth.sendTransaction({ from: many, to, value: "1", nonce: start + at, gas: 21000 })),
);
found.parallel = all.filter((one) => Number(one.status) === 1).length;

const create = wallets.methods.create(told.salt, to);
// web3.js puts these into the transaction object that it sends.
const odd = { from: rich, value: "7", chain: "mainnet", hardfork: "prague", networkId: 1 };
const result = await create.call(odd);
found.estimate = Number(await create.estimateGas(odd)) > 21000;
const made = await create.send({ from: rich, value: "7" });
const { wallet, account } = made.events.WalletCreated.returnValues;
found.simulated = result[0] === wallet && result[1] === account;
const name = (error) => (error.cause ?? error.innerError)?.errorName ?? error.message;
found.again = name(await thrown(create.call(odd)));
found.notOwner = name(await thrown(wallets.methods.pause(wallet).call({ from: poor })));

found.insufficient = code(await thrown(web3.eth.estimateGas({ from: poor, to, value: "5" })));
const raw = { to, value: "5", gas: 21000, maxFeePerGas: "1000000000", maxPriorityFeePerGas: "0" };
const signed = await web3.eth.accounts.signTransaction(
  { ...raw, nonce: 0, chainId: told.chainId, type: 2 }, told.poor);
// Otherwise web3.js asks eth_call first, and calls whatever it hears a revert.
const unchecked = { checkRevertBeforeSending: false };
found.insufficientRaw = code(await thrown(
  web3.eth.sendSignedTransaction(signed.rawTransaction, undefined, unchecked)));
found.nonceTooLow = code(await thrown(web3.eth.sendSignedTransaction(
  (await web3.eth.accounts.signTransaction(
    { ...raw, value: "6", nonce: 0, chainId: told.chainId, type: 2 }, told.rich)).rawTransaction,
  undefined, unchecked)));
found.lost = code(await thrown(web3.requestManager.send({ method: "eth_getFilterChanges", params: ["0x1"] })));
const first = await web3.eth.getBlock("earliest", true);
found.first = { number: Number(first.number), transactions: (first.transactions ?? []).length };
const head = Number(await web3.eth.getBlockNumber());
for (let number = 0; number <= head; number++) await web3.eth.getBlock(number, true);
answer(found);
