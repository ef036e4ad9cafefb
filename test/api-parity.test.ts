import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apiRoutes } from '../src/api.ts';
import type { App } from '../src/app.ts';
import { createProgram } from '../src/cli.ts';
import { commandPermissions } from '../src/identity/command-permissions.ts';
import { createLog } from '../src/platform/log.ts';
import { createInstallation, type Installation } from './support/installation.ts';

/** Why there is nothing of the kind on the other side. */
type Reason = { readonly none: string };
const none = (reason: string): Reason => ({ none: reason });

const sandbox = none('a simulated world is made where it is looked at, never in production');

/**
 * Whatever the command line can do, the API can do: each command with the operations that do the same, or the reason
 * why there is none. A command that is not here, a row without its command, and an operation that does not exist fail.
 */
const commands: Readonly<Record<string, readonly string[] | Reason>> = {
  'calendar list': ['listCalendar'],
  'calendar add': ['addHoliday'],
  'calendar remove': ['removeHoliday'],
  'merchants import': ['importMerchants'],
  'merchants contracts import': ['importContracts'],
  'merchants terms import': ['importTerms'],
  'merchants accounts import': ['importAccounts'],
  'merchants show': ['showMerchant'],
  'merchants dates': ['listMerchantDates'],
  'merchants balance': ['showMerchantBalance'],
  'tiers import': ['importTiers'],
  'tiers show': ['showTiers'],
  'half-years import': ['importHalfYears'],
  'half-years show': ['listHalfYears'],
  'preferential-rates import': ['importPreferentialRates'],
  'preferential-rates show': ['listPreferentialRates'],
  'sub-merchants import': ['importSubMerchants'],
  'card-bins import': ['importCardBins'],
  'payments import': ['importPayments'],
  'payments show': ['showPayment'],
  'deposits import': ['importDeposits'],
  'statement add': ['addStatement'],
  'statement list': ['listStatements'],
  'statement show': ['showStatement'],
  reconcile: ['startReconciliation', 'showReconciliationDay'],
  'breaks list': ['listBreaks', 'sumBreaks'],
  'breaks show': ['showBreak'],
  'breaks assign': ['assignBreak', 'assignBreaks'],
  'breaks comment': ['commentBreak', 'commentBreaks'],
  'breaks investigate': ['investigateBreak', 'investigateBreaks'],
  'breaks resolve': ['resolveBreak', 'resolveBreaks'],
  report: ['findReport', 'downloadReport'],
  'ledger verify': ['verifyLedger'],
  'ledger statement': ['listMovements', 'sumStatement'],
  'ledger accounts': ['showTrialBalance', 'listAccounts'],
  'ledger adjust propose': ['proposeAdjustment'],
  'ledger adjust reverse': ['proposeReversal'],
  'ledger adjust approve': ['approveAdjustment'],
  'ledger adjust refuse': ['refuseAdjustment'],
  'ledger adjust list': ['listAdjustments'],
  settle: ['startSettlement', 'showCycle'],
  'settlement cycles': ['listCycles'],
  'settlement list': ['listSettled'],
  'settlement show': ['showSettled', 'listSettledItems'],
  'settlement unsettled': ['listUnsettled', 'sumUnsettled'],
  'settlement dismiss propose': ['proposeDismissal'],
  'settlement dismiss approve': ['approveDismissal'],
  'settlement dismiss refuse': ['refuseDismissal'],
  'settlement dismiss list': ['listDismissed'],
  'hold place': ['placeHold'],
  'hold release': ['releaseHold'],
  'hold list': ['listHolds'],
  'payout request': ['requestPayout'],
  'payout list': ['listPayouts'],
  'payout show': ['showPayout'],
  'payout approve': ['approvePayout'],
  'payout refuse': ['refusePayout'],
  'payout cancel': ['cancelPayout'],
  'payout retry': ['retryPayout'],
  'payout settle propose': ['proposePayoutSettlement'],
  'payout settle approve': ['approvePayoutSettlement'],
  'payout settle refuse': ['refusePayoutSettlement'],
  'payout reconcile': ['startPayoutReconciliation'],
  'payout breaks list': ['listPayoutBreaks'],
  'payout breaks close': ['closePayoutBreak'],
  'bank show': ['listBanks'],
  'bank set': ['changeBank'],
  'bank approve': ['approveBankLimit'],
  'bank refuse': ['refuseBankLimit'],
  'differential run': ['startDifferential', 'showBatch'],
  'differential send': ['decideClaimFile'],
  'differential list': ['listClaims', 'sumClaims'],
  'differential show': ['showClaims', 'showBatch'],
  'differential resend': ['resendClaims'],
  'differential breaks': ['listClaimBreaks'],
  'differential resolve': ['resolveClaimBreak'],
  'differential verify': ['verifyClaims'],
  'differential report': ['sumDifferential', 'downloadDifferentialReport'],
  'differential what-if': ['supposeDifferential'],
  'differential retroactive': ['proposeRetroactiveRefund', 'approveRetroactiveRefund'],
  'differential register': ['startRegistrations'],
  'differential registrations': ['listRegistrations'],
  'approvals list': ['listApprovals'],
  'findings list': ['listFindings'],
  'findings close': ['closeFindings'],
  'runs list': ['listRuns'],
  'runs show': ['showRun', 'listRunSteps'],
  'runs logs': ['listRunLogs'],
  'runs follow': ['followRun'],
  'runs cancel': ['cancelRun', 'cancelRuns'],
  'runs restart': ['restartRun', 'restartRuns'],
  'runs backfill': ['startBackfill', 'showBackfill'],
  'runs usual list': ['listUsualRules'],
  'runs usual set': ['changeUsualRule'],
  'retention list': ['listRetention'],
  'retention set': ['changeRetention'],
  'alerts ack': ['acknowledgeAlert'],
  'alerts channels list': ['listChannels', 'showChannel'],
  'alerts channels remove': ['removeChannel'],
  'alerts channels set': ['addChannel', 'changeChannel'],
  'alerts deliveries list': ['listDeliveries'],
  'alerts deliveries show': ['showDelivery'],
  'alerts digest': ['showDigest', 'sendDigest'],
  'alerts limits list': ['listAlertLimits'],
  'alerts limits set': ['setAlertLimit'],
  'alerts list': ['listAlerts'],
  'alerts retry': ['retryDeliveries'],
  'alerts rules list': ['listAlertRules', 'showAlertRule'],
  'alerts rules remove': ['removeAlertRule'],
  'alerts rules set': ['addAlertRule', 'changeAlertRule'],
  'alerts show': ['showAlert'],
  'alerts status': ['showAlertStatus'],
  'alerts test': ['testChannel'],
  'audit export': ['exportAudit'],
  'audit list': ['listAuditEntries'],
  'audit show': ['showAuditEntry'],
  'audit verify': ['verifyAudit'],
  'data-key rotate': none('data keys lie where the command runs, and never travel'),
  'data-key status': none('data keys lie where the command runs, and never travel'),
  'keys create': ['createKey'],
  'keys list': ['listKeys'],
  'keys revoke': ['revokeKey'],
  'keys sign-in': none('signs in over /auth to fetch a key; whoever asks the API has one'),
  'maintenance off': ['endMaintenance'],
  'maintenance on': ['beginMaintenance'],
  'maintenance show': ['showMaintenance', 'listQueues'],
  'merchants account reveal': ['revealMerchantAccount'],
  'daily-close list': ['listDailyCloses'],
  'daily-close show': ['showClosedTrialBalance'],
  'nodes list': ['listNodes'],
  'nodes forget': ['forgetNode'],
  'people disable': ['disablePerson'],
  'people enable': ['enablePerson'],
  'people invite': ['invitePerson'],
  'people join': none('by the link of an invitation, over /auth, before there is anybody to ask as'),
  'people list': ['listPeople', 'showPerson'],
  'people recover': ['recoverPerson'],
  'people roles': ['changeRoles'],
  'people service': ['addService'],
  'people sessions': ['listMySessions', 'endMySession', 'endSessionsOf'],
  'schedule add': ['addSchedule', 'listJobs'],
  'schedule edit': ['editSchedule'],
  'schedule list': ['listSchedules'],
  'schedule next': ['previewSlots'],
  'schedule pause': ['pauseSchedule', 'pauseQueue'],
  'schedule remove': ['removeSchedule'],
  'schedule resume': ['resumeSchedule', 'resumeQueue'],
  'schedule run-now': ['runScheduleNow'],
  'schedule show': ['showSchedule'],
  'schedule slots': ['listSlots'],
  'setup-link': none('asked for where the database is, before there is anybody to ask as'),
  'webhooks add': ['addWebhook'],
  'webhooks deliveries': ['listWebhookDeliveries', 'showWebhookDelivery'],
  'webhooks edit': ['changeWebhook'],
  'webhooks events': ['listWebhookEvents'],
  'webhooks list': ['listWebhooks'],
  'webhooks remove': ['removeWebhook'],
  'webhooks replay': ['replayWebhookDeliveries'],
  'webhooks show': ['showWebhook'],
  whoami: ['showMe'],
  'sandbox serve': sandbox,
  'sandbox generate': sandbox,
  'sandbox load': sandbox,
  'sandbox bank serve': sandbox,
  'sandbox bank list': sandbox,
  'sandbox differential run': sandbox,
  'sandbox differential serve': sandbox,
};

