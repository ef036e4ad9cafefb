import {
  alertChannel,
  alertRule,
  alertState,
  backfillParameters,
  breakState,
  capture,
  captureKey,
  changedChannel,
  keyEnd,
  ledgerLines,
  lengths,
  limitValue,
  listedBreaks,
  roleNames,
  scheduleTerms,
  slot,
  slotDays,
  until,
  usualLengths,
} from './command-readings.ts';
import type { Wording } from './request.ts';

/** Commands that only make sense beside the database or on this machine, and why. */
export type Local = { readonly local: string };

const act = (operation: string, names: Readonly<Record<string, string>> = {}): Wording => ({ operation, names });
/** The file's ending says its format. */
const imported = (operation: string): Wording => ({ operation, ignored: ['format'] });
const local = (why: string): Local => ({ local: why });
const sandbox = local('a simulated world is made where it is looked at');
const dataKeys = local('data keys lie where the database is');
const now = () => Temporal.Now.instant();
const because = { because: 'reason' };
const closed = { all: 'closed=true' };
const waiting = (operation: string): Wording => ({ ...act(operation, { provider: 'providers' }), ignored: ['wait'] });
const backfill: Wording = { ...act('startBackfill'), together: backfillParameters, ignored: ['wait'] };
const restarted: Wording = {
  ...act('restartRun'),
  shows: { run: 'id', operation: 'showRun', by: { id: 'id' } },
};
const movements: Wording = { ...act('listMovements'), into: { csv: 'csv', xlsx: 'xlsx' } };
const reportFile: Wording = {
  ...act('downloadReport'),
  before: { option: 'run', wording: { ...act('findReport'), ignored: ['into', 'fresh'] }, field: 'run' },
  ignored: ['on'],
  into: { into: 'ending' },
};

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
  'merchants account reveal': act('revealMerchantAccount'),
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
  reconcile: {
    ...act('startReconciliation', { provider: 'providers', stage: 'stages' }),
    shows: {
      run: 'run',
      operation: 'showReconciliationDay',
      by: { on: 'on', providers: 'provider', stages: 'stage' },
    },
  },
  'breaks list': { ...act('listBreaks', { csv: 'format="csv"' }), together: listedBreaks, ignored: ['all'] },
  'breaks show': act('showBreak'),
  'breaks assign': { ...act('assignBreaks', { nobody: 'assignee=null' }), together: breakState },
  'breaks comment': { ...act('commentBreaks'), together: breakState },
  'breaks investigate': { ...act('investigateBreaks'), together: breakState },
  'breaks resolve': { ...act('resolveBreaks'), together: breakState },
  report: { ...act('findReport'), beside: ['run', 'fresh'], when: [['into', reportFile]] },

  settle: {
    ...act('startSettlement'),
    together: slot(now),
    shows: { run: 'run', operation: 'showCycle', by: { slot: 'slot' } },
  },
  'settlement cycles': { ...act('listCycles'), together: slotDays(now) },
  'settlement list': { ...act('listSettled'), together: slotDays(now) },
  'settlement show': {
    ...act('showSettled'),
    together: slot(now),
    along: { field: 'details', operation: 'listSettledItems' },
  },
  'settlement unsettled': act('listUnsettled'),
  'settlement dismiss propose': { ...act('proposeDismissal'), together: capture },
  'settlement dismiss approve': { ...act('approveDismissal'), together: captureKey },
  'settlement dismiss refuse': { ...act('refuseDismissal'), together: captureKey },
  'settlement dismiss list': act('listDismissed'),
  'hold place': act('placeHold', { amount: 'amountWon' }),
  'hold release': act('releaseHold'),
  'hold list': act('listHolds', { all: 'released=true' }),

  'payout request': act('requestPayout', { won: 'amountWon' }),
  'payout list': act('listPayouts'),
  'payout show': act('showPayout'),
  'payout approve': act('approvePayout'),
  'payout refuse': act('refusePayout'),
  'payout cancel': act('cancelPayout'),
  'payout retry': { ...act('retryPayout'), beside: ['why'] },
  'payout settle propose': act('proposePayoutSettlement'),
  'payout settle approve': act('approvePayoutSettlement'),
  'payout settle refuse': act('refusePayoutSettlement'),
  'payout reconcile': act('startPayoutReconciliation'),
  'payout breaks list': act('listPayoutBreaks', closed),
  'payout breaks close': act('closePayoutBreak', { note: 'reason' }),
  'bank show': act('listBanks'),
  'bank set': act('changeBank', {
    limit: 'transferLimit',
    pause: 'paused=true',
    resume: 'paused=false',
    approvalOver: 'approvalOverWon',
  }),
  'bank approve': act('approveBankLimit'),
  'bank refuse': act('refuseBankLimit'),

  'differential run': waiting('startDifferential'),
  'differential send': act('decideClaimFile', { again: 'decision="again"', sent: 'decision="sent"' }),
  'differential list': { ...act('listClaims', { status: 'state', csv: 'format="csv"' }), ignored: ['all'] },
  'differential show': { ...act('showClaims'), orElse: act('showBatch') },
  'differential resend': {
    ...act('resendClaims', { claim: 'claim.providerTid', ...because }),
    beside: ['code', 'reason'],
  },
  'differential breaks': { ...act('listClaimBreaks', closed), ignored: ['open'] },
  'differential resolve': act('resolveClaimBreak', because),
  'differential verify': act('verifyClaims'),
  'differential report': { ...act('sumDifferential'), beside: ['format'] },
  'differential what-if': { ...act('supposeDifferential', { provider: 'providers' }), beside: ['tiers', 'rates'] },
  'differential retroactive': {
    ...act('proposeRetroactiveRefund'),
    when: [['approve', { ...act('approveRetroactiveRefund', { approve: 'id' }), ignored: ['half'] }]],
  },
  'differential register': waiting('startRegistrations'),
  'differential registrations': act('listRegistrations'),

  'ledger verify': act('verifyLedger'),
  'ledger statement': {
    ...act('sumStatement'),
    along: { field: 'movements', operation: 'listMovements' },
    when: [
      ['csv', movements],
      ['xlsx', movements],
    ],
  },
  'ledger accounts': { ...act('showTrialBalance'), says: 'kinds', when: [['kind', act('listAccounts')]] },
  'ledger adjust propose': { ...act('proposeAdjustment'), together: ledgerLines },
  'ledger adjust reverse': act('proposeReversal'),
  'ledger adjust approve': act('approveAdjustment'),
  'ledger adjust refuse': act('refuseAdjustment'),
  'ledger adjust list': act('listAdjustments', { all: 'decided=true' }),

  'approvals list': act('listApprovals', { all: 'decided=true' }),
  'findings list': act('listFindings', closed),
  'findings close': act('closeFindings'),
  'alerts list': { ...act('listAlerts'), together: alertState },
  'alerts show': act('showAlert'),
  'alerts ack': { ...act('acknowledgeAlert'), each: true },
  'alerts status': act('showAlertStatus'),
  'alerts deliveries list': act('listDeliveries'),
  'alerts deliveries show': act('showDelivery'),
  'alerts retry': act('retryDeliveries'),
  'alerts test': act('testChannel'),
  'alerts digest': { ...act('showDigest'), when: [['send', { ...act('sendDigest'), ignored: ['send'] }]] },
  'alerts rules list': act('listAlertRules'),
  'alerts rules set': {
    ...act('changeAlertRule'),
    together: alertRule,
    orElse: { ...act('addAlertRule'), together: alertRule },
  },
  'alerts rules remove': act('removeAlertRule'),
  'alerts channels list': act('listChannels'),
  'alerts channels set': {
    ...act('changeChannel'),
    together: changedChannel,
    orElse: { ...act('addChannel'), together: alertChannel },
  },
  'alerts channels remove': act('removeChannel'),
  'alerts limits list': act('listAlertLimits'),
  'alerts limits set': { ...act('setAlertLimit'), together: limitValue },

  'runs list': { ...act('listRuns'), together: lengths },
  'runs show': act('showRun'),
  'runs logs': act('listRunLogs'),
  'runs follow': act('followRun'),
  'runs cancel': { ...act('cancelRuns'), together: lengths, when: [['id', act('cancelRun')]] },
  'runs restart': { ...act('restartRuns'), together: lengths, when: [['id', restarted]] },
  'runs backfill': {
    ...backfill,
    when: [['wait', { ...backfill, shows: { run: 'id', operation: 'showBackfill', by: { id: 'id' } } }]],
  },
  'runs usual list': act('listUsualRules'),
  'runs usual set': { ...act('changeUsualRule'), together: usualLengths },
  'retention list': act('listRetention'),
  'retention set': act('changeRetention', { days: 'keepDays' }),

  'schedule list': act('listSchedules'),
  'schedule show': act('showSchedule'),
  'schedule next': act('previewSlots', { name: 'schedule', count: 'limit' }),
  'schedule slots': act('listSlots'),
  'schedule add': { ...act('addSchedule'), together: scheduleTerms },
  'schedule edit': { ...act('editSchedule'), together: scheduleTerms, ignored: ['seen'] },
  'schedule remove': act('removeSchedule'),
  'schedule pause': { ...act('pauseSchedule'), together: until },
  'schedule resume': act('resumeSchedule'),
  'schedule run-now': act('runScheduleNow'),
  'maintenance show': act('showMaintenance'),
  'maintenance on': {
    ...act('beginMaintenance'),
    together: until,
    when: [['queue', { ...act('pauseQueue', { queue: 'bank' }), together: until }]],
  },
  'maintenance off': { ...act('endMaintenance'), when: [['queue', act('resumeQueue', { queue: 'bank' })]] },
  'daily-close list': act('listDailyCloses'),
  'daily-close show': act('showClosedTrialBalance'),
  'nodes list': act('listNodes'),
  'nodes forget': act('forgetNode'),

  whoami: act('showMe'),
  'people list': act('listPeople'),
  'people invite': { ...act('invitePerson'), together: roleNames, says: 'link' },
  'people service': { ...act('addService'), together: roleNames },
  'people roles': { ...act('changeRoles'), together: roleNames },
  'people disable': act('disablePerson'),
  'people enable': act('enablePerson'),
  'people recover': { ...act('recoverPerson'), says: 'link', notes: ['endedKeys'] },
  'people sessions': { ...act('showPerson'), when: [['end', { ...act('endSessionsOf'), ignored: ['end'] }]] },
  'people join': local('by the link of an invitation, before there is anybody to ask as'),
  'keys list': act('listKeys'),
  'keys create': { ...act('createKey'), together: keyEnd(now), says: 'key', notes: ['endsWith', 'expiresAt'] },
  'keys revoke': act('revokeKey'),
  'keys sign-in': local('it asks the server by itself, for a key to ask with'),
  'setup-link': local('before there is anybody to ask as'),

  'audit list': { ...act('listAuditEntries'), beside: ['before'] },
  'audit show': act('showAuditEntry'),
  'audit verify': act('verifyAudit'),
  'audit export': { ...act('exportAudit'), into: { out: null } },
  'data-key status': dataKeys,
  'data-key rotate': dataKeys,

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
};
