import { closeSync, existsSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import path from 'node:path';
import { wonToJson } from '../kernel/money.ts';

/** A transfer in the bank's own books. Money moved if it is `succeeded` and the time it becomes definite is past. */
export type BankTransfer = {
  readonly messageNo: string;
  readonly messageOn: string;
  readonly amountWon: bigint;
  readonly bankCode: string;
  /** Of the account's number, its end. */
  readonly last4: string;
  readonly outcome: 'succeeded' | 'rejected';
  readonly code: string;
  readonly text: string;
  readonly bankRef: string;
  /** By the bank's clock, like the next one. */
  readonly receivedAt: Temporal.Instant;
  readonly definiteAt: Temporal.Instant;
};

/** The bank's memory: appended to a file before anything is answered, and read again when the bank starts anew. */
export type BankJournal = {
  find(key: string): BankTransfer | undefined;
  /** False where the number is known: it moves money at most once. */
  add(transfer: BankTransfer): boolean;
  /** In the order of their numbers. */
  of(messageOn: string): BankTransfer[];
  all(): readonly BankTransfer[];
  noteCallback(key: string): void;
  callbacksOf(key: string): number;
  close(): void;
};

/** A message is known by its day and number. */
export const keyOf = ({ messageOn, messageNo }: Pick<BankTransfer, 'messageOn' | 'messageNo'>): string =>
  `${messageOn}/${messageNo}`;

type Line =
  | ({
      readonly is: 'transfer';
      readonly amountWon: number;
      readonly receivedAt: string;
      readonly definiteAt: string;
    } & Omit<BankTransfer, 'amountWon' | 'receivedAt' | 'definiteAt'>)
  | { readonly is: 'callback'; readonly key: string };

/** Opens the journal in a file. What a killed process left half-written at its end was never answered, and is cut off. */
export function openJournal(file: string): BankJournal {
  mkdirSync(path.dirname(file), { recursive: true });
  const transfers = new Map<string, BankTransfer>();
  const callbacks = new Map<string, number>();
  const take = (line: Line) => {
    if (line.is === 'callback') callbacks.set(line.key, (callbacks.get(line.key) ?? 0) + 1);
    else transfers.set(keyOf(line), fromLine(line));
  };
  for (const line of readLines(file)) take(line);
  const handle = openSync(file, 'a', 0o600);
  const append = (line: Line) => {
    writeSync(handle, `${JSON.stringify(line)}\n`);
    take(line);
  };
  return {
    find: (key) => transfers.get(key),
    add(transfer) {
      if (transfers.has(keyOf(transfer))) return false;
      append({
        is: 'transfer',
        ...transfer,
        amountWon: wonToJson(transfer.amountWon),
        receivedAt: transfer.receivedAt.toString(),
        definiteAt: transfer.definiteAt.toString(),
      });
      return true;
    },
    of: (messageOn) =>
      [...transfers.values()]
        .filter((transfer) => transfer.messageOn === messageOn)
        .sort((one, other) => (one.messageNo < other.messageNo ? -1 : 1)),
    all: () => [...transfers.values()],
    noteCallback: (key) => append({ is: 'callback', key }),
    callbacksOf: (key) => callbacks.get(key) ?? 0,
    close: () => closeSync(handle),
  };
}

/** The transfers of a journal that another process may be writing; none where there is no file. */
export function readTransfers(file: string): BankTransfer[] {
  if (!existsSync(file)) return [];
  return wholeLines(readFileSync(file)).lines.flatMap((line) => (line.is === 'transfer' ? [fromLine(line)] : []));
}

function readLines(file: string): readonly Line[] {
  if (!existsSync(file)) return [];
  const { lines, bytes } = wholeLines(readFileSync(file));
  truncateSync(file, bytes);
  return lines;
}

function wholeLines(content: Buffer): { readonly lines: readonly Line[]; readonly bytes: number } {
  const bytes = content.lastIndexOf(0x0a) + 1;
  const text = content.subarray(0, bytes).toString('utf8');
  return { bytes, lines: text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line])) };
}

function fromLine({ is: _, ...line }: Extract<Line, { is: 'transfer' }>): BankTransfer {
  return {
    ...line,
    amountWon: BigInt(line.amountWon),
    receivedAt: Temporal.Instant.from(line.receivedAt),
    definiteAt: Temporal.Instant.from(line.definiteAt),
  };
}
