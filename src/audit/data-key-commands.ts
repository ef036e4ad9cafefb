import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pool } from 'pg';
import { type Language, Problem } from '../kernel/problem.ts';
import { type Cipher, type DataKeys, dataKeyId, sealedFormat } from '../platform/cipher.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { replaceHomeKey } from '../platform/data-key-files.ts';
import { writeOut } from '../platform/output.ts';
import type { SealedPlace } from '../platform/sealed-place.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';

export type DataKeyPorts = {
  readonly home: string;
  /** What the environment says of keys. */
  readonly keys: DataKeys;
  /** Everywhere that something is sealed. */
  readonly places: readonly SealedPlace[];
  cipher(): Promise<Cipher>;
};

/** Owners whose values are sealed anew in one transaction. */
const ownersAtOnce = 500;
/** So many values that cannot be read are named; all are counted. */
const unreadableNamed = 20;

type PlaceStatus = {
  readonly place: Readonly<Record<Language, string>>;
  readonly keyId: string;
  readonly format: number;
  readonly values: number;
  readonly state: 'current' | 'old' | 'unreadable';
};

/** `jeongsan data-key`: which keys seal what, and how all of it comes under the current one. */
export function dataKeyCommands(
  program: Command,
  context: CommandContext,
  ports: DataKeyPorts,
  output: Writable = process.stdout,
): void {
  const dataKey = program.command('data-key').description('the keys that seal account numbers and secrets / 데이터 키');
  dataKey
    .command('status', { isDefault: true })
    .description('which key sealed how much / 키별 현황')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ json }: { json?: true }) =>
      context.withDatabase(async (pool) => {
        const cipher = await ports.cipher();
        const status = await statusOf(pool, cipher, ports.places);
        if (status.some(({ state }) => state === 'unreadable')) process.exitCode = exitStatus.failed;
        await writeOut(
          output,
          json
            ? `${JSON.stringify({ keyId: cipher.keyId, keyIds: cipher.keyIds(), places: status })}\n`
            : statusText(cipher, status, context.language),
        );
      }),
    );
  dataKey
    .command('rotate')
    .description('seal everything anew under the current key / 현재 키로 다시 암호화')
    .option('--new', 'give this home a new key first; the one before is kept / 이 홈의 키를 새로 만든 뒤')
    .option('--json', 'JSON output / JSON 출력')
    .action(async ({ new: anew, json }: { new?: true; json?: true }) => {
      if (anew) await newHomeKey(ports);
      const cipher = await ports.cipher();
      await context.withDatabase(async (pool) => {
        const done = await rotate(pool, cipher, ports.places, context.signal);
        const left = (await statusOf(pool, cipher, ports.places)).filter(({ state }) => state !== 'current');
        if (left.length > 0) process.exitCode = exitStatus.failed;
        await writeOut(
          output,
          json
            ? `${JSON.stringify({ keyId: cipher.keyId, ...done, left: left.reduce((sum, { values }) => sum + values, 0) })}\n`
            : rotatedText(cipher, done, left, context.language),
        );
      });
    });
}

/** @throws Problem `usage` where the environment says which key seals */
async function newHomeKey({ home, keys }: DataKeyPorts): Promise<void> {
  if (keys.key !== undefined || keys.keyFile !== undefined) {
    throw new Problem('usage', { reason: '--new: JEONGSAN_DATA_KEY, JEONGSAN_DATA_KEY_FILE' });
  }
  await replaceHomeKey(home, dataKeyId);
}

async function statusOf(pool: Pool, cipher: Cipher, places: readonly SealedPlace[]): Promise<PlaceStatus[]> {
  const status: PlaceStatus[] = [];
  for (const { words, count } of places) {
    for (const { keyId, format, values } of await count(pool)) {
      const isCurrent = keyId === cipher.keyId && format === sealedFormat;
      const state = isCurrent ? 'current' : cipher.keyIds().includes(keyId) ? 'old' : 'unreadable';
      status.push({ place: words, keyId, format, values, state });
    }
  }
  return status;
}

type Rotated = { readonly resealed: number; readonly unreadable: readonly string[] };

/**
 * Chunk by chunk, each its own transaction: what is done stays done wherever it ends, and a second time goes on with what
 * is left. Writers are never kept waiting for more than a chunk.
 */
async function rotate(
  pool: Pool,
  cipher: Cipher,
  places: readonly SealedPlace[],
  signal: AbortSignal,
): Promise<Rotated> {
  let resealed = 0;
  const unreadable: string[] = [];
  for (const place of places) {
    for (let after: string | undefined = ''; after !== undefined; ) {
      if (signal.aborted) throw new Problem('interrupted', { what: 'data-key rotate' });
      const chunk = await place.reseal(pool, cipher, { after, limit: ownersAtOnce });
      resealed += chunk.resealed;
      unreadable.push(...chunk.unreadable.slice(0, Math.max(0, unreadableNamed - unreadable.length)));
      after = chunk.next;
    }
  }
  return { resealed, unreadable };
}

const stateWords = {
  current: { ko: '현재 키', en: 'current' },
  old: { ko: '이전 키·형식', en: 'older' },
  unreadable: { ko: '키 없음', en: 'no such key here' },
} as const;

function statusText({ keyId }: Cipher, status: readonly PlaceStatus[], language: Language): string {
  const titles =
    language === 'ko' ? ['값', '키', '형식', '건수', '상태'] : ['What', 'Key', 'Format', 'Values', 'State'];
  const rows = status.map((each) => [
    each.place[language],
    each.keyId,
    String(each.format),
    formatCount(each.values),
    stateWords[each.state][language],
  ]);
  const current = language === 'ko' ? `현재 키: ${keyId}` : `current key: ${keyId}`;
  return `${current}\n${formatTable(
    titles.map((title) => ({ title })),
    rows,
  )}`;
}

function rotatedText({ keyId }: Cipher, done: Rotated, left: readonly PlaceStatus[], language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const count = formatCount(done.resealed);
  const rest = formatCount(left.reduce((sum, { values }) => sum + values, 0));
  return [
    say(`키 ${keyId}(으)로 다시 암호화: ${count}건`, `sealed anew under key ${keyId}: ${count} values`),
    ...done.unreadable.map((what) => say(`  읽을 수 없음: ${what}`, `  cannot be read: ${what}`)),
    ...(left.length === 0
      ? []
      : [
          say(
            `  다른 키로 남은 값: ${rest}건 (data-key status). 이전 키로 쓰는 프로세스를 다시 시작한 뒤 한 번 더 실행하십시오`,
            `  left under other keys: ${rest} (data-key status). Restart processes that still write with one, and run this again`,
          ),
        ]),
    '',
  ].join('\n');
}
