/** 영업일 규칙. On which days a schedule has slots; rolled ones keep their time of day on the next or last open day. */
export const businessDayRules = ['every_day', 'business_days', 'roll_forward', 'roll_backward'] as const;
export type BusinessDayRule = (typeof businessDayRules)[number];

/** 누락 처리. What becomes of slots that nobody could start at their time. */
export const misfirePolicies = ['skip', 'run_once', 'run_all'] as const;
export type MisfirePolicy = (typeof misfirePolicies)[number];

/** 중복 처리. What becomes of a slot whose schedule's last run is not over. `allow`: the job itself decides. */
export const overlapPolicies = ['skip', 'queue_one', 'allow'] as const;
export type OverlapPolicy = (typeof overlapPolicies)[number];

/** 스케줄. What an operator says of one. */
export type ScheduleTerms = {
  readonly job: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Five fields, or six with seconds first. */
  readonly cron: string;
  readonly timeZone: string;
  readonly businessDays: BusinessDayRule;
  readonly misfire: MisfirePolicy;
  /** Of `run_all`: at most so many. */
  readonly misfireMost: number;
  readonly overlap: OverlapPolicy;
  readonly lateAfterSeconds: number | null;
  readonly longAfterSeconds: number | null;
  readonly enabled: boolean;
};

export type Schedule = ScheduleTerms & {
  readonly id: bigint;
  readonly name: string;
  readonly version: number;
  /** Slots after this moment are this schedule's. */
  readonly fromAt: Temporal.Instant;
  readonly changedAt: Temporal.Instant;
  readonly changedBy: string;
  readonly reason: string;
};

/**
 * 슬롯 상태. `held`: its time came while it was paused; `queued`: it waits for the run before it; `claimed`: a node has it
 * and starts its run; `missed`: it never ran, for its reason.
 */
export const slotStates = ['held', 'queued', 'claimed', 'running', 'done', 'failed', 'cancelled', 'missed'] as const;
export type SlotState = (typeof slotStates)[number];

/** Why a slot is held or missed. */
export const slotReasons = ['stopped', 'paused', 'maintenance', 'overlap', 'changed'] as const;
export type SlotReason = (typeof slotReasons)[number];

export type Slot = {
  readonly scheduleId: bigint;
  readonly schedule: string;
  readonly job: string;
  readonly nominalAt: Temporal.Instant;
  readonly kind: 'clock' | 'hand';
  readonly state: SlotState;
  readonly reason: SlotReason | null;
  /** Of a row that stands for several missed slots: how many, and the first of them. */
  readonly slots: number;
  readonly firstAt: Temporal.Instant | null;
  readonly runId: string | null;
  readonly makesUpAt: Temporal.Instant | null;
  readonly madeUpBy: Temporal.Instant | null;
  readonly who: string;
  readonly claimedBy: string | null;
  readonly startedAt: Temporal.Instant | null;
  readonly endedAt: Temporal.Instant | null;
  readonly error: string | null;
};

/** What people are told of a schedule; the subject is its name. */
export const scheduleFindings = {
  missed: 'schedule_missed',
  skipped: 'schedule_skipped',
  failed: 'schedule_failed',
  late: 'schedule_late',
  long: 'schedule_long',
} as const;
