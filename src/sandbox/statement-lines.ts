import { wonToJson } from '../kernel/money.ts';
import type { Stage } from '../providers/stage.ts';
import type { Difference, DifferenceKind, Peculiarity } from './difference.ts';
import { type Happening, happeningsOn, isPlanted } from './event.ts';
import type { Plant } from './plant.ts';
import type { WorldDay, WorldProvider } from './world.ts';

/** What the making of a statement tells besides its rows. */
export type StatementNotes = {
  difference(difference: Difference): void;
  /** The amount of this line, which is yielded next, is to be written unreadably. */
  unreadable(line: number): void;
  peculiar(what: Peculiarity): void;
};

/** A line with what is special about it; `row` undefined where the line is left out. */
export type SpecialLine<Row> = {
  readonly row: Row | undefined;
  readonly kind?: DifferenceKind;
  readonly differenceWon?: number;
  readonly peculiar?: Peculiarity;
};

/** How a stage writes what happened. */
export type StageWriter<Row> = {
  readonly stage: Stage;
  readonly by: 'day' | 'capturedDay';
  row(happening: Happening): Row;
  /** What stands instead of the line of a plant that only this stage knows. */
  special(happening: Happening, row: Row): SpecialLine<Row>;
  /** Plants of other stages by which this stage has no line. */
  leavesOut(plant: Plant): boolean;
  /** Lines of other days that stand in this day's statement. */
  further(): Iterable<SpecialLine<Row>>;
};

type AnyRow = { readonly providerTid: string; readonly amountWon: bigint };

/** The data lines of a statement (대사 파일) with what is planted in them; the header is line 1. */
export function* statementLines<Row extends AnyRow>(
  writer: StageWriter<Row>,
  provider: WorldProvider,
  day: WorldDay,
  notes: StatementNotes,
  mid: number | undefined,
): Generator<Row> {
  const { stage } = writer;
  const again: Row[] = [];
  let line = 1;
  const tell = (kind: DifferenceKind, at: number | null, providerTid: string, differenceWon: number | null): void =>
    notes.difference({ provider: provider.id, stage, on: day.on, kind, providerTid, line: at, differenceWon });
  const note = ({ row, kind, differenceWon, peculiar }: SpecialLine<Row>): void => {
    if (kind !== undefined && row !== undefined) tell(kind, line, row.providerTid, differenceWon ?? 0);
    if (peculiar !== undefined) notes.peculiar(peculiar);
  };

  for (const happening of happeningsOn(provider, day.no, writer.by, mid)) {
    const { payment, event } = happening;
    const { plant, providerTid } = payment;
    if (plant === undefined) {
      line += 1;
      yield writer.row(happening);
      continue;
    }
    if (plant.stage !== stage || !isPlanted(provider, happening)) {
      if (plant.kind === 'missing_here' || writer.leavesOut(plant)) continue;
      line += 1;
      yield writer.row(happening);
      continue;
    }
    if (plant.kind === 'missing_at_provider') {
      tell('missing_at_provider', null, providerTid, -event.amountWon);
      continue;
    }
    const row = writer.row(happening);
    const special = plainKinds.has(plant.kind) ? { row } : writer.special(happening, row);
    if (special.row === undefined) continue;
    line += 1;
    if (plant.kind === 'missing_here') tell('missing_here', line, providerTid, event.amountWon);
    else if (plant.kind === 'duplicate') again.push(row);
    else if (plant.kind === 'unreadable') {
      tell('unreadable', line, providerTid, null);
      notes.unreadable(line);
    } else note(special);
    yield special.row;
  }
  for (const special of writer.further()) {
    if (special.row === undefined) continue;
    line += 1;
    note(special);
    yield special.row;
  }
  for (const row of again) {
    line += 1;
    tell('duplicate', line, row.providerTid, wonToJson(row.amountWon));
    yield row;
  }
}

/** Planted lines that look like any other. */
const plainKinds: ReadonlySet<string> = new Set(['missing_here', 'duplicate', 'unreadable']);

/** How far an amount is off: by one won, or by hundreds, either way; always less than the smallest amount. */
export function amountOff(chance: number): number {
  const sign = chance & 1 ? 1 : -1;
  return (chance & 6) === 0 ? sign : sign * (1 + ((chance >>> 3) % 6)) * 100;
}
