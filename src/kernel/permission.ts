/**
 * 권한. What somebody may do. Each route and each command names the one it needs; a role is a set of them, and an API key
 * holds a part of those of its owner.
 */
export const permissions = [
  /** 조회. See everything, personal data masked. */
  'read',
  /** 개인정보 열람. See one account number or the like in full, with a reason, which is kept. */
  'reveal',
  /** 반입. Bring records of ours in from files. */
  'import',
  /** 실행. Start, cancel and restart runs. */
  'run',
  /** 처리. Work on breaks, findings, alerts, holds and claims. */
  'act',
  /** 요청. Ask for what a second person decides on: payouts, adjustments, refunds, dismissals. */
  'propose',
  /** 승인. Decide on what somebody else asked for. */
  'approve',
  /** 설정. Change schedules, rules, limits, calendar, webhooks; pause and resume. */
  'configure',
  /** 감사. Read and verify the audit trail. */
  'audit',
  /** 관리. People, their roles, keys, data keys. */
  'administer',
] as const;
export type Permission = (typeof permissions)[number];

/** 역할. Somebody may have several. Nobody decides on what they asked for themselves, whatever their roles. */
export const roles = ['viewer', 'operator', 'approver', 'administrator'] as const;
export type Role = (typeof roles)[number];

/** What each role may do. An administrator looks after people and settings and moves no money. */
export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['read'],
  operator: ['read', 'reveal', 'import', 'run', 'act', 'propose'],
  approver: ['read', 'reveal', 'approve'],
  administrator: ['read', 'configure', 'audit', 'administer'],
};

/** 행위자. Who acts, as every trail names them, what they may do, and from where. */
export type Actor = {
  /** `kim@pg.example` of a person, `system:scheduler` of the product itself, `os:kim` of who holds the database. */
  readonly who: string;
  readonly permissions: ReadonlySet<Permission>;
  /** An address, or `cli@host`. */
  readonly from: string;
  /** By which key, where it was one. */
  readonly key?: string;
};

export function mayDo(actor: Actor, permission: Permission): boolean {
  return actor.permissions.has(permission);
}

/** All that roles allow. */
export function permissionsOf(held: readonly Role[]): ReadonlySet<Permission> {
  return new Set(held.flatMap((role) => rolePermissions[role]));
}
