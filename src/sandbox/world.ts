import { compactDay } from '../kernel/business-day.ts';
import type { Stage } from '../providers/stage.ts';
import { draw, drawBase } from './draw.ts';
import { type Merchant, makeMerchants } from './merchant.ts';
import { type PlantSlots, plantSlots } from './plant.ts';

/** What a world is made from. Equal specs give equal bytes. */
export type WorldSpec = {
  readonly seed: string;
  readonly days: number;
  /** Approvals a day over all providers; their cancels come on top. */
  readonly payments: number;
  /** Below 1: the share of a provider's payments planted with a difference in each stage; else the count of each kind. */
  readonly breaks: number;
  readonly from: Temporal.PlainDate;
  /** A world for differential settlement has more merchants, payments through `nice`, and cards whose BIN tells their type. */
  readonly differential?: boolean;
};

/** A Wednesday, so that a world of three days has pay-in days of every provider within it. */
export const defaultFrom = Temporal.PlainDate.from('2026-11-18');
export const defaultBreaks = 0.002;

/** A business day of the world in the spellings that its files need. */
export type WorldDay = { readonly no: number; readonly on: string; readonly compact: string; readonly short: string };

/** A provider as the sandbox plays it. */
export type WorldProvider = {
  readonly id: string;
  readonly no: number;
  readonly online: boolean;
  /** What payments one day has, from index 0; a few of them exist only at the provider. */
  readonly paymentsPerDay: number;
  readonly mids: readonly string[];
  readonly merchants: readonly Merchant[];
  readonly dayBases: readonly number[];
  readonly plants: PlantSlots;
  readonly world: {
    readonly days: readonly WorldDay[];
    readonly lastDay: number;
    readonly differential: boolean;
  };
};

export type World = {
  readonly spec: WorldSpec;
  readonly days: readonly WorldDay[];
  readonly providers: readonly WorldProvider[];
};

type Role = {
  readonly id: string;
  readonly online: boolean;
  readonly percent: number;
  readonly mids: readonly string[];
  readonly stages: readonly Stage[];
};

const roles: readonly Role[] = [
  {
    id: 'ksnet',
    online: true,
    percent: 40,
    mids: ['2999100001', '2999100002', '2999100003', '2999100004'],
    stages: ['transaction', 'capture', 'settlement'],
  },
  {
    id: 'welcome-online',
    online: true,
    percent: 35,
    mids: ['wpon000001', 'wpon000002'],
    stages: ['transaction', 'settlement'],
  },
  {
    id: 'welcome-offline',
    online: false,
    percent: 25,
    mids: ['wpof000001', 'wpof000002'],
    stages: ['transaction', 'settlement'],
  },
];

/** A provider that states nothing to reconcile: it is there for its differential settlement. Its share comes on top. */
const niceRole: Role = { id: 'nice', online: true, percent: 20, mids: ['nice000001', 'nice000002'], stages: [] };

/** So many merchants of each provider, at least, that every tier and every way of charging is among them. */
const differentialMerchants = 24;

/** 가상 세계. Days, providers, merchants and the places of the planted differences; payments are made when asked for. */
export function makeWorld(spec: WorldSpec): World {
  const days = Array.from({ length: spec.days }, (_, no) => {
    const day = spec.from.add({ days: no });
    const compact = compactDay(day);
    return { no, on: day.toString(), compact, short: compact.slice(2) };
  });
  const differential = spec.differential === true;
  const providers = (differential ? [...roles, niceRole] : roles).map(({ id, online, percent, mids, stages }, no) => {
    const approvals = Math.ceil((spec.payments * percent) / 100);
    const plants = plantSlots(stages, approvals, spec.breaks);
    const base = drawBase(spec.seed, 'payments', id);
    const fewest = differential ? differentialMerchants / mids.length : 2;
    const merchantCount = Math.min(2_000, Math.max(fewest, Math.ceil(approvals / 200))) * mids.length;
    return {
      id,
      no: no + 1,
      online,
      paymentsPerDay: approvals + plants.onlyTheirs,
      mids,
      merchants: makeMerchants(spec.seed, { id, no: no + 1, online, differential }, mids, merchantCount),
      dayBases: days.map((day) => draw(base, day.no, 0)),
      plants,
      world: { days, lastDay: days.length - 1, differential },
    };
  });
  return { spec, days, providers };
}

export function worldDay(provider: WorldProvider, no: number): WorldDay {
  return provider.world.days[no] as WorldDay;
}
