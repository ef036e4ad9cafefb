// `node check.mjs WORLD HISTORY RESULTS`: settles and pays a world again, by its own arithmetic, and compares the
// product's books with that to the won. Prints each deviation; ends with 1 if there is any. See README.md.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { grouped, readCsv } from './arithmetic.mjs';
import { openBooks } from './expected.mjs';

const [worldFolder, historyFile, resultsFolder] = process.argv.slice(2);
if (resultsFolder === undefined) {
  process.stderr.write('node check.mjs WORLD HISTORY RESULTS\n');
  process.exit(2);
}

const deviations = [];
const deviates = (what, expected, found) => deviations.push(`${what}: expected ${expected}, found ${found}`);
/** Amounts are exact: a JSON number that is no safe integer is a deviation of its own. */
const won = (value) => {
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value);
  if (!Number.isSafeInteger(value)) deviates('an amount', 'whole won', String(value));
  return BigInt(Math.trunc(value));
};
/** A slot in Seoul's time, `2026-11-20T12:05`. */
const slotOf = (text) => {
  if (text.endsWith('+09:00')) return text.slice(0, 16);
  return new Date(new Date(text).getTime() + 9 * 3_600_000).toISOString().slice(0, 16);
};

const csv = (name) => readCsv(readFileSync(path.join(worldFolder, name), 'utf8'));
const results = (name) => JSON.parse(readFileSync(path.join(resultsFolder, name), 'utf8'));

const paid = grouped(
  results('payouts.json').toSorted((a, b) => a.id - b.id),
  (payout) => payout.merchantId,
);
const bank = new Map(results('bank.json').map((transfer) => [transfer.messageNo, transfer]));
const listed = new Set();
const endless = new Set(['awaiting_approval', 'created', 'holder_checked', 'sent', 'unknown']);

/** What became of a payout by the bank's own list; what the product says of it is compared with that. */
function outcomeOf(merchantId, n, expected) {
  const what = `payout ${n + 1} of ${merchantId}`;
  const found = paid.get(merchantId)?.[n];
  if (found === undefined) {
    deviates(what, `${expected.amountWon} won`, 'none');
    return 'succeeded';
  }
  if (won(found.amountWon) !== expected.amountWon) deviates(what, `${expected.amountWon} won`, `${found.amountWon}`);
  if (found.kind !== expected.kind) deviates(what, expected.kind, found.kind);
  const transfer = bank.get(found.messageNo);
  if (transfer === undefined) {
    if (endless.has(found.state)) return 'in flight';
    if (found.state === 'succeeded') deviates(what, 'a transfer at the bank', 'none');
    if (found.state === 'rejected' && expected.isRight) deviates(what, 'a transfer at the bank', 'a rejection of ours');
    return 'rejected';
  }
  if (listed.has(found.messageNo)) deviates(what, 'a message number of its own', found.messageNo);
  listed.add(found.messageNo);
  if (!expected.isRight) deviates(what, 'nothing sent to this account', `transfer ${found.messageNo}`);
  if (expected.needsApproval && found.state === 'awaiting_approval') deviates(what, 'no transfer yet', found.messageNo);
  if (won(transfer.amountWon) !== expected.amountWon) {
    deviates(`${what} at the bank`, `${expected.amountWon} won`, `${transfer.amountWon}`);
  }
  const state = transfer.outcome ?? transfer.state;
  if (found.state !== state) deviates(what, `${state}, as the bank says`, found.state);
  return state;
}

const books = openBooks(
  {
    merchants: csv('merchants.csv'),
    contracts: csv('contracts.csv'),
    terms: csv('terms.csv'),
    accounts: csv('accounts.csv'),
    bankAccounts: csv('bank-accounts.csv'),
  },
  outcomeOf,
);
const besideHistory = (name) => path.join(path.dirname(historyFile), name);
for (const step of JSON.parse(readFileSync(historyFile, 'utf8'))) {
  if (step.import !== undefined) books.bringIn(readCsv(readFileSync(besideHistory(step.import), 'utf8')));
  else if (step.slot !== undefined) books.slot(slotOf(step.slot));
  else if (step.hold !== undefined) books.hold(step.hold);
  else if (step.release !== undefined) books.release(step.release);
  else if (step.request !== undefined) books.request(step.request);
  else throw new Error(`a step that is not known: ${JSON.stringify(step)}`);
}

