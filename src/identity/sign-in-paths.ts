/**
 * What of better-auth can be reached: everything else that it offers (signing up, changing one's address, linking accounts,
 * reading tokens) is not there. Of a body only what is named here is passed on.
 */
export type SignInPath = {
  readonly method: 'GET' | 'POST';
  readonly takes: readonly string[];
  /** Answered with the identity provider. */
  readonly provider?: true;
  /** What the audit trail calls it; undefined for what changes nothing. */
  readonly act?: string;
};

export const signInPaths: Readonly<Record<string, SignInPath>> = {
  '/sign-in/email': { method: 'POST', takes: ['email', 'password'], act: 'signIn' },
  '/sign-in/social': { method: 'POST', takes: ['callbackURL', 'errorCallbackURL'], provider: true },
  '/callback/oidc': { method: 'GET', takes: [], provider: true },
  '/sign-out': { method: 'POST', takes: [], act: 'signOut' },
  '/get-session': { method: 'GET', takes: [] },
  '/change-password': { method: 'POST', takes: ['currentPassword', 'newPassword'], act: 'changePassword' },
  '/two-factor/enable': { method: 'POST', takes: ['password'], act: 'beginSecondFactor' },
  '/two-factor/verify-totp': { method: 'POST', takes: ['code'], act: 'signIn' },
  '/two-factor/verify-backup-code': { method: 'POST', takes: ['code'], act: 'signIn' },
  '/two-factor/generate-backup-codes': { method: 'POST', takes: ['password'], act: 'renewBackupCodes' },
  '/two-factor/disable': { method: 'POST', takes: ['password'], act: 'disableSecondFactor' },
};

/** What we add to a body, whatever came. */
export const signInDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  '/sign-in/social': { provider: 'oidc', disableRedirect: true },
  '/change-password': { revokeOtherSessions: true },
};

/** The members of a body that a path takes, where they are texts of a sensible length. */
export function takenOf(path: string, body: unknown): Record<string, unknown> {
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const taken = (signInPaths[path]?.takes ?? []).flatMap((name) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    return typeof value === 'string' && value.length <= 2000 ? [[name, value] as const] : [];
  });
  return { ...Object.fromEntries(taken), ...signInDefaults[path] };
}
