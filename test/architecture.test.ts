import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { problems } from '../src/kernel/problem.ts';
import { repositoryRoot } from '../src/platform/config.ts';

/**
 * The code base checks itself: who may import whom, who writes which table, how files are named and sized. A rule is a
 * row of the table at the end; a violation is a line of text. Nothing is exempted by its name.
 */
type Import = { readonly to: string; readonly typeOnly: boolean };
type Source = { readonly path: string; readonly text: string; readonly imports: readonly Import[] };

const sources = filesOf('src', '.ts').map(read);
const shipped = sources.filter((source) => !/\.(test|fixture)\.ts$/.test(source.path));
const byPath = new Map(shipped.map((source) => [source.path, source]));

function filesOf(folder: string, ending: string): string[] {
  return readdirSync(path.join(repositoryRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')))
    .sort();
}

function read(file: string): Source {
  const text = readFileSync(path.join(repositoryRoot, file), 'utf8');
  const statements = text.matchAll(/^(?:import\s+|(?:import|export)\s[^'";]*\sfrom\s+)'([^']+)'/gm);
  const dynamic = text.matchAll(/\bimport\(\s*'([^']+)'/g);
  const resolve = (to: string) => (to.startsWith('.') ? path.posix.join(path.posix.dirname(file), to) : to);
  return {
    path: file,
    text,
    imports: [
      ...[...statements].map((match) => ({ to: resolve(match[1] as string), typeOnly: isTypeOnly(match[0]) })),
      ...[...dynamic].map((match) => ({ to: resolve(match[1] as string), typeOnly: false })),
    ],
  };
}

/** `import type …`, or braces that hold types alone: erased before the program runs. */
function isTypeOnly(statement: string): boolean {
  if (/^(import|export)\s+type\s/.test(statement)) return true;
  const names = /^import\s*\{([^}]*)\}\s*from/
    .exec(statement)?.[1]
    ?.split(',')
    .map((name) => name.trim());
  return names?.filter((name) => name !== '').every((name) => name.startsWith('type ')) ?? false;
}

/** The folder under src that a file belongs to; the three entrances are folders of their own. */
function folderOf(file: string): string {
  return file.split('/')[1] as string;
}

/**
 * The house from the ground up: a folder may import from itself and from those that its row names. `imports` is how
 * merchants, payments and deposits come in from files; findings, approvals and the calendar serve all above them.
 */
const house: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  platform: ['kernel'],
  providers: ['kernel'],
  imports: ['kernel', 'platform'],
  findings: ['kernel', 'platform'],
  approvals: ['kernel', 'platform'],
  audit: ['kernel', 'platform'],
  identity: ['kernel', 'platform', 'audit'],
  calendar: ['kernel', 'platform'],
  merchants: ['kernel', 'platform', 'imports', 'audit', 'calendar'],
  payments: ['kernel', 'platform', 'providers', 'imports', 'merchants'],
  ledger: ['kernel', 'platform', 'findings', 'approvals'],
  reconciliation: [
    'kernel',
    'platform',
    'providers',
    'imports',
    'findings',
    'calendar',
    'merchants',
    'payments',
    'ledger',
  ],
  settlement: [
    'kernel',
    'platform',
    'providers',
    'findings',
    'approvals',
    'calendar',
    'merchants',
    'payments',
    'ledger',
  ],
  payout: [
    'kernel',
    'platform',
    'providers',
    'findings',
    'approvals',
    'calendar',
    'merchants',
    'payments',
    'ledger',
    'settlement',
  ],
  differential: [
    'kernel',
    'platform',
    'providers',
    'imports',
    'findings',
    'approvals',
    'calendar',
    'merchants',
    'payments',
    'ledger',
    'reconciliation',
    'settlement',
  ],
  operations: [
    'kernel',
    'platform',
    'providers',
    'findings',
    'approvals',
    'audit',
    'identity',
    'calendar',
    'merchants',
    'payments',
    'ledger',
    'reconciliation',
    'settlement',
    'payout',
    'differential',
  ],
  alerts: [
    'kernel',
    'platform',
    'providers',
    'findings',
    'approvals',
    'audit',
    'calendar',
    'ledger',
    'reconciliation',
    'settlement',
    'payout',
    'differential',
    'operations',
  ],
  webhooks: ['kernel', 'platform', 'findings', 'audit'],
  remote: ['kernel', 'platform', 'operations', 'alerts'],
  sandbox: [
    'kernel',
    'platform',
    'providers',
    'imports',
    'merchants',
    'payments',
    'reconciliation',
    'payout',
    'differential',
  ],
};
const entrances = ['app.ts', 'api.ts', 'automatic-work.ts', 'cli.ts', 'serve.ts', 'server.ts'];

/** What a folder's stores, and nobody else, write. Temporary tables belong to whoever makes them. */
const tables: Readonly<Record<string, readonly string[]>> = {
  imports: ['import', 'import_refusal'],
  findings: ['finding'],
  approvals: ['approval'],
  audit: ['audit_entry', 'audit_draft'],
  identity: [
    'api_key',
    'auth_secret',
    'credential',
    'person',
    'person_role',
    'person_session',
    'second_factor',
    'sign_in_attempt',
    'sign_in_link',
    'sign_in_rate',
    'verification',
  ],
  calendar: ['calendar_override'],
  merchants: [
    'merchant',
    'fee_contract',
    'fee_contract_tier',
    'settlement_terms',
    'bank_account',
    'half_year',
    'preferential_rate',
    'merchant_tier',
    'sub_merchant',
    'card_bin',
  ],
  payments: ['payment', 'capture', 'payment_total', 'capture_total', 'capture_arrival'],
  ledger: ['ledger_chart', 'ledger_entry', 'ledger_line', 'ledger_balance'],
  settlement: [
    'settlement_cycle',
    'settlement',
    'settlement_item',
    'unsettled_capture',
    'dismissed_capture',
    'settlement_volume',
    'settlement_hold',
  ],
  differential: [
    'differential_batch',
    'differential_input',
    'differential_file_number',
    'differential_day',
    'differential_part',
    'differential_waiting',
    'claim_file',
    'answer_file',
    'answer_load',
    'answer_part',
    'claim',
    'claim_result',
    'claim_rejection',
    'claim_revision',
    'claim_event',
    'claim_break',
    'claim_refund',
    'registration',
    'retroactive_refund',
  ],
  payout: ['payout', 'payout_event', 'bank_control', 'holder_check', 'bank_callback', 'payout_list', 'payout_break'],
  reconciliation: [
    'deposit',
    'deposit_check',
    'statement',
    'statement_load',
    'statement_suspect',
    'statement_unreadable',
    'statement_pay_in',
    'statement_sight',
    'transaction_line',
    'capture_line',
    'settlement_line',
    'reconciliation_run',
    'reconciliation_run_stage',
    'reconciled_stage',
    'pairing',
    'break',
    'break_event',
    'open_item',
  ],
  operations: [
    'schedule',
    'schedule_slot',
    'pause',
    'node',
    'daily_close',
    'daily_close_account',
    'run_record',
    'run_usual',
    'retention_rule',
    'backfill',
    'backfill_day',
  ],
  alerts: [
    'alert',
    'alert_attempt',
    'alert_channel',
    'alert_channel_state',
    'alert_delivery',
    'alert_finding',
    'alert_limit',
    'alert_rule',
  ],
  webhooks: ['webhook_endpoint', 'webhook_event', 'webhook_delivery', 'webhook_attempt'],
  platform: ['schema_migration', 'api_request', 'run_log'],
};

/** Modules that compute and touch nothing outside the process; everything else that is not ours is I/O. */
const harmless = /^(node:(path|crypto|util|buffer|assert|zlib)|zod|commander|croner|iconv-lite|fflate)$/;

/**
 * Files that may touch the world: by their name's last word, as a step that a workflow or command calls, or by their
 * folder: the platform, what brings files in, and the sandbox, which is the world.
 */
const impureNames = /([/-])(store|workflow|commands?|api|port|files)\.ts$/;
const impureFolders = ['platform', 'imports', 'sandbox', ...entrances];
const steps = [
  'alerts/alert-work.ts',
  'identity/command-guard.ts',
  'identity/identity.ts',
  'identity/link-handler.ts',
  'identity/sign-in-handler.ts',
  'identity/sign-in.ts',
  'identity/terminal-sign-in.ts',
  'differential/answer-load.ts',
  'differential/claims-exchange.ts',
  'differential/exchange.ts',
  'differential/receive.ts',
  'differential/registration-exchange.ts',
  'differential/send.ts',
  'merchants/import-merchants.ts',
  'merchants/import-terms.ts',
  'merchants/import-tiers.ts',
  'operations/run-acts.ts',
  'operations/run-watch.ts',
  'payments/import-payments.ts',
  'payout/dispatcher.ts',
  'reconciliation/collect.ts',
  'reconciliation/deposit-import.ts',
  'reconciliation/load.ts',
  'operations/node-watch.ts',
  'operations/scheduler.ts',
  'webhooks/sender.ts',
  'remote/answer-streams.ts',
  'remote/run-outcome.ts',
];
const isPure = (file: string) =>
  !impureNames.test(file) && !impureFolders.includes(folderOf(file)) && !steps.includes(file.slice('src/'.length));

/** The way from a file to the first I/O it reaches through imports that remain at run time; undefined if there is none. */
function wayToInputOutput(file: string, seen: ReadonlySet<string> = new Set()): string | undefined {
  for (const { to, typeOnly } of byPath.get(file)?.imports ?? []) {
    if (typeOnly || seen.has(to)) continue;
    if (!to.startsWith('src/')) {
      if (!harmless.test(to)) return to;
      continue;
    }
    const further = wayToInputOutput(to, new Set([...seen, file]));
    if (further !== undefined) return `${to} → ${further}`;
  }
  return undefined;
}

/** Import edges of shipped files that `forbidden` says no to. */
function edges(forbidden: (from: string, to: Import) => boolean): string[] {
  return shipped.flatMap(({ path: from, imports }) =>
    imports.filter((to) => forbidden(from, to)).map(({ to }) => `${from} → ${to}`),
  );
}

/** Lines of shipped files that match, without their comments. */
function lines(pattern: RegExp, of: readonly Source[] = shipped): string[] {
  return of.flatMap(({ path: file, text }) =>
    text.split('\n').flatMap((line, n) => {
      const code = line.replace(/^\s*(\/\/|\/?\*).*/, '');
      return pattern.test(code) ? [`${file}:${n + 1}: ${line.trim()}`] : [];
    }),
  );
}

function impatientTests(): string[] {
  const tests = filesOf('test', '.ts').filter((file) => file !== 'test/support/eventually.ts');
  return lines(/\bvi\.wait(For|Until)\(/, [...sources, ...tests.map(read)]);
}

function importsOutsideTheHouse(): string[] {
  return edges((from, { to }) => {
    if (!to.startsWith('src/')) return false;
    const [home, target] = [folderOf(from), folderOf(to)];
    if (entrances.includes(home)) return false;
    return home !== target && !(house[home]?.includes(target) ?? false);
  });
}

function foldersOutsideTheHouse(): string[] {
  const folders = new Set(shipped.map((source) => folderOf(source.path)));
  return [...folders].filter((folder) => !(folder in house) && !entrances.includes(folder));
}

function impureLeaves(): string[] {
  return shipped.flatMap(({ path: file }) => {
    const way = isPure(file) ? wayToInputOutput(file) : undefined;
    return way === undefined ? [] : [`${file} → ${way}`];
  });
}

function stepsThatNeedNoName(): string[] {
  return steps.filter((step) => wayToInputOutput(`src/${step}`) === undefined);
}

/** SQL that writes a permanent table of another folder, or stands where no SQL belongs. */
function foreignWrites(): string[] {
  const owners = new Map(Object.entries(tables).flatMap(([folder, own]) => own.map((table) => [table, folder])));
  const write =
    /\b(?:insert\s+into|update|delete\s+from|truncate(?:\s+table)?|copy|merge\s+into)\s+(?:only\s+)?([a-z_]+)\b/g;
  return shipped.flatMap(({ path: file, text }) =>
    [...text.replace(/^\s*(\/\/|\/?\*).*$/gm, '').matchAll(write)]
      .map((match) => match[1] as string)
      .filter((table) => owners.has(table) && owners.get(table) !== folderOf(file))
      .map((table) => `${file} writes ${table}`),
  );
}

/** Writes are in stores; payment-tables.ts and its like are the data that a store's SQL is made of. */
function writesOutsideStores(): string[] {
  const own = Object.values(tables).flat().join('|');
  const write = new RegExp(`\\b(insert\\s+into|delete\\s+from|update)\\s+(${own})\\b`);
  const inOthers = shipped.filter(({ path: file }) => !/(store|tables?|migrate)\.ts$/.test(file));
  return lines(write, inOthers);
}

function ownersWithoutTable(): string[] {
  const schema = filesOf('migrations', '.sql')
    .map((file) => readFileSync(path.join(repositoryRoot, file), 'utf8'))
    .join('\n');
  const made = [...schema.matchAll(/^create table (\w+)/gm)].map((match) => match[1] as string);
  const known = Object.values(tables).flat();
  return [
    ...made.filter((table) => !known.includes(table)).map((table) => `${table} belongs to no folder`),
    ...known
      .filter((table) => table !== 'schema_migration' && !made.includes(table))
      .map((table) => `${table} is made by no migration`),
  ];
}

function badNames(): string[] {
  const tests = filesOf('test', '.ts');
  return [...sources.map((source) => source.path), ...tests].filter((file) => {
    const name = path.posix.basename(file);
    return (
      !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|fixture|property))*\.ts$/.test(name) ||
      /(^|-)(utils?|helpers?|managers?|impl|misc|common|index)\b/.test(name)
    );
  });
}

function longFiles(): string[] {
  return shipped
    .map(({ path: file, text }) => ({ file, count: text.trimEnd().split('\n').length }))
    .filter(({ count }) => count > 300)
    .map(({ file, count }) => `${file}: ${count} lines`);
}

function barrels(): string[] {
  return shipped
    .filter(({ text }) => /^export\s+(\*|\{[^}]*\})\s+from\s/m.test(text))
    .map(({ path: file }) => `${file} re-exports`);
}

function floats(): string[] {
  const outside = shipped.filter((source) => source.path !== 'src/kernel/money.ts');
  return [
    ...lines(/\bparseFloat\b|[wW]on\)?\s*\/\s*\d+\.\d/),
    // Of a bigint, PostgreSQL's sign() is a double.
    ...lines(/\bsign\(\$?\{?\w*([wW]on|amount|difference)/),
    ...lines(/\b(?:Number|parseInt)\([^()=]*(?:[wW]on|[aA]mount|[fF]ee|[vV]at)\b/, outside),
  ];
}

function badProblems(): string[] {
  const names = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort();
  return Object.entries(problems).flatMap(([code, { ko, en, status }]) => [
    ...(ko.trim() === '' || en.trim() === '' ? [`${code}: a text is empty`] : []),
    ...(/\p{Script=Hangul}/u.test(ko) && !/\p{Script=Hangul}/u.test(en)
      ? []
      : [`${code}: texts in the wrong language`]),
    ...(names(ko).join() === names(en).join() ? [] : [`${code}: {${names(ko)}} in Korean, {${names(en)}} in English`]),
    ...(status >= 400 && status <= 599 ? [] : [`${code}: status ${status}`]),
  ]);
}

function unusedProblems(): string[] {
  const text = shipped
    .filter((source) => source.path !== 'src/kernel/problem.ts')
    .map((source) => source.text)
    .join('\n');
  return Object.keys(problems).filter((code) => !text.includes(`'${code}'`));
}

function migrationGaps(): string[] {
  return filesOf('migrations', '.sql').filter((file, n) => {
    const name = path.posix.basename(file);
    return !/^\d{4}_[a-z]+(_[a-z0-9]+)+\.sql$/.test(name) || Number(name.slice(0, 4)) !== n + 1;
  });
}

const kernel = (file: string) => file.startsWith('src/kernel/');
const inputOutput =
  /^(node:(fs|fs\/promises|net|tls|http|https|dgram|child_process|worker_threads|sqlite)|pg|pg-copy-streams|ssh2)$/;

const rules: readonly (readonly [string, () => string[]])[] = [
  ['every folder has its place in the house', foldersOutsideTheHouse],
  ['a folder imports only those below it, so there is no cycle between folders', importsOutsideTheHouse],
  ['the kernel imports the kernel alone', () => edges((from, { to }) => kernel(from) && !kernel(to))],
  [
    'providers do no I/O',
    () =>
      edges((from, { to }) => folderOf(from) === 'providers' && (inputOutput.test(to) || /^src\/platform\//.test(to))),
  ],
  ['pure files reach no I/O, directly or through others', impureLeaves],
  ['what is named as a step of a workflow does something', stepsThatNeedNoName],
  [
    'the durable engine is known to platform/durable alone',
    () => edges((from, { to }) => to.startsWith('@dbos-inc/') && !from.startsWith('src/platform/durable/')),
  ],
  [
    'the product does not know the sandbox',
    () =>
      edges(
        (from, { to }) =>
          /^src\/sandbox\//.test(to) && folderOf(from) !== 'sandbox' && !entrances.includes(folderOf(from)),
      ),
  ],
  [
    'only entrances import what composes the process',
    () => edges((from, { to }) => entrances.includes(folderOf(to)) && !entrances.includes(folderOf(from))),
  ],
  [
    'nothing that is shipped imports a test',
    () => edges((_, { to }) => /\.(test|fixture)\.ts$/.test(to) || /(^|\/)test\//.test(to) || to === 'vitest'),
  ],
  ['a store writes its own tables', foreignWrites],
  ['rows are written by stores', writesOutsideStores],
  ['every table belongs to a folder', ownersWithoutTable],
  ['files are named with kebab-case nouns', badNames],
  ['no file is longer than 300 lines', longFiles],
  ['no file passes on what others export', barrels],
  ['nothing is exported as a default', () => lines(/^export\s+default\b/)],
  ['won becomes a float nowhere, and a JSON number only where the kernel asserts that it fits', floats],
  [
    'nothing is left to do',
    () => lines(new RegExp(`${'TO'}${'DO'}|FIX${'ME'}|@ts-(ignore|expect-error|nocheck)|biome-ignore`), sources),
  ],
  ['tests wait with the patience that they share (test/support/eventually.ts)', impatientTests],
  ['every problem speaks Korean and English of the same details', badProblems],
  ['every problem is thrown by somebody', unusedProblems],
  ['migrations are numbered without a gap', migrationGaps],
];

test.each(rules)('%s', (_, violations) => {
  expect(violations()).toEqual([]);
});