/** Operations that no command stands for, and why. */
const operationsAlone: Readonly<Record<string, Reason>> = {
  followCycles: none('the command line asks for the list again'),
  listReconciliationDays: none('the command line lists runs'),
  downloadStatement: none('the archive is a folder where the command runs'),
  listBatches: none('the command line lists runs'),
  listRefunds: none('shown with the claims that they are of, and in the ledger'),
  listDeposits: none('seen in the report and in what differs'),
  listDepositChecks: none('seen in the report and in what differs'),
  listImports: none('each import says its own outcome when it ends'),
  showImport: none('each import says its own outcome when it ends'),
  listImportRefusals: none('each import says its own outcome when it ends'),
  listMerchants: none('a page to choose from'),
  listSubMerchants: none('shown with the merchant'),
  listCardBins: none('shown with the claims that they price'),
  showApproval: none('one row of the list, by its number'),
  showFinding: none('one row of the list, by its number'),
};

let installation: Installation;
let app: App;
beforeAll(async () => {
  installation = await createInstallation();
  app = await installation.open();
});
afterAll(async () => {
  await app.close();
  await installation.close();
});

/** Every command that does something, by its words. */
function commandPaths(command: Command, words: readonly string[] = []): string[] {
  const acts = (command as unknown as { readonly _actionHandler: unknown })._actionHandler !== null;
  return [
    ...(acts && words.length > 0 ? [words.join(' ')] : []),
    ...command.commands.flatMap((child) => commandPaths(child, [...words, child.name()])),
  ];
}