function compareItems() {
  const left = new Map(books.items);
  for (const item of results('items.json')) {
    const key = `${item.provider} ${item.providerTid} ${item.cancelSeq}`;
    const expected = left.get(key);
    if (!left.delete(key)) {
      deviates(`item ${key}`, 'none, or one', 'one too many');
      continue;
    }
    const found = [item.merchantId, slotOf(item.slot), item.amountWon, item.feeWon, item.vatWon, item.rule].join(' ');
    const { merchantId, slot, amountWon, feeWon, vatWon, rule } = expected;
    const wanted = [merchantId, slot, amountWon, feeWon, vatWon, rule].join(' ');
    if (found !== wanted) deviates(`item ${key}`, wanted, found);
  }
  for (const [key, { feeWon, vatWon }] of left) deviates(`item ${key}`, `fee ${feeWon}, VAT ${vatWon}`, 'none');
}

/** What waits, and why: of a cancel that waits with what it cancels the reason is that one's. */
function compareUnsettled() {
  const key = ({ provider, providerTid, cancelSeq }) => `${provider} ${providerTid} ${cancelSeq}`;
  const left = new Map(books.waiting().map((capture) => [key(capture), capture]));
  for (const row of results('unsettled.json')) {
    const expected = left.get(key(row));
    left.delete(key(row));
    if (expected === undefined) deviates(`waiting ${key(row)}`, 'an item', row.reason);
    else if (expected.cancelSeq === '0' && (expected.reason ?? null) !== row.reason) {
      deviates(`waiting ${key(row)}`, expected.reason, row.reason);
    }
  }
  for (const [name, { reason }] of left) deviates(`waiting ${name}`, reason, 'nothing');
}

function compareSettlements() {
  const left = new Map(books.settlements);
  for (const row of results('settlements.json')) {
    const key = `${slotOf(row.slot)} ${row.merchantId}`;
    const expected = left.get(key);
    left.delete(key);
    const wanted = expected === undefined ? 'none' : Object.values(expected).join(' ');
    const { items, grossWon, feeWon, vatWon, netWon, offsetWon, carriedWon } = row;
    const found = [items, grossWon, feeWon, vatWon, netWon, offsetWon, carriedWon].join(' ');
    if (found !== wanted) deviates(`settlement ${key}`, wanted, found);
  }
  for (const [key, { netWon }] of left) deviates(`settlement ${key}`, `net ${netWon}`, 'none');
}

function compareAccounts() {
  const found = new Map(results('accounts.json').map(({ account, balanceWon }) => [account, won(balanceWon)]));
  const sums = { fee: 0n, vat: 0n, bank: 0n };
  const expected = new Map();
  for (const [merchantId, { walletWon, heldWon, debtWon, inFlightWon }] of books.purses) {
    expected.set(`wallet:${merchantId}`, walletWon).set(`held:${merchantId}`, heldWon);
    expected.set(`debt:${merchantId}`, -debtWon).set(`in_flight:${merchantId}`, inFlightWon);
  }
  for (const [key, { amountWon, feeWon, vatWon }] of books.items) {
    const account = `receivable:${key.split(' ')[0]}`;
    expected.set(account, (expected.get(account) ?? 0n) - amountWon);
    sums.fee += feeWon;
    sums.vat += vatWon;
  }
  for (const { outcome, amountWon } of books.payouts) if (outcome === 'succeeded') sums.bank += amountWon;
  for (const [account, amountWon] of Object.entries(sums)) expected.set(account, amountWon);
  for (const account of new Set([...expected.keys(), ...found.keys()])) {
    const [wanted, there] = [expected.get(account) ?? 0n, found.get(account) ?? 0n];
    if (wanted !== there) deviates(`account ${account}`, wanted, there);
  }
}

function comparePayouts() {
  for (const [merchantId, payouts] of paid) {
    const count = books.payouts.filter((each) => each.merchantId === merchantId).length;
    for (const extra of payouts.slice(count)) deviates(`payout ${extra.id} of ${merchantId}`, 'none', extra.amountWon);
  }
  for (const { messageNo, amountWon } of bank.values()) {
    if (!listed.has(messageNo)) deviates(`transfer ${messageNo} at the bank`, 'none', amountWon);
  }
}

compareItems();
compareUnsettled();
compareSettlements();
compareAccounts();
comparePayouts();
for (const deviation of deviations) process.stdout.write(`${deviation}\n`);
const compared = `${books.items.size} items, ${books.settlements.size} settlements, ${books.purses.size} merchants, ${books.payouts.length} payouts`;
process.stdout.write(`${compared}, ${books.waiting().length} captures waiting: ${deviations.length} deviations\n`);
process.exitCode = deviations.length === 0 ? 0 : 1;
