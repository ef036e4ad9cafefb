// `node differential.mjs WORLD RESULTS`: recomputes what small merchants were overcharged in a world, from the raw files
// alone, and compares the product's claims and accounts with that to the won. Prints each deviation; ends with 1 if there
// is any. See README.md.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { grouped, percent, ratio, readCsv, rounded, times } from './arithmetic.mjs';

const [worldFolder, resultsFolder] = process.argv.slice(2);
if (resultsFolder === undefined) {
  process.stderr.write('node differential.mjs WORLD RESULTS\n');
  process.exit(2);
}

const deviations = [];
const deviates = (what, expected, found) => deviations.push(`${what}: expected ${expected}, found ${found}`);
const csv = (name) => readCsv(readFileSync(path.join(worldFolder, name), 'utf8'));
const csvIfThere = (name) => (existsSync(path.join(worldFolder, name)) ? csv(name) : []);
const results = (name) => JSON.parse(readFileSync(path.join(resultsFolder, name), 'utf8'));

/** 우대수수료율: credit and check of tiers 0 to 3, from 2025-02-14 on. */
const rates = [
  ['0.40%', '0.15%'],
  ['1.00%', '0.75%'],
  ['1.15%', '0.90%'],
  ['1.45%', '1.15%'],
].map((pair) => pair.map(percent));

/** Whom captures of a provider of payments are claimed from, and how that one rounds a fee. */
const claimedFrom = {
  ksnet: { provider: 'ksnet', rounding: 'half_up' },
  'welcome-online': { provider: 'welcome', rounding: 'floor' },
  'welcome-offline': { provider: 'welcome', rounding: 'floor' },
  nice: { provider: 'nice', rounding: 'floor' },
};

/** 반기. From the 14th of February and of August on. */
function halfOf(day) {
  const year = Number(day.slice(0, 4));
  const monthDay = day.slice(5);
  if (monthDay >= '08-14') return `${year}H2`;
  return monthDay >= '02-14' ? `${year}H1` : `${year - 1}H2`;
}

const businessNos = new Map(csv('merchants.csv').map((row) => [row.merchantId, row.businessNo]));
const tiers = new Map(csv('tiers.csv').map((row) => [`${row.businessNo} ${row.half}`, Number(row.tier)]));
const cardTypes = new Map(csv('card-bins.csv').map((row) => [row.bin, row.cardType]));
const laterTypes = new Map(csvIfThere('card-bins-later.csv').map((row) => [row.bin, row.cardType]));

/** Fee and VAT on an amount's size. */
function feeOn(sizeWon, rate, rounding) {
  const fee = rounded(times(ratio(sizeWon), rate), rounding);
  return fee + rounded(ratio(fee, 10n), rounding);
}

/** Of one transaction: the claims that there must be, approval first. */
function claimsOf(records) {
  const approval = records.find((row) => row.record === 'approval');
  const captures = records
    .filter((row) => row.record === 'capture')
    .toSorted((a, b) =>
      a.capturedOn === b.capturedOn ? a.cancelSeq - b.cancelSeq : a.capturedOn < b.capturedOn ? -1 : 1,
    );
  const bought = captures.find((row) => row.cancelSeq === '0');
  if (approval === undefined || bought === undefined) return [];
  const { provider, rounding } = claimedFrom[approval.provider];
  const tier = tiers.get(`${businessNos.get(approval.merchantId)} ${halfOf(approval.tradedAt.slice(0, 10))}`);
  if (tier === undefined || tier === 4) return [];
  const bin = approval.cardNo.slice(0, 6);
  const cardType = cardTypes.get(bin) ?? laterTypes.get(bin);
  const known = cardType !== undefined;
  const rate = rates[tier][cardType === 'check' ? 1 : 0];
  const overWon = (row) => {
    const [sizeWon, chargedWon] = [row.amountWon, `${BigInt(row.feeWon) + BigInt(row.vatWon)}`].map((text) =>
      BigInt(text.replace('-', '')),
    );
    return chargedWon - feeOn(sizeWon, rate, rounding);
  };
  const claim = (row, won) => ({ provider, tier, known, merchantId: approval.merchantId, row, won });
  let leftWon = overWon(bought);
  // A card that was not known when its day was claimed is claimed before it is priced.
  const mayBeVain = !cardTypes.has(bin);
  if (leftWon <= 0n && !mayBeVain) return [];
  const claims = [claim(bought, leftWon)];
  let soldWon = BigInt(approval.amountWon);
  for (const row of captures) {
    if (row === bought) continue;
    soldWon += BigInt(row.amountWon);
    const ownWon = overWon(row);
    const backWon = leftWon <= 0n ? 0n : soldWon === 0n || ownWon > leftWon ? leftWon : ownWon > 0n ? ownWon : 0n;
    leftWon -= backWon;
    if (backWon > 0n || mayBeVain) claims.push(claim(row, -backWon));
  }
  return claims;
}