function difference(these: Iterable<string>, those: Iterable<string>): string[] {
  const other = new Set(those);
  return [...these].filter((each) => !other.has(each)).sort();
}

test('every command has its row, and every row its command', () => {
  const { config } = installation;
  const there = commandPaths(createProgram(config, createLog({ logLevel: 'silent' }), new AbortController().signal));
  expect(difference(there, Object.keys(commands))).toEqual([]);
  expect(difference(Object.keys(commands), there)).toEqual([]);
});

test('every operation is a command’s, or has the reason why it is none, and is served once', () => {
  const served = apiRoutes(app).map(({ id }) => id);
  expect(served.filter((id, n) => served.indexOf(id) !== n)).toEqual([]);
  const named = Object.values(commands).flatMap((row) => ('none' in row ? [] : row));
  const alone = Object.keys(operationsAlone);
  expect(difference([...named, ...alone], served)).toEqual([]);
  expect(difference(served, [...named, ...alone])).toEqual([]);
  expect(named.filter((id) => alone.includes(id))).toEqual([]);
});

/** What its operations may need, and what at least one of them does need. Of a command that does more than one thing: all. */
function needsOf(path: string): { readonly may: readonly string[]; readonly must: readonly string[] } {
  const need = commandPermissions[path] ?? 'open';
  if (typeof need !== 'string') {
    const needs = [need.usually, ...Object.values(need.withOption)];
    return { may: needs, must: needs };
  }
  // Of oneself everybody may, and of others who looks after people.
  return need.startsWith('own ') ? { may: ['administer'], must: ['read'] } : { may: [need], must: [need] };
}

test('an operation needs the permission that its command needs; what it only looks at, to read', () => {
  const permissionOf = new Map(apiRoutes(app).map(({ id, permission }) => [id, permission]));
  const wrong = Object.entries(commands).flatMap(([path, row]) => {
    if ('none' in row) return [];
    const { may, must } = needsOf(path);
    const given = row.map((id) => permissionOf.get(id) ?? '?');
    const isMet =
      given.every((each) => each === 'read' || may.includes(each)) &&
      must.every((each) => given.some((of) => of === each));
    return isMet ? [] : [`${path}: ${must.join(', ')}; ${row.join(', ')}: ${given.join(', ')}`];
  });
  expect(wrong).toEqual([]);
});
