// viem, unmodified: sends, waits, simulates, loses a filter.
import {
  BaseError, ContractFunctionRevertedError, FeeCapTooLowError, InsufficientFundsError,
  InvalidInputRpcError, IntrinsicGasTooLowError, NonceTooLowError, createPublicClient,
  createWalletClient, decodeEventLog, defineChain, http, parseAbi,
} from "viem";
import { nonceManager, privateKeyToAccount } from "viem/accounts";
import { CONFIRMATIONS, PARALLEL, WALLETS, answer, sleep, thrown, told } from "./shared.mjs";

const chain = defineChain({
  id: told.chainId, name: "Keymoot", rpcUrls: { default: { http: [told.url] } },
  nativeCurrency: { name: "Keymoot", symbol: "KM", decimals: 18 },
});
const asked = [];
const transport = http(told.url, {
  retryCount: 0,
  onFetchRequest: async (request) => { asked.push(await request.clone().json()); },
});
const reader = createPublicClient({ chain, transport, pollingInterval: 200, cacheTime: 0 });
const wallet = (key, options) => createWalletClient({
  chain, transport, pollingInterval: 200, account: privateKeyToAccount(key, options),
});
const rich = wallet(told.rich), many = wallet(told.many, { nonceManager }), poor = wallet(told.poor);
const abi = parseAbi(WALLETS), address = told.wallets, to = told.recovery;
const found = {};
const is = (error, kind) => error instanceof BaseError && error.walk((one) => one instanceof kind) !== null;

// A send, and three confirmations on an idle network.
const hash = await rich.sendTransaction({ to, value: 5n });
const receipt = await reader.waitForTransactionReceipt({ hash, confirmations: CONFIRMATIONS });
const seen = await reader.getBlockNumber();
found.wait = { status: receipt.status, confirmations: seen - receipt.blockNumber + 1n };

// Twenty at once.
const hashes = await Promise.all(
  Array.from({ length: PARALLEL }, () => many.sendTransaction({ to, value: 1n })),
);
const receipts = await Promise.all(hashes.map((one) => reader.waitForTransactionReceipt({ hash: one })));
found.parallel = receipts.filter((one) => one.status === "success").length;

// What would come is what comes.
const create = { address, abi, functionName: "create", args: [told.salt, to], value: 7n };
const { result, request } = await reader.simulateContract({ ...create, account: rich.account });
const made = await reader.waitForTransactionReceipt({ hash: await rich.writeContract(request) });
const { args } = decodeEventLog({ abi, ...made.logs[0] });
found.simulated = result[0] === args.wallet && result[1] === args.account;
const revert = (error) => error.walk((one) => one instanceof ContractFunctionRevertedError)?.data?.errorName;
found.again = revert(await thrown(reader.simulateContract({ ...create, account: rich.account })));
found.estimateAgain = revert(await thrown(reader.estimateContractGas({ ...create, account: rich.account })));
const pause = { address, abi, functionName: "pause", args: [args.wallet] };
found.notOwner = revert(await thrown(reader.simulateContract({ ...pause, account: poor.account })));

// Errors have their classes.
found.insufficient = is(await thrown(poor.sendTransaction({ to, value: 5n })), InsufficientFundsError);
const raw = { to, value: 5n, gas: 21_000n, maxFeePerGas: 10n ** 9n, maxPriorityFeePerGas: 0n };
found.insufficientRaw = is(await thrown(poor.sendTransaction({ ...raw, nonce: 0 })), InsufficientFundsError);
found.nonceTooLow = is(await thrown(rich.sendTransaction({ ...raw, nonce: 0 })), NonceTooLowError);
found.gasTooLow = is(await thrown(rich.sendTransaction({ ...raw, gas: 20_999n })), IntrinsicGasTooLowError);
found.feeTooLow = is(await thrown(rich.sendTransaction({ ...raw, maxFeePerGas: 1n })), FeeCapTooLowError);

// A filter that is lost is made anew.
const events = [], errors = [];
const unwatch = reader.watchContractEvent({
  address, abi, eventName: "PauseSet", poll: true, pollingInterval: 200,
  onLogs: (logs) => events.push(...logs), onError: (error) => errors.push(error),
});
const filters = () => asked.flat().filter((one) => one.method === "eth_newFilter").length;
const polled = () => asked.flat().findLast((one) => one.method === "eth_getFilterChanges");
while (!polled()) await sleep(100);
const [lost] = polled().params;
await reader.request({ method: "eth_uninstallFilter", params: [lost] });
found.lost = is(await thrown(reader.request({ method: "eth_getFilterChanges", params: [lost] })), InvalidInputRpcError);
while (filters() < 2 || polled().params[0] === lost) await sleep(100);
await reader.waitForTransactionReceipt({ hash: await rich.writeContract(pause) });
while (events.length === 0) await sleep(100);
unwatch();
found.watched = events[0].args.wallet === args.wallet;

// Every block is one that it reads.
const first = await reader.getBlock({ blockTag: "earliest", includeTransactions: true });
found.first = { number: first.number, transactions: first.transactions.length };
for (let number = 0n; number <= seen; number++) {
  await reader.getBlock({ blockNumber: number, includeTransactions: true });
}
answer(found);
