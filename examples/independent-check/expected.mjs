// The books as they have to be: what was brought in, slot after slot, every payout, from the raw files alone.
import { grouped, previousMonth } from './arithmetic.mjs';
import { chargeOn, dueAt, inForce, isPlain, methodOf, rateAt, toContract } from './rules.mjs';

const mostWon = 10_000_000_000_000n;
/** A payout above this waits for a second person. */
const approvalOverWon = 100_000_000n;
/** Math.min takes no whole numbers of this size. */
function least(a, b) {
  if (a < b) return a;
  return b;
}

/**
 * `world`: the rows of merchants, contracts, terms, accounts and of what the bank knows (bankAccounts).
 * `outcomeOf(merchantId, n, payout)`: what the bank says became of a merchant's n-th payout.
 */
export function openBooks(world, outcomeOf) {
  const merchants = new Set(world.merchants.map(({ merchantId }) => merchantId));
  const contracts = grouped(world.contracts.map(toContract), (row) => `${row.merchantId} ${row.method}`);
  const terms = grouped(world.terms, ({ merchantId }) => merchantId);
  const accounts = grouped(world.accounts, ({ merchantId }) => merchantId);
  const holders = new Map(world.bankAccounts.map((row) => [`${row.bankCode} ${row.accountNo}`, row.holder]));
  const approvals = new Map();
  const known = new Set();
  const transactions = new Map();
  const volumes = new Map();
  const scheduled = new Set();
  const holds = new Map();
  const purses = new Map();
  let waiting = [];
  const books = { items: new Map(), settlements: new Map(), payouts: [], purses, refused: [], waiting: () => waiting };

  const keyOf = ({ provider, providerTid, cancelSeq }) => `${provider} ${providerTid} ${cancelSeq}`;
  const purseOf = (merchantId) => {
    const fresh = { walletWon: 0n, heldWon: 0n, debtWon: 0n, inFlightWon: 0n };
    if (!purses.has(merchantId)) purses.set(merchantId, fresh);
    return purses.get(merchantId);
  };

  /** Rows of a payments file. */
  books.bringIn = (rows) => {
    for (const row of rows) {
      if (!row.tradedAt.endsWith('+09:00')) throw new Error(`${row.tradedAt}: not in Seoul's time`);
      const tradedOn = row.tradedAt.slice(0, 10);
      if (row.record !== 'capture') {
        approvals.set(`${keyOf(row)} ${tradedOn}`, row.merchantId);
      } else if (!known.has(`${keyOf(row)} ${row.capturedOn}`)) {
        known.add(`${keyOf(row)} ${row.capturedOn}`);
        waiting.push({ ...row, tradedOn, amountWon: BigInt(row.amountWon) });
      }
    }
  };

  /** What is against settling a capture at this slot; or its contract and the fee. Undefined: it is not due. */
  function judge(capture, slot) {
    const { amountWon, cancelSeq } = capture;
    const isCancel = cancelSeq !== '0';
    const sizeWon = amountWon < 0n ? -amountWon : amountWon;
    if (sizeWon === 0n || sizeWon > mostWon || isCancel !== amountWon < 0n) return 'capture_amount_refused';
    const merchantId = approvals.get(`${keyOf(capture)} ${capture.tradedOn}`);
    if (merchantId === undefined) return 'capture_without_approval';
    if (!merchants.has(merchantId)) return 'merchant_unknown';
    const own = inForce(terms.get(merchantId) ?? [], capture.capturedOn);
    if (own === undefined) return 'terms_missing';
    capture.dueAt ??= dueAt(own, capture.capturedOn, capture.arrived);
    if (capture.dueAt > slot) return undefined;
    const all = contracts.get(`${merchantId} ${methodOf[capture.provider]}`) ?? [];
    const transaction = transactions.get(`${capture.provider} ${capture.providerTid}`);
    if (isCancel && transaction !== undefined && (all.length === 0 || !isPlain(all))) {
      return { merchantId, ...giveBack(capture, sizeWon, transaction) };
    }
    const contract = inForce(all, capture.tradedOn);
    if (contract === undefined) return 'contract_missing';
    if (contract.validTo !== '' && contract.validTo < capture.tradedOn) return 'contract_closed';
    if (isCancel && contract.cancelFee === 'kept') {
      return { merchantId, contract, rate: contract.rate, feeWon: 0n, vatWon: 0n, rule: 'kept' };
    }
    const month = contract.tierVolume === 'previous_month' ? previousMonth(slot.slice(0, 10)) : slot.slice(0, 7);
    const rate = rateAt(contract, volumes.get(`${merchantId} ${month}`) ?? 0n);
    const charge = chargeOn(sizeWon, rate, contract);
    const sign = isCancel ? -1n : 1n;
    return { merchantId, contract, rate, ...charge, feeWon: sign * charge.feeWon, vatWon: sign * charge.vatWon };
  }

  /** A cancel by the contract and the rate of what it cancels: never more than is left, and the last one all of it. */
  function giveBack({ amountWon }, sizeWon, { contract, rate, leftWon, feeLeftWon, vatLeftWon }) {
    if (contract.cancelFee === 'kept') return { contract, rate, feeWon: 0n, vatWon: 0n, rule: 'kept' };
    if (leftWon <= 0n) return { contract, rate, feeWon: 0n, vatWon: 0n, rule: 'remainder' };
    if (leftWon + amountWon <= 0n) {
      return { contract, rate, feeWon: -feeLeftWon, vatWon: -vatLeftWon, rule: 'remainder' };
    }
    const charge = chargeOn(sizeWon, rate, contract);
    const [feeWon, vatWon] = [-least(charge.feeWon, feeLeftWon), -least(charge.vatWon, vatLeftWon)];
    return { contract, rate, feeWon, vatWon, rule: charge.rule };
  }

  function settleItem(capture, { merchantId, contract, rate, feeWon, vatWon, rule }, slot) {
    const { provider, providerTid, cancelSeq, amountWon } = capture;
    books.items.set(keyOf(capture), { merchantId, slot, amountWon, feeWon, vatWon, rule });
    const name = `${provider} ${providerTid}`;
    if (cancelSeq === '0') {
      transactions.set(name, { contract, rate, leftWon: amountWon, feeLeftWon: feeWon, vatLeftWon: vatWon });
    } else if (transactions.has(name)) {
      const of = transactions.get(name);
      of.leftWon += amountWon;
      of.feeLeftWon += feeWon;
      of.vatLeftWon += vatWon;
    }
    return { merchantId, amountWon, feeWon, vatWon };
  }

  /** Makes and settles what is due, then pays out; `at` is the slot as `2026-11-20T12:05`. */
  books.slot = (at) => {
    for (const capture of waiting) capture.arrived ??= at;
    const order = (a, b) => a.cancelSeq - b.cancelSeq || (a.capturedOn < b.capturedOn ? -1 : 1);
    const stuck = new Set();
    const settled = [];
    const left = [];
    for (const capture of waiting.toSorted(order)) {
      const name = `${capture.provider} ${capture.providerTid}`;
      const judged = judge(capture, at);
      capture.reason = typeof judged === 'string' ? judged : undefined;
      // Its time begins when it can be settled: until then it comes anew with every slot.
      if (capture.reason !== undefined) [capture.arrived, capture.dueAt] = [undefined, undefined];
      if (typeof judged === 'object' && !(capture.cancelSeq !== '0' && stuck.has(name))) {
        settled.push(settleItem(capture, judged, at));
      } else {
        if (capture.cancelSeq === '0') stuck.add(name);
        left.push(capture);
      }
    }
    waiting = left;
    for (const [merchantId, items] of grouped(settled, (item) => item.merchantId)) credit(merchantId, items, at);
    payOut(at);
  };

  /** All that the merchant has and all that comes is held. */
  const isHeld = (merchantId) =>
    [...holds.values()].some((hold) => hold.merchantId === merchantId && hold.amountWon === null);

  function credit(merchantId, items, at) {
    const sum = (name) => items.reduce((total, item) => total + item[name], 0n);
    const [grossWon, feeWon, vatWon] = [sum('amountWon'), sum('feeWon'), sum('vatWon')];
    const netWon = grossWon - feeWon - vatWon;
    const purse = purseOf(merchantId);
    const onHold = isHeld(merchantId);
    let [offsetWon, carriedWon] = [0n, 0n];
    if (netWon >= 0n) {
      offsetWon = least(netWon, purse.debtWon);
      purse.debtWon -= offsetWon;
      purse[onHold ? 'heldWon' : 'walletWon'] += netWon - offsetWon;
    } else {
      const fromHeldWon = onHold ? least(-netWon, purse.heldWon) : 0n;
      const fromWalletWon = least(-netWon - fromHeldWon, purse.walletWon);
      purse.heldWon -= fromHeldWon;
      purse.walletWon -= fromWalletWon;
      carriedWon = -netWon - fromHeldWon - fromWalletWon;
      purse.debtWon += carriedWon;
    }
    const month = `${merchantId} ${at.slice(0, 7)}`;
    volumes.set(month, (volumes.get(month) ?? 0n) + grossWon);
    books.settlements.set(`${at} ${merchantId}`, {
      items: items.length,
      grossWon,
      feeWon,
      vatWon,
      netWon,
      offsetWon,
      carriedWon,
    });
  }

  function payOut(at) {
    const [day, time] = at.split('T');
    for (const [merchantId, facts] of terms) {
      const { payout, payoutTime, minPayoutWon } = inForce(facts, day) ?? { payout: 'on_request' };
      const { walletWon } = purseOf(merchantId);
      if (payout === 'on_request' || isHeld(merchantId) || walletWon === 0n || walletWon < BigInt(minPayoutWon))
        continue;
      if (inForce(accounts.get(merchantId) ?? [], day) === undefined) continue;
      if (payout === 'scheduled') {
        if (time < payoutTime || scheduled.has(`${merchantId} ${day}`)) continue;
        scheduled.add(`${merchantId} ${day}`);
      }
      pay(merchantId, walletWon, payout, day);
    }
  }

  function pay(merchantId, amountWon, kind, day) {
    const purse = purseOf(merchantId);
    purse.walletWon -= amountWon;
    const n = books.payouts.filter((each) => each.merchantId === merchantId).length;
    const { bankCode, accountNo, holder } = inForce(accounts.get(merchantId), day);
    const isRight = holders.get(`${bankCode} ${accountNo}`) === holder;
    const payout = { merchantId, amountWon, kind, isRight, needsApproval: amountWon > approvalOverWon };
    books.payouts.push(payout);
    payout.outcome = outcomeOf(merchantId, n, payout);
    if (payout.outcome === 'rejected') purse.walletWon += amountWon;
    else if (payout.outcome !== 'succeeded') purse.inFlightWon += amountWon;
  }

  /** 출금. A merchant asks for its money on a day. */
  books.request = ({ merchantId, amountWon, on }) => {
    const minimumWon = BigInt(inForce(terms.get(merchantId) ?? [], on)?.minPayoutWon ?? '1');
    const wanted = BigInt(amountWon);
    const hasAccount = inForce(accounts.get(merchantId) ?? [], on) !== undefined;
    if (
      wanted <= 0n ||
      !hasAccount ||
      isHeld(merchantId) ||
      wanted < minimumWon ||
      wanted > purseOf(merchantId).walletWon
    ) {
      books.refused.push({ merchantId, amountWon: wanted });
    } else pay(merchantId, wanted, 'withdrawal', on);
  };

  /** 지급보류. Of an amount, or (null) of everything: what is in the wallet at once, and all that comes from now on. */
  books.hold = ({ id, merchantId, amountWon }) => {
    const purse = purseOf(merchantId);
    const heldWon = amountWon === null ? purse.walletWon : BigInt(amountWon);
    holds.set(id, { merchantId, amountWon: amountWon === null ? null : heldWon });
    purse.walletWon -= heldWon;
    purse.heldWon += heldWon;
  };
  /** 해제. What no other hold keeps, up to its amount: a debt is repaid first, the rest goes to the wallet. */
  books.release = ({ id }) => {
    const { merchantId, amountWon } = holds.get(id);
    holds.delete(id);
    const purse = purseOf(merchantId);
    const others = [...holds.values()].filter((hold) => hold.merchantId === merchantId);
    const keptWon = others.reduce((sum, hold) => sum + (hold.amountWon ?? purse.heldWon), 0n);
    const freeWon = purse.heldWon > keptWon ? purse.heldWon - keptWon : 0n;
    const outWon = amountWon === null ? freeWon : least(amountWon, freeWon);
    const repaidWon = least(outWon, purse.debtWon);
    purse.heldWon -= outWon;
    purse.debtWon -= repaidWon;
    purse.walletWon += outWon - repaidWon;
  };
  return books;
}
