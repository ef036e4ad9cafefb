/**
 * `npm run bench -- differential [--rows 1000000] [--merchants 20000] [--rounds 3] [--json]`: captures of small merchants
 * to a written file of claims, and the provider's answers to applied claims, refunds and the ledger, against plain COPY of
 * the same rows, out to a file and in from one, by one connection, on one server.
 */
import { parseArgs } from 'node:util';
import { makeMerchants } from './differential/data.ts';
import type { RoundFigures } from './differential/round.ts';
import { inProcess, median, onServer, print } from './harness.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    merchants: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const rows = Number(values.rows);
const merchants = Number(values.merchants);

const figures = await onServer(4, async ({ pool, url, home }) => {
  await makeMerchants(pool, merchants);
  const rounds: RoundFigures[] = [];
  for (let n = 0; n < Number(values.rounds); n += 1) {
    const figure = await inProcess<RoundFigures>('differential/round.ts', { url, home, rows, merchants, n });
    process.stderr.write(`${JSON.stringify(figure)}\n`);
    rounds.push(figure);
  }
  return rounds;
});
/** Of these rows, what a direction cannot do without: by COPY and by a bare join. */
const outFloor = (f: RoundFigures) => f.candidatesJoinSeconds + f.claimsInSeconds + f.copyOutSeconds;
const inFloor = (f: RoundFigures) => f.linesInSeconds + f.linesJoinSeconds + f.copyInSeconds;
const out = median(figures, (f) => f.outSeconds / outFloor(f));
const back = median(figures, (f) => f.inSeconds / inFloor(f));
const rate = (seconds: number) => Math.round(rows / seconds);
const share = (baseline: number, ours: number) => Number((baseline / ours).toFixed(3));
print(
  {
    rows,
    merchants,
    claims: out.claims,
    outRowsPerSecond: rate(out.outSeconds),
    copyOutRowsPerSecond: rate(out.copyOutSeconds),
    /** Of a plain COPY out alone; of the claims' COPY in and out, since a claim is a row before it is a line; with the join. */
    outShareOfCopyOut: share(out.copyOutSeconds, out.outSeconds),
    outShareOfCopyInAndOut: share(out.claimsInSeconds + out.copyOutSeconds, out.outSeconds),
    outFloorShare: share(outFloor(out), out.outSeconds),
    inRowsPerSecond: rate(back.inSeconds),
    copyInRowsPerSecond: rate(back.copyInSeconds),
    /** Of the results' COPY in with their key and out, as above; and of the COPY in of the lines that they were before, and of them. */
    inShareOfCopyInAndOut: share(back.copyInSeconds + back.resultsOutSeconds, back.inSeconds),
    inShareOfLinesAndResultsIn: share(back.linesInSeconds + back.copyInSeconds, back.inSeconds),
    inFloorShare: share(inFloor(back), back.inSeconds),
    /** Of a COPY into a table with the key that keeps a claim from being accepted twice, and into one without. */
    inShareOfCopyIn: share(back.copyInSeconds, back.inSeconds),
    inShareOfCopyInWithoutKey: share(back.bareInSeconds, back.inSeconds),
    peakMegabytes: Math.max(...figures.map(({ peakMegabytes }) => peakMegabytes)),
    seconds: figures.map(({ selectSeconds, writeSeconds, inSeconds }) => [selectSeconds, writeSeconds, inSeconds]),
  },
  values.json,
);
