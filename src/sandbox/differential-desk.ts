import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { addBusinessDays, compactDay, seoul } from '../kernel/business-day.ts';
import { koreanHolidays } from '../platform/holidays.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeHead } from '../providers/layout/exchange-layout.ts';
import { type Judged, type Publication, publicationsOf, readClaims } from './differential-answers.ts';
import { claimKey } from './differential-claims.ts';
import type { Fate, FileMood } from './differential-fates.ts';
import { answerRegistrations } from './differential-registrar.ts';

export type DeskOptions = {
  readonly provider: DifferentialProvider;
  /** Its `files` are what the provider shows: requests are put there and answers taken; its journal stands beside. */
  readonly folder: string;
  /** 우리 사업자등록번호. */
  readonly businessNo: string;
  /** What becomes of each claim, by its key. */
  readonly fates: ReadonlyMap<string, Fate>;
  moodOf(on: Temporal.PlainDate, mid: string): FileMood;
  /** Who is registered, and when: by merchant, and how often it was asked for. */
  registers(merchantId: string, tries: number): boolean;
  /** `calendar`: answers come at the hours and days at which a provider's come; `at_once`: some seconds after each other. */
  readonly pace: 'calendar' | 'at_once';
};

/** 원천사 창구. Takes requests from a folder and puts answers into another as time goes by. */
export type Desk = {
  /** Takes in what has come, and puts out what is due by now. Safe to repeat, also by a process that takes over. */
  look(now: Temporal.Instant): void;
  /** Claims that the provider does not owe, or of which a line says something else than is true. */
  strays(): readonly string[];
};

type Arrival = { readonly name: string; readonly at: string };
type Line = { readonly arrived: Arrival } | { readonly published: string };
type Due = { readonly id: string; readonly atMs: number; readonly name: string; readonly bytes: Buffer };

export function openDesk(options: DeskOptions): Desk {
  const { provider, folder } = options;
  const { outbox, inbox, temporarySuffix } = provider.differential.transport;
  const [requests, answers] = [path.join(folder, 'files', outbox), path.join(folder, 'files', inbox)];
  for (const each of [requests, answers]) mkdirSync(each, { recursive: true });
  const journal = path.join(folder, 'journal.ndjson');
  const known = new Set<string>();
  const published = new Set<string>();
  const tries = new Map<string, number>();
  const strays: string[] = [];
  const due: Due[] = [];

  const note = (line: Line): void => appendFileSync(journal, `${JSON.stringify(line)}\n`);
  const take = ({ name, at }: Arrival): void => {
    known.add(name);
    const bytes = readFileSync(path.join(requests, name));
    due.push(...answersTo({ ...options, tries, strays }, { name, at }, bytes).filter(({ id }) => !published.has(id)));
  };
  for (const line of linesOf(journal)) if ('published' in line) published.add(line.published);
  for (const line of linesOf(journal)) if ('arrived' in line) take(line.arrived);

  return {
    look(now) {
      for (const name of readdirSync(requests).sort()) {
        if (known.has(name) || name.endsWith(temporarySuffix)) continue;
        const arrived = { name, at: now.toString() };
        note({ arrived });
        take(arrived);
      }
      due.sort((a, b) => a.atMs - b.atMs);
      while (due[0] !== undefined && due[0].atMs <= now.epochMilliseconds) {
        const { id, atMs, name, bytes } = due.shift() as Due;
        publish(path.join(answers, name), bytes, atMs);
        note({ published: id });
        published.add(id);
      }
    },
    strays: () => strays,
  };
}

/** Whole under its name at once, in place of an earlier version, and dated by the provider's clock. */
function publish(file: string, bytes: Buffer, atMs: number): void {
  const part = path.join(path.dirname(file), `.${path.basename(file)}.part`);
  writeFileSync(part, bytes);
  utimesSync(part, atMs / 1_000, atMs / 1_000);
  renameSync(part, file);
}

