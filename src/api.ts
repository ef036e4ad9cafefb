import { alertRoutes } from './alerts/api.ts';
import { type App, archiveFolder, expiringRecords } from './app.ts';
import { approvalRoutes } from './approvals/api.ts';
import { auditRoutes } from './audit/api.ts';
import { calendarRoutes } from './calendar/api.ts';
import { differentialRoutes } from './differential/batch-api.ts';
import { claimRoutes } from './differential/claim-api.ts';
import { differentialReportRoutes } from './differential/report-api.ts';
import { findingRoutes } from './findings/api.ts';
import { identityRoutes } from './identity/api.ts';
import { importRoutes } from './imports/api.ts';
import { ledgerRoutes } from './ledger/api.ts';
import { accountRoutes } from './merchants/account-api.ts';
import { merchantRoutes } from './merchants/api.ts';
import { tierRoutes } from './merchants/tier-api.ts';
import { dailyCloseRoutes } from './operations/daily-close-api.ts';
import { heedMaintenance, maintenanceRoutes } from './operations/maintenance-api.ts';
import { ruleRoutes } from './operations/rule-api.ts';
import { runRoutes } from './operations/run-api.ts';
import { scheduleRoutes } from './operations/schedule-api.ts';
import { paymentRoutes } from './payments/api.ts';
import { bankRoutes } from './payout/bank-api.ts';
import { bankIds } from './payout/banks/registry.ts';
import { payoutRoutes } from './payout/payout-api.ts';
import { openArchive } from './platform/archive.ts';
import type { Route } from './platform/http/route.ts';
import { publicUrlOf } from './platform/listening.ts';
import { breakRoutes } from './reconciliation/break-api.ts';
import { dayRoutes } from './reconciliation/day-api.ts';
import { depositRoutes } from './reconciliation/deposit-api.ts';
import { paymentStandingRoutes } from './reconciliation/payment-api.ts';
import { reportRoutes } from './reconciliation/report-api.ts';
import { statementRoutes } from './reconciliation/statement-api.ts';
import { settlementRoutes } from './settlement/api.ts';
import { holdRoutes } from './settlement/hold-api.ts';
import { waitingRoutes } from './settlement/waiting-api.ts';
import { webhookRoutes } from './webhooks/api.ts';

/** Every route of the API, by folder: what is not listed here is not served. */
export function apiRoutes(app: App, publicUrl = publicUrlOf(app.config.listening, app.config.port)): Route[] {
  const { pool, config, cipher, reconciliation, runs, jobs } = app;
  const ports = { pool, now: () => Temporal.Now.instant() };
  const routes = [
    ...alertRoutes({ ...ports, cipher, allowed: config.privateHosts, mailConfigured: config.mail !== undefined }),
    ...auditRoutes({ pool }),
    ...approvalRoutes({ pool }),
    ...bankRoutes({ pool, bankIds }),
    ...breakRoutes(ports),
    ...calendarRoutes(ports),
    ...claimRoutes(ports),
    ...dailyCloseRoutes({ pool }),
    ...dayRoutes({ ...ports, reconciliation }),
    ...depositRoutes({ pool }),
    ...differentialReportRoutes({ ...ports, home: config.home }),
    ...differentialRoutes({ ...app, ...ports, configured: Object.keys(config.differential) }),
    ...findingRoutes({ pool }),
    ...identityRoutes({ ...ports, publicUrl }),
    ...holdRoutes(ports),
    ...importRoutes({ pool }),
    ...ledgerRoutes(ports),
    ...maintenanceRoutes({ ...ports, banks: bankIds }),
    ...merchantRoutes({ ...ports, cipher }),
    ...accountRoutes({ ...ports, cipher }),
    ...payoutRoutes({ ...app, ...ports, bank: Object.keys(config.banks)[0] ?? bankIds[0] }),
    ...paymentRoutes({ pool }),
    ...paymentStandingRoutes({ pool }),
    ...reportRoutes({ pool, home: config.home }),
    ...ruleRoutes({ pool, expiring: expiringRecords(pool) }),
    ...runRoutes(runs),
    ...scheduleRoutes({ ...ports, jobs }),
    ...settlementRoutes({ ...app, ...ports }),
    ...statementRoutes({ pool, archive: openArchive(archiveFolder(config)) }),
    ...tierRoutes(ports),
    ...waitingRoutes(ports),
    ...webhookRoutes({ pool, cipher, allowed: config.privateHosts }),
  ];
  return heedMaintenance(routes, ports);
}
