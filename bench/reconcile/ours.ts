/** The measured process: the product as it is, reconciling one stage of one day through its durable steps. */
import { readFileSync } from 'node:fs';
import { openApp } from '../../src/app.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { listSteps } from '../../src/platform/durable/runs.ts';
import { createLog } from '../../src/platform/log.ts';
import { providers } from '../../src/providers/registry.ts';
import { walPosition } from '../harness.ts';
import { on, provider } from './data.ts';

export type OursRequest = { readonly url: string; readonly home: string; readonly rows: number };
export type OursResult = {
  /** From the archived bytes to the committed verdicts: the steps from `load` to `note`. */
  readonly seconds: number;
  /** The same with collecting, archiving, the engine's start and the report. */
  readonly wholeSeconds: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly walBytes: number;
  readonly peakRssBytes: number;
  readonly breaks: number;
};

const request = JSON.parse(process.argv[2] ?? '{}') as OursRequest;
const config = loadConfig(
  { JEONGSAN_HOME: request.home, DATABASE_URL: request.url },
  providers.map((each) => each.id),
);
const app = await openApp(config, createLog({ logLevel: 'warn' }));
await app.pool.query('checkpoint');
const before = await walPosition(app.pool);
const began = performance.now();
const runId = `reconcile:${on}:1`;
await app.pool.query(
  `insert into reconciliation_run (run_id, business_on, attempt, providers, stages, started_by)
   values ($1, $2, 1, $3, $4, 'bench')`,
  [runId, on, [provider], ['transaction']],
);
await app.run(runId, { on, providers: [provider], stages: ['transaction'], who: 'bench' }, () => undefined);
const wholeSeconds = (performance.now() - began) / 1000;
const steps = (await listSteps(app.pool, `${runId}/${provider}/transaction`)).flatMap((step) =>
  step.startedAt && step.completedAt ? [{ name: step.name, from: step.startedAt, to: step.completedAt }] : [],
);
const first = steps.find((step) => step.name === 'load')?.from;
const last = steps.at(-1)?.to;
if (first === undefined || last === undefined) throw new Error('the run has no steps');
const { rows } = await app.pool.query<{ n: bigint }>('select count(*) as n from break where business_on = $1', [on]);
const result: OursResult = {
  seconds: last.since(first).total('seconds'),
  wholeSeconds,
  steps: Object.fromEntries(steps.map((step) => [step.name, step.to.since(step.from).total('seconds')])),
  walBytes: (await walPosition(app.pool)) - before,
  peakRssBytes: peakRss(),
  breaks: Number(rows[0]?.n),
};
await app.close();
process.send?.(result);

/** Of this process alone: the kernel's `ru_maxrss` would begin with what its parent had when it forked. */
function peakRss(): number {
  const kilobytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