function linesOf(journal: string): Line[] {
  if (!existsSync(journal)) return [];
  const text = readFileSync(journal, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

type Answering = DeskOptions & { readonly tries: Map<string, number>; readonly strays: string[] };

/** All that will be put out for a request, and when. */
function answersTo(options: Answering, { name, at }: Arrival, bytes: Buffer): Due[] {
  const { provider, businessNo, pace } = options;
  const arrived = Temporal.Instant.from(at);
  const { claims, validation, answers, registration } = provider.differential;
  const asked = readName(claims.fileName, name, businessNo);
  const fill = (template: string, { on, mid }: Named): string =>
    template.replace('{biz}', businessNo).replace('{day}', compactDay(on)).replace('{mid}', mid);
  const dueAt = (when: Publication['when'], n: number): number =>
    pace === 'at_once' ? arrived.epochMilliseconds + n * 5_000 : hourOf(when, n, arrived).epochMilliseconds;
  if (asked === undefined) {
    const wanted = registration === undefined ? undefined : readName(registration.request.fileName, name, businessNo);
    if (registration === undefined || wanted === undefined) throw new Error(`${provider.id}: what is ${name}?`);
    const head = { on: wanted.on, biz: businessNo };
    const answer = answerRegistrations({ ...options, registration, head, fileName: name, bytes });
    const file = fill(registration.answers.fileName, wanted);
    return [{ id: `${name}#0`, atMs: dueAt('at_once', 0), name: file, bytes: answer }];
  }
  const head: ExchangeHead = { on: asked.on, biz: businessNo };
  const judged = readClaims(provider, head, name, bytes).map((row) => judge(options, row, name));
  const mood = options.moodOf(asked.on, asked.mid);
  return publicationsOf({ provider, head, mood, judged }).map(({ stage, bytes: content, when }, n) => ({
    id: `${name}#${n}`,
    atMs: dueAt(when, n),
    name: fill(stage === 'validation' ? (validation?.fileName ?? '') : answers.fileName, asked),
    bytes: content,
  }));
}

/** The verdict on a claim at this try; one that is not owed, or not as its line says, is noted and refused. */
function judge({ fates, tries, strays }: Answering, row: Judged['row'], name: string): Judged {
  const key = claimKey(row);
  const fate = fates.get(key);
  const before = tries.get(key) ?? 0;
  tries.set(key, before + 1);
  if (fate === undefined) {
    strays.push(`${name}: ${key} is not owed`);
    return { row, fate, verdict: { code: '99' }, first: before === 0 };
  }
  const { claim, verdicts } = fate;
  const says = [
    row.amountWon,
    row.originalWon,
    row.mid,
    row.tradedOn,
    row.approvedOn,
    row.finalNo,
    row.intermediaryNo ?? '',
  ];
  const is = [
    claim.amountWon,
    claim.originalWon,
    claim.mid,
    claim.tradedOn,
    claim.originalOn,
    claim.finalNo,
    claim.intermediaryNo ?? '',
  ];
  if (says.join() !== is.join()) strays.push(`${name}: ${key} says ${says.join(' ')} and is ${is.join(' ')}`);
  return { row, fate, verdict: verdicts[Math.min(before, verdicts.length - 1)] ?? undefined, first: before === 0 };
}

/** When something comes out: validations at 09:05, answers from 10:05 on, more of them two hours later. */
function hourOf(when: Publication['when'], n: number, arrived: Temporal.Instant): Temporal.Instant {
  const day = arrived.toZonedDateTimeISO(seoul).toPlainDate();
  const holidays = koreanHolidays(day.year, day.year + 1);
  const open = addBusinessDays(day, 0, holidays);
  const on = when === 'late' ? addBusinessDays(open, 1, holidays) : when === 'very_late' ? day.add({ days: 8 }) : open;
  const time = Temporal.PlainTime.from('09:05').add({ hours: n, minutes: when === 'soon' ? 60 : 0 });
  return on.toZonedDateTime({ timeZone: seoul, plainTime: time }).toInstant();
}

type Named = { readonly on: Temporal.PlainDate; readonly mid: string };

/** The day and the MID in a file's name; undefined where it is another's. */
function readName(template: string, name: string, businessNo: string): Named | undefined {
  const pattern = template
    .replaceAll('.', '\\.')
    .replace('{biz}', businessNo)
    .replace('{day}', '(?<day>\\d{8})')
    .replace('{mid}', '(?<mid>\\w+)');
  const { day, mid = '' } = new RegExp(`^${pattern}$`).exec(name)?.groups ?? {};
  return day === undefined ? undefined : { on: Temporal.PlainDate.from(day), mid };
}
