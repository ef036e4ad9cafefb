import path from 'node:path';
import type { Pool } from 'pg';
import { compactDay } from '../kernel/business-day.ts';
import { isProblem, Problem } from '../kernel/problem.ts';
import type { Archive } from '../platform/archive.ts';
import { FolderSource } from '../platform/folder.ts';
import { isSameFile, type Source, type SourceFile } from '../platform/source.ts';
import type { StatementSpec } from '../providers/provider.ts';
import { providerOf } from '../providers/registry.ts';
import type { Stage } from '../providers/stage.ts';
import { findSight, findSights, type Sight, saveSight } from './sight-store.ts';
import type { StageDay } from './stage-sql.ts';
import { formatStatementName, readStatementName } from './statement-name.ts';
import { midsOfOurs, newestStatements, registerSeen, registerStatement, statementsToLoad } from './statement-store.ts';

/** 수집 결과. Ids and names only. */
export type Collected = {
  /** Statements whose bytes are kept and whose lines are not yet in, new ones and those of earlier, unfinished runs. */
  readonly statements: number[];
  /** Files that are still being written or lack their done-marker. */
  readonly waiting: string[];
  /** Files that the day should have and that neither the source nor the archive has. */
  readonly missing: string[];
  /** Files whose newest version cannot be read; an older version of such a file still counts if it did before. */
  readonly refused: string[];
};

/** How often a file that changes while it is read, or that another run takes, is begun again before it counts as growing. */
const readsMax = 3;

/** How long a file must have rested where its done-marker is older than itself: an earlier version's, not its own. */
const restAfterOldMarkerSeconds = 60;

/**
 * 대사 파일 수집. Takes from `source` the files of a stage of a day that are complete, keeps their bytes, and registers
 * each as the version of its file that it is. Safe to repeat and to stop anywhere: a file that was taken and did not
 * change since is not downloaded again.
 * @throws Problem of the source (`source_unreachable`, `host_key_mismatch`, …) and of the archive (`disk_full`)
 */
export async function collectStatements(
  input: StageDay & {
    readonly pool: Pool;
    readonly source: Source;
    readonly archive: Archive;
    readonly who: string;
    readonly now: Temporal.Instant;
  },
): Promise<Collected> {
  const { pool, source, provider, stage, on } = input;
  const spec = statementSpec(provider, stage);
  const listed = new Map((await source.list()).map((file) => [file.name, file]));
  const sights = await findSights(pool, input);
  const waiting: string[] = [];
  for (const file of listed.values()) {
    if (readStatementName(spec.fileName, file.name)?.day !== compactDay(on)) continue;
    const collected = await collectFile(input, spec, file, listed, sights.get(file.name));
    if (!collected) waiting.push(file.name);
  }
  const newest = await newestStatements(pool, input);
  const there = new Set([...waiting, ...newest.map((statement) => statement.fileName)]);
  const expected = await expectedNames(pool, spec, input);
  return {
    statements: await statementsToLoad(pool, input),
    waiting,
    missing:
      expected.length === 0 && there.size === 0 ? [anyMid(spec, on)] : expected.filter((name) => !there.has(name)),
    refused: newest.filter(({ state }) => state === 'refused').map(({ fileName }) => fileName),
  };
}

type Collection = Parameters<typeof collectStatements>[0];

/** Archives and registers one file; false while it is not complete. */
async function collectFile(
  input: Collection,
  spec: StatementSpec,
  listed: SourceFile,
  others: ReadonlyMap<string, SourceFile>,
  seenBefore: Sight | undefined,
): Promise<boolean> {
  const { pool, source, archive, who, now } = input;
  const nowMs = now.epochMilliseconds;
  let file: SourceFile | undefined = listed;
  let last = seenBefore;
  let marker = spec.complete.kind === 'marker' ? others.get(listed.name + spec.complete.suffix) : undefined;
  for (let reads = 1; file && reads <= readsMax; reads += 1) {
    const isUnchanged: boolean = last?.sourceName === source.name && isSameFile(last.file, file);
    if (isUnchanged && last?.statementId) return true;
    const firstSeenAtMs = isUnchanged && last ? last.firstSeenAtMs : nowMs;
    const sight = { sourceName: source.name, file, firstSeenAtMs };
    if (!isComplete(spec, file, marker, firstSeenAtMs, nowMs)) {
      await saveSight(pool, input, { ...sight, statementId: null });
      return false;
    }
    try {
      const kept = await archive.keep(source.read(file));
      const receipt = { source: source.kind, who };
      const { provider, stage, on } = input;
      const statement = { provider, stage, on, fileName: file.name };
      if (await registerSeen(pool, statement, kept, receipt, { before: last, seen: sight })) return true;
      last = await findSight(pool, statement);
    } catch (error) {
      if (!isProblem(error, 'file_changed_while_read')) throw error;
    }
    if (spec.complete.kind === 'marker') marker = await source.stat(listed.name + spec.complete.suffix);
    file = await source.stat(listed.name);
  }
  return false;
}

