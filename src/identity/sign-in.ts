import { betterAuth } from 'better-auth';
import { genericOAuth, twoFactor } from 'better-auth/plugins';
import type { Pool } from '../platform/database/pool.ts';
import type { Log } from '../platform/log.ts';
import type { OidcAddress } from '../platform/oidc-address.ts';
import type { Secret } from '../platform/secret.ts';
import { passwordLength } from './password-rule.ts';
import { mayComeIn, sessionLimits } from './session-store.ts';

export type SignInPorts = {
  readonly pool: Pool;
  readonly log: Log;
  readonly secret: Secret;
  /** Where people reach this server: `https://settle.pg.example`. */
  readonly publicUrl: string;
};

/** The header in which we tell where a request came from; one of this name that came from outside is not passed on. */
export const addressHeader = 'x-jeongsan-address';
export const productName = 'Jeongsan';

const stamps = { createdAt: 'created_at', updatedAt: 'updated_at' };

/** 로그인. What better-auth does for us, over our tables; with `oidc` also at the identity provider, which is asked at once. */
export function createSignIn(ports: SignInPorts, oidc?: OidcAddress) {
  const { log } = ports;
  return betterAuth({
    appName: productName,
    baseURL: ports.publicUrl,
    basePath: '/auth',
    secret: ports.secret.reveal(),
    database: ports.pool,
    telemetry: { enabled: false },
    // Only what it says itself: what it adds may be an error with all that it knows.
    logger: { log: (level, message) => log[level]({ by: 'better-auth' }, message) },
    onAPIError: { errorURL: `${ports.publicUrl}/auth/failed`, throw: true },
    trustedOrigins: [ports.publicUrl],
    emailAndPassword: {
      enabled: true,
      disableSignUp: true,
      minPasswordLength: passwordLength.min,
      maxPasswordLength: passwordLength.max,
    },
    user: {
      modelName: 'person',
      fields: { ...stamps, emailVerified: 'email_verified' },
      changeEmail: { enabled: false },
      deleteUser: { enabled: false },
    },
    session: {
      modelName: 'person_session',
      fields: {
        ...stamps,
        expiresAt: 'expires_at',
        userId: 'person_id',
        ipAddress: 'ip_address',
        userAgent: 'user_agent',
      },
      expiresIn: sessionLimits.hours * 3600,
      disableSessionRefresh: true,
      cookieCache: { enabled: false },
    },
    account: {
      modelName: 'credential',
      fields: {
        ...stamps,
        accountId: 'account_id',
        providerId: 'provider_id',
        userId: 'person_id',
        accessToken: 'access_token',
        refreshToken: 'refresh_token',
        idToken: 'id_token',
        accessTokenExpiresAt: 'access_token_expires_at',
        refreshTokenExpiresAt: 'refresh_token_expires_at',
      },
      updateAccountOnSignIn: false,
      // Whom the provider says to have verified by address is who was invited by that address.
      accountLinking: { enabled: true, trustedProviders: [], updateUserInfoOnLink: false },
    },
    verification: { modelName: 'verification', fields: { ...stamps, expiresAt: 'expires_at' } },
    databaseHooks: {
      user: { create: { before: () => Promise.resolve(false) } },
      // The database refuses it, too; this refuses it without a fault.
      session: { create: { before: ({ userId }) => mayComeIn(ports.pool, userId) } },
      account: {
        create: {
          // The provider's tokens are of no use to us: what is not kept is not lost.
          before: (account) =>
            Promise.resolve({ data: { ...account, accessToken: null, refreshToken: null, idToken: null } }),
        },
      },
    },
    rateLimit: {
      enabled: true,
      storage: 'database',
      modelName: 'sign_in_rate',
      fields: { lastRequest: 'last_request' },
      window: 60,
      max: 100,
      customRules: {
        '/sign-in/email': { window: 60, max: 30 },
        '/change-password': { window: 60, max: 10 },
        '/two-factor/*': { window: 60, max: 20 },
        '/get-session': false,
      },
    },
    advanced: {
      // Said, since it is otherwise left out where NODE_ENV is `test`.
      disableOriginCheck: false,
      disableCSRFCheck: false,
      cookiePrefix: 'jeongsan',
      useSecureCookies: ports.publicUrl.startsWith('https://'),
      defaultCookieAttributes: { httpOnly: true, sameSite: 'lax', path: '/' },
      ipAddress: { ipAddressHeaders: [addressHeader] },
    },
    plugins: [
      twoFactor({
        issuer: productName,
        twoFactorTable: 'second_factor',
        totpOptions: { digits: 6, period: 30 },
        accountLockout: { enabled: true, maxFailedAttempts: 10, durationSeconds: 900 },
        schema: {
          user: { fields: { twoFactorEnabled: 'two_factor_enabled' } },
          twoFactor: {
            fields: {
              backupCodes: 'backup_codes',
              userId: 'person_id',
              failedVerificationCount: 'failed_verification_count',
              lockedUntil: 'locked_until',
            },
          },
        },
      }),
      ...(oidc === undefined ? [] : [openIdConnect(oidc)]),
    ],
  });
}

function openIdConnect(oidc: OidcAddress) {
  return genericOAuth({
    config: [
      {
        providerId: 'oidc',
        discoveryUrl: `${oidc.issuer}/.well-known/openid-configuration`,
        clientId: oidc.clientId,
        clientSecret: oidc.clientSecret.reveal(),
        scopes: ['openid', 'email', 'profile'],
        pkce: true,
        disableSignUp: true,
        requireIdTokenVerification: true,
        // Some providers say "false".
        mapProfileToUser: (profile) => ({ emailVerified: profile['email_verified'] === true }),
      },
    ],
  });
}

export type SignIn = ReturnType<typeof createSignIn>;