const listed = new Map(
  results('claims.json').map((one) => [`${one.channel} ${one.providerTid} ${one.cancelSeq}`, one]),
);
const payments = grouped(csv('payments.csv'), ({ provider, providerTid }) => `${provider} ${providerTid}`);
const left = new Map(listed);
let compared = 0;
for (const records of payments.values()) {
  for (const { provider, tier, known, merchantId, row, won } of claimsOf(records)) {
    const key = `${row.provider} ${row.providerTid} ${row.cancelSeq}`;
    const found = listed.get(key);
    left.delete(key);
    compared += 1;
    const isVain = row.cancelSeq === '0' ? won <= 0n : won >= 0n;
    if (found === undefined) {
      if (!isVain) deviates(`claim ${key}`, `${won} won`, 'none');
      continue;
    }
    const wanted = [provider, tier, merchantId, row.capturedOn, row.amountWon].join(' ');
    const is = [found.provider, found.tier, found.merchantId, found.capturedOn, found.amountWon].join(' ');
    if (is !== wanted) deviates(`claim ${key}`, wanted, is);
    if (
      found.differenceWon === null ? known && found.reason !== 'original_held' : BigInt(found.differenceWon) !== won
    ) {
      deviates(`claim ${key}`, `${won} won`, `${found.differenceWon} won`);
    }
    if (isVain && found.acceptedWon !== null) deviates(`claim ${key}`, 'nothing accepted', found.acceptedWon);
  }
}
for (const key of left.keys()) deviates(`claim ${key}`, 'none', 'one');

/** What providers pay is what merchants have, or owe: nothing else moves money in a world that lives for this alone. */
const owedWon = new Map();
for (const { provider, merchantId, acceptedWon } of listed.values()) {
  if (acceptedWon === null) continue;
  for (const account of [`refund_receivable:${provider}`, `merchant:${merchantId}`]) {
    owedWon.set(account, (owedWon.get(account) ?? 0n) + BigInt(acceptedWon));
  }
}
const foundWon = new Map();
for (const { account, balanceWon } of results('accounts.json')) {
  const [kind, owner] = account.split(':');
  const name = kind === 'refund_receivable' ? account : `merchant:${owner}`;
  const sign = kind === 'refund_receivable' ? -1n : 1n;
  foundWon.set(name, (foundWon.get(name) ?? 0n) + sign * BigInt(balanceWon));
}
for (const account of new Set([...owedWon.keys(), ...foundWon.keys()])) {
  const [wanted, there] = [owedWon.get(account) ?? 0n, foundWon.get(account) ?? 0n];
  if (wanted !== there) deviates(`account ${account}`, wanted, there);
}

for (const line of deviations.slice(0, 100)) process.stdout.write(`${line}\n`);
if (deviations.length > 100) process.stdout.write(`and ${deviations.length - 100} more\n`);
process.stdout.write(`${compared} claims of ${payments.size} payments compared, ${deviations.length} deviations\n`);
process.exitCode = deviations.length > 0 || compared === 0 ? 1 : 0;
