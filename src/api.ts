import { type App, archiveFolder } from './app.ts';
import { approvalRoutes } from './approvals/api.ts';
import { auditRoutes } from './audit/api.ts';
import { calendarRoutes } from './calendar/api.ts';
import { findingRoutes } from './findings/api.ts';
import { importRoutes } from './imports/api.ts';
import { merchantRoutes } from './merchants/api.ts';
import { tierRoutes } from './merchants/tier-api.ts';
import { paymentRoutes } from './payments/api.ts';
import { openArchive } from './platform/archive.ts';
import type { Route } from './platform/http/route.ts';
import { breakRoutes } from './reconciliation/break-api.ts';
import { dayRoutes } from './reconciliation/day-api.ts';
import { depositRoutes } from './reconciliation/deposit-api.ts';
import { paymentStandingRoutes } from './reconciliation/payment-api.ts';
import { reportRoutes } from './reconciliation/report-api.ts';
import { statementRoutes } from './reconciliation/statement-api.ts';
import { webhookRoutes } from './webhooks/api.ts';

/** Every route of the API, by folder: what is not listed here is not served. */
export function apiRoutes({ pool, config, cipher, reconciliation }: App): Route[] {
  const ports = { pool, now: () => Temporal.Now.instant() };
  return [
    ...auditRoutes({ pool }),
    ...approvalRoutes({ pool }),
    ...breakRoutes(ports),
    ...calendarRoutes(ports),
    ...dayRoutes({ ...ports, reconciliation }),
    ...depositRoutes({ pool }),
    ...findingRoutes({ pool }),
    ...importRoutes({ pool }),
    ...merchantRoutes({ ...ports, cipher }),
    ...paymentRoutes({ pool }),
    ...paymentStandingRoutes({ pool }),
    ...reportRoutes({ pool, home: config.home }),
    ...statementRoutes({ pool, archive: openArchive(archiveFolder(config)) }),
    ...tierRoutes(ports),
    ...webhookRoutes({ pool, cipher, allowed: config.privateHosts }),
  ];
}