/**
 * True when a file is no longer written to. Rest is measured by the file's own time and, for a server whose clock runs
 * ahead, by how long we have seen it unchanged.
 */
function isComplete(
  { complete }: StatementSpec,
  file: SourceFile,
  marker: SourceFile | undefined,
  firstSeenAtMs: number,
  nowMs: number,
): boolean {
  const restedMs = nowMs - Math.min(file.modifiedAtMs, firstSeenAtMs);
  if (complete.kind === 'stable') return restedMs >= complete.seconds * 1000;
  if (!marker) return false;
  return marker.modifiedAtMs >= file.modifiedAtMs || restedMs >= restAfterOldMarkerSeconds * 1000;
}

/** The files that a day should have: one, or one for each MID that our own records of the day name. */
async function expectedNames(pool: Pool, spec: StatementSpec, day: StageDay): Promise<string[]> {
  const named = { day: compactDay(day.on) };
  if (!spec.perMid) return [formatStatementName(spec.fileName, named)];
  const mids = await midsOfOurs(pool, day);
  return mids.map((mid) => formatStatementName(spec.fileName, { ...named, mid }));
}

/** A day without records of ours does not say which MIDs to wait for; that nothing came at all is a finding all the same. */
function anyMid(spec: StatementSpec, on: Temporal.PlainDate): string {
  return formatStatementName(spec.fileName, { day: compactDay(on), mid: '{mid}' });
}

/**
 * 수기 등록. Adds a file of this machine under who brought it and why. A name that the provider would not give is
 * accepted where the day can have one file only, which then is that file; with one file per MID the name says the MID.
 * @throws Problem `not_found`, `statement_file_name`, `file_changed_while_read`, `disk_full`
 */
export async function addStatementByHand(
  input: StageDay & {
    readonly pool: Pool;
    readonly archive: Archive;
    readonly file: string;
    readonly who: string;
    readonly why: string;
  },
): Promise<{ statementId: number; version: number; isNew: boolean; fileName: string }> {
  const folder = new FolderSource({ kind: 'folder', folder: path.dirname(path.resolve(input.file)) });
  const file = await folder.stat(path.basename(input.file));
  if (!file) throw new Problem('not_found', { what: 'file', id: input.file });
  return keepStatementByHand({ ...input, fileName: file.name, chunks: folder.read(file) });
}

/**
 * 수기 등록. Keeps bytes that a person brings and registers them under the provider's name of the file.
 * @throws Problem `statement_file_name` where the name is not one of that day, before any byte is read; `not_found`;
 * `disk_full`
 */
export async function keepStatementByHand(
  input: StageDay & {
    readonly pool: Pool;
    readonly archive: Archive;
    readonly fileName: string;
    readonly chunks: AsyncIterable<Uint8Array>;
    readonly who: string;
    readonly why: string;
  },
): Promise<{ statementId: number; version: number; isNew: boolean; fileName: string }> {
  const fileName = handedName(statementSpec(input.provider, input.stage), path.basename(input.fileName), input.on);
  const kept = await input.archive.keep(input.chunks);
  const receipt = { source: 'hand', who: input.who, reason: input.why } as const;
  const registered = await registerStatement(input.pool, { ...input, fileName }, kept, receipt);
  return { ...registered, fileName };
}

function handedName(spec: StatementSpec, name: string, on: Temporal.PlainDate): string {
  const day = compactDay(on);
  const named = readStatementName(spec.fileName, name);
  if (named?.day === day) return name;
  if (!spec.perMid && !named) return formatStatementName(spec.fileName, { day });
  throw new Problem('statement_file_name', { file: name, expected: anyMid(spec, on) });
}

/** What the provider's file says of a stage. @throws Problem `not_found` for a stage that the provider does not send */
export function statementSpec(provider: string, stage: Stage): StatementSpec {
  const spec = providerOf(provider).statements[stage];
  if (!spec) throw new Problem('not_found', { what: `stage of ${provider}`, id: stage });
  return spec;
}
