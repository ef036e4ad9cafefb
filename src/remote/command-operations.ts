import type { Wording } from './request.ts';

/** Commands that only make sense beside the database or on this machine, and why. */
export type Local = { readonly local: string };

const act = (operation: string, names: Readonly<Record<string, string>> = {}): Wording => ({ operation, names });
/** The file's ending says its format. */
const imported = (operation: string): Wording => ({ operation, ignored: ['format'] });
const everyState = 'state="open,investigating,resolved"';
const byLength = (operation: string): Wording => ({
  ...act(operation, { longerThan: 'atLeastMs', shorterThan: 'atMostMs' }),
  durations: ['longerThan', 'shorterThan'],
});
const local = (why: string): Local => ({ local: why });
const sandbox = local('a simulated world is made where it is looked at');

/**
 * 명령과 작업. What each command is at the API: whoever types `jeongsan --server URL …` has it done there. A test walks
 * the commands and the routes and holds this table to both.
 */
export const commandOperations: Readonly<Record<string, Wording | Local>> = {
  'calendar list': act('listCalendar'),
  'calendar add': act('addHoliday'),
  'calendar remove': act('removeHoliday'),
  'merchants import': imported('importMerchants'),
  'merchants contracts import': imported('importContracts'),
  'merchants terms import': imported('importTerms'),
  'merchants accounts import': imported('importAccounts'),
  'merchants show': act('showMerchant'),
  'merchants dates': act('listMerchantDates'),
  'merchants balance': act('showMerchantBalance'),
  'tiers import': imported('importTiers'),
  'tiers show': act('showTiers'),
  'half-years import': imported('importHalfYears'),
  'half-years show': act('listHalfYears'),
  'preferential-rates import': imported('importPreferentialRates'),
  'preferential-rates show': act('listPreferentialRates'),
  'sub-merchants import': imported('importSubMerchants'),
  'card-bins import': imported('importCardBins'),
  'payments import': imported('importPayments'),
  'payments show': act('showPayment'),
  'deposits import': imported('importDeposits'),
  'statement add': act('addStatement'),
  'statement list': act('listStatements'),
  'statement show': act('showStatement'),
  reconcile: act('startReconciliation', { provider: 'providers', stage: 'stages' }),
  'breaks list': act('listBreaks', { all: everyState, csv: 'format="csv"' }),
  'breaks show': act('showBreak'),
  'breaks assign': act('assignBreaks', { nobody: 'assignee=null' }),
  'breaks comment': act('commentBreaks'),
  'breaks investigate': act('investigateBreaks'),
  'breaks resolve': act('resolveBreaks'),
  report: { ...act('findReport'), beside: ['run', 'fresh'] },
  'approvals list': act('listApprovals', { all: 'decided=true' }),
  'findings list': act('listFindings', { all: 'closed=true' }),
  'findings close': act('closeFindings'),
  'runs list': byLength('listRuns'),
  'runs show': act('showRun'),
  'runs logs': act('listRunLogs'),
  'runs follow': act('followRun'),
  'runs cancel': { ...byLength('cancelRuns'), one: 'cancelRun' },
  'runs restart': { ...byLength('restartRuns'), one: 'restartRun' },
  'runs backfill': { ...act('startBackfill'), ignored: ['wait'] },
  'runs usual list': act('listUsualRules'),
  'runs usual set': {
    ...act('changeUsualRule', { slack: 'slackMs', stuckAfter: 'stuckMs' }),
    durations: ['slack', 'stuckAfter'],
  },
  'retention list': act('listRetention'),
  'retention set': act('changeRetention', { days: 'keepDays' }),
  'audit list': { ...act('listAuditEntries'), beside: ['before'] },
  'audit show': act('showAuditEntry'),
  'audit verify': act('verifyAudit'),
  'audit export': { ...act('exportAudit'), beside: ['out'] },
  'webhooks list': act('listWebhooks'),
  'webhooks events': act('listWebhookEvents'),
  'webhooks add': act('addWebhook'),
  'webhooks edit': act('changeWebhook', { on: 'enabled=true', off: 'enabled=false' }),
  'webhooks remove': act('removeWebhook'),
  'webhooks deliveries': act('listWebhookDeliveries', { event: 'kind' }),
  'webhooks show': act('showWebhookDelivery'),
  'webhooks replay': act('replayWebhookDeliveries', { event: 'kind' }),
  'sandbox serve': sandbox,
  'sandbox generate': sandbox,
  'sandbox load': sandbox,
  'sandbox bank serve': sandbox,
  'sandbox bank list': sandbox,
  'sandbox differential run': sandbox,
  'sandbox differential serve': sandbox,
  serve: local('a server is started where it runs'),
};
