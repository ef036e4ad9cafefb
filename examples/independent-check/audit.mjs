// `node audit.mjs FILE [--head NUMBER:HASH] [--after NUMBER:HASH]`: proves an exported audit trail with nothing but
// SHA-256. Ends with 1 at the first entry that is not what was written. See README.md.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const usage = 'node audit.mjs FILE|- [--head NUMBER:HASH] [--after NUMBER:HASH]\n';

function say(text, status) {
  (status === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(status);
}

function place(option, text) {
  const found = /^(\d+):([0-9a-f]{64})$/.exec(text ?? '');
  if (text !== undefined && !found) say(`${option}: NUMBER:HASH\n${usage}`, 2);
  return found ? { number: Number(found[1]), hash: found[2] } : undefined;
}

let given;
try {
  given = parseArgs({ allowPositionals: true, options: { head: { type: 'string' }, after: { type: 'string' } } });
} catch (error) {
  say(`${error.message}\n${usage}`, 2);
}
const { values, positionals } = given;
if (positionals.length !== 1) say(usage, 2);
const noted = place('--head', values.head);
// Without a place to go on from, an export is proved from the chain's first entry on.
let last = place('--after', values.after) ?? { number: 0, hash: '0'.repeat(64) };
let seen = noted !== undefined && noted.number === last.number && noted.hash === last.hash;
let entries = 0;

/** `<bytes>:<text>,` for a text, `-,` for none. */
const piece = (text) => (text === null ? '-,' : `${Buffer.byteLength(text, 'utf8')}:${text},`);
const names = [
  'number',
  'at',
  'who',
  'from',
  'key',
  'act',
  'subject',
  'outcome',
  'reason',
  'detail',
  'actId',
  'previousHash',
];
const maySay = { number: 'number', actId: 'number', key: 'string', reason: 'string' };

/** The fields as they were hashed, or why the line holds none. */
function fieldsOf(line) {
  let entry;
  try {
    entry = JSON.parse(line);
  } catch {
    return 'is no JSON';
  }
  if (entry === null || typeof entry !== 'object') return 'is no entry';
  if (entry.format !== 'jeongsan-audit-1') return 'is of no known format';
  for (const name of [...names, 'hash']) {
    const isThere = typeof entry[name] === (maySay[name] ?? 'string');
    const isEmpty = entry[name] === null && (name === 'key' || name === 'reason');
    if (!isThere && !isEmpty) return `has no ${name}`;
  }
  return entry;
}

const input = positionals[0] === '-' ? process.stdin : createReadStream(positionals[0]);
input.on('error', (error) => say(error.message, 2));
let lineNo = 0;
for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
  lineNo += 1;
  const entry = fieldsOf(line);
  if (typeof entry === 'string') say(`line ${lineNo} ${entry}`, 1);
  if (entry.number !== last.number + 1)
    say(`entry ${entry.number}: entries before it are missing, after ${last.number}`, 1);
  const text = names.map((name) => piece(entry[name] === null ? null : String(entry[name]))).join('');
  const computed = createHash('sha256').update(`jeongsan-audit-1${text}`, 'utf8').digest('hex');
  if (computed !== entry.hash) say(`entry ${entry.number}: is not what was written`, 1);
  if (entry.previousHash !== last.hash) say(`entry ${entry.number}: does not follow entry ${last.number}`, 1);
  last = { number: entry.number, hash: entry.hash };
  if (noted !== undefined && noted.number === last.number && noted.hash === last.hash) seen = true;
  entries += 1;
}
if (noted !== undefined && !seen)
  say(`entry ${noted.number} with the hash that was noted is not in it: cut off, or written anew`, 1);
say(`sound: ${entries} entries, head ${last.number}:${last.hash}`, 0);
