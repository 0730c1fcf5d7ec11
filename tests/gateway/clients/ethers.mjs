// ethers, unmodified: sends, waits, calls statically, sends in batches.
import { Contract, JsonRpcProvider, NonceManager, Wallet } from "ethers";
import { CONFIRMATIONS, PARALLEL, WALLETS, answer, thrown, told } from "./shared.mjs";

const provider = new JsonRpcProvider(told.url, undefined, { cacheTimeout: -1 });
provider.pollingInterval = 200;
const rich = new Wallet(told.rich, provider), poor = new Wallet(told.poor, provider);
const many = new NonceManager(new Wallet(told.many, provider));
const wallets = new Contract(told.wallets, WALLETS, rich), to = told.recovery;
const found = {};

const sent = await rich.sendTransaction({ to, value: 5n });
const receipt = await sent.wait(CONFIRMATIONS);
found.wait = { status: receipt.status, confirmations: await receipt.confirmations() };

const all = await Promise.all(
  Array.from({ length: PARALLEL }, () => many.sendTransaction({ to, value: 1n })),
);
const receipts = await Promise.all(all.map((one) => one.wait()));
found.parallel = receipts.filter((one) => one.status === 1).length;

const options = { value: 7n };
const [id, account] = await wallets.create.staticCall(told.salt, to, options);
const made = await (await wallets.create(told.salt, to, options)).wait();
const { args } = wallets.interface.parseLog(made.logs[0]);
found.simulated = id === args.wallet && account === args.account;
found.again = (await thrown(wallets.create.staticCall(told.salt, to, options))).revert?.name;
// An estimate's error has its data; ethers decodes it for calls only.
const named = (error) => wallets.interface.parseError(error.data)?.name;
found.estimateAgain = named(await thrown(wallets.create.estimateGas(told.salt, to, options)));
found.sendAgain = named(await thrown(wallets.create(told.salt, to, options)));
found.notOwner = (await thrown(wallets.connect(poor).pause.staticCall(id))).revert?.name;

const raw = { to, value: 5n, gasLimit: 21_000n, maxFeePerGas: 10n ** 9n, maxPriorityFeePerGas: 0n };
found.insufficient = (await thrown(poor.sendTransaction({ to, value: 5n }))).code;
found.insufficientRaw = (await thrown(poor.sendTransaction(raw))).code;
found.nonceTooLow = (await thrown(rich.sendTransaction({ ...raw, nonce: 0 }))).code;
const ahead = (await rich.getNonce()) + 5;
await rich.sendTransaction({ ...raw, nonce: ahead });
found.underpriced = (await thrown(rich.sendTransaction({ ...raw, value: 6n, nonce: ahead }))).code;
const better = await rich.sendTransaction({ ...raw, maxFeePerGas: 2n * 10n ** 9n, nonce: ahead });
found.waits = (await provider.getTransaction(better.hash)).blockNumber;

const filter = await provider.send("eth_newBlockFilter", []);
await provider.send("eth_uninstallFilter", [filter]);
const lost = await thrown(provider.send("eth_getFilterChanges", [filter]));
found.lost = { code: lost.error.code, message: lost.error.message };

const balances = await Promise.all(Array.from({ length: 250 }, () => provider.getBalance(to)));
found.batched = balances.length;
const first = await provider.getBlock("earliest", true);
found.first = { number: first.number, transactions: first.transactions.length };
const head = await provider.getBlockNumber();
for (let number = 0; number <= head; number++) await provider.getBlock(number, true);
answer(found);
