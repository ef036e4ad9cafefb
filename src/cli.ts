import { Command } from 'commander';
import type { Pool } from 'pg';
import { sealedChannels } from './alerts/channel-store.ts';
import { alertCommands } from './alerts/commands.ts';
import { alertSettingCommands } from './alerts/setting-commands.ts';
import { type App, archiveFolder, expiringRecords, openApp } from './app.ts';
import { approvalsCommands } from './approvals/commands.ts';
import { auditCommands } from './audit/commands.ts';
import { dataKeyCommands } from './audit/data-key-commands.ts';
import { calendarCommands } from './calendar/commands.ts';
import { addBreakCommands } from './differential/break-commands.ts';
import { differentialCommands } from './differential/commands.ts';
import { addListCommand } from './differential/list-commands.ts';
import { addRegistrationCommands } from './differential/registration-commands.ts';
import { addReportCommand } from './differential/report-commands.ts';
import { addResendCommand } from './differential/resend-commands.ts';
import { addRetroactiveCommand } from './differential/retroactive-commands.ts';
import { addSendCommand } from './differential/send-commands.ts';
import { addShowCommand } from './differential/show-commands.ts';
import { addVerifyCommand } from './differential/verify-commands.ts';
import { addWhatIfCommand } from './differential/what-if-commands.ts';
import { findingsCommands } from './findings/commands.ts';
import { openAsk } from './identity/ask-port.ts';
import { type CommandGuard, createCommandGuard, givenKey, pathOf } from './identity/command-guard.ts';
import { identityCommands } from './identity/commands.ts';
import { keyCommands } from './identity/key-commands.ts';
import { peopleCommands } from './identity/people-commands.ts';
import { sealedAuthSecret } from './identity/secret-store.ts';
import { ledgerCommands } from './ledger/commands.ts';
import { verifyLedger } from './ledger/verify-store.ts';
import { sealedAccounts } from './merchants/account-seal-store.ts';
import { merchantsCommands } from './merchants/commands.ts';
import { tierCommands } from './merchants/tier-commands.ts';
import { operationCommands } from './operations/commands.ts';
import { fail, watchOutput } from './operations/failure-commands.ts';
import { heedMaintenance } from './operations/maintenance-commands.ts';
import { serveCommand } from './operations/serve-commands.ts';
import { refuseBlank, refuseTwice } from './operations/typed-commands.ts';
import { speakIn } from './operations/usage-words.ts';
import { paymentsCommands } from './payments/commands.ts';
import { bankCommands } from './payout/bank-commands.ts';
import { bankIds } from './payout/banks/registry.ts';
import { payoutCommands } from './payout/commands.ts';
import { handSettleCommands } from './payout/hand-settle-commands.ts';
import { payoutReconcileCommands } from './payout/reconcile-commands.ts';
import { type ApiClient, createApiClient } from './platform/api-client.ts';
import { openArchive } from './platform/archive.ts';
import { openCipher } from './platform/cipher.ts';
import type { CommandContext } from './platform/command.ts';
import { type Config, loadConfig } from './platform/config.ts';
import { whileActing } from './platform/database/acting.ts';
import { createSharedDatabase } from './platform/database/shared-database.ts';
import { publicUrlOf } from './platform/listening.ts';
import { createLog, type Log } from './platform/log.ts';
import { isReaderGone } from './platform/output.ts';
import { productVersion } from './platform/product-version.ts';
import { Secret } from './platform/secret.ts';
import { createShutdown } from './platform/shutdown.ts';
import { userName } from './platform/user-name.ts';
import { differentialProviders } from './providers/differential-registry.ts';
import { reconciledProviders } from './providers/registry.ts';
import { breakCommands } from './reconciliation/break-commands.ts';
import { depositsCommands } from './reconciliation/deposit-commands.ts';
import { paymentShowCommand } from './reconciliation/payment-commands.ts';
import { reconcileCommands } from './reconciliation/reconcile-commands.ts';
import { reportCommands } from './reconciliation/report-commands.ts';
import { statementCommands } from './reconciliation/statement-commands.ts';
import { remoteCommands } from './remote/commands.ts';
import { sandboxCommands } from './sandbox/commands.ts';
import { balanceCommands } from './settlement/balance-commands.ts';
import { settlementCommands } from './settlement/commands.ts';
import { holdCommands } from './settlement/hold-commands.ts';
import { webhookCommands } from './webhooks/commands.ts';
import { addDeliveryCommands } from './webhooks/delivery-commands.ts';
import { sealedEndpoints } from './webhooks/endpoint-store.ts';

/** Everywhere that something is sealed. */
export const sealedPlaces = [sealedAccounts, sealedAuthSecret, sealedEndpoints, sealedChannels];

/** The command line: `jeongsan …`. Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but incomplete. */
async function main(): Promise<void> {
  // Whoever reads no more, as `head` when it has seen enough, need not be told of it.
  process.stdout.on('error', (error) => {
    if (!isReaderGone(error)) throw error;
  });
  const config = loadConfig(
    process.env,
    reconciledProviders.map((provider) => provider.id),
    bankIds,
    differentialProviders.map((provider) => provider.id),
  );
  const log = createLog({ logLevel: process.env['LOG_LEVEL'] ? config.logLevel : 'warn' });
  const shutdown = createShutdown({ log });
  const commandLine = createCommandLine(config, log, shutdown.signal);
  serveCommand(commandLine.program, async () =>
    (await import('./serve.ts')).runServer(config, createLog(config), shutdown),
  );
  await commandLine.run(process.argv);
}

/** Runs a command, begun by asking who acts and whether they may. Opens nothing before one of them runs. */
export function createCommandLine(
  config: Config,
  log: Log,
  signal: AbortSignal,
): { readonly program: Command; run(argv: readonly string[]): Promise<void> } {
  const database = createSharedDatabase(config, log);
  const guard = createCommandGuard({
    pool: () => database.pool(),
    user: userName(),
    apiKey: config.apiKey?.reveal(),
    now: () => Temporal.Now.instant(),
    onUnrecorded: (error) => log.error({ err: error }, 'what became of a command could not be kept in the audit trail'),
  });
  const program = addCommands(config, log, signal, { guard, pool: () => database.pool() });
  let remote = false;
  const askServer = (server: string) => {
    remote = true;
    remoteCommands(program, { client: lazyClient(program, config, server, signal), language: config.language });
  };
  program.on('option:server', askServer);
  refuseTwice(program);
  program.hook('preAction', async (_, command) => {
    refuseBlank(command, pathOf(command));
    if (remote) return;
    await guard.begin(command);
    await heedMaintenance(pathOf(command), { pool: () => database.pool(), now: () => Temporal.Now.instant() });
  });
  return {
    program,
    async run(argv) {
      try {
        if (config.server !== undefined) askServer(config.server);
        await whileActing(guard.acting, () => program.parseAsync(argv));
        await guard.end();
      } catch (error) {
        await guard.end(error);
        throw error;
      } finally {
        await database.close();
      }
    },
  };
}

/** The way to a server, opened by the first request, when all options are known. */
function lazyClient(program: Command, config: Config, server: string, signal: AbortSignal): ApiClient {
  let opened: Promise<ApiClient> | undefined;
  const open = async () => {
    const key = await givenKey(program.opts(), config.apiKey?.reveal());
    return createApiClient({
      server,
      key: key === '' ? undefined : new Secret(key),
      language: config.language,
      signal,
    });
  };
  return {
    async send(request) {
      opened ??= open();
      return await (await opened).send(request);
    },
  };
}

/** Every command there is. */
export function createProgram(config: Config, log: Log, signal: AbortSignal): Command {
  return createCommandLine(config, log, signal).program;
}

function addCommands(
  config: Config,
  log: Log,
  signal: AbortSignal,
  { guard, pool }: { readonly guard: CommandGuard; pool(): Promise<Pool> },
): Command {
  const program = speakIn(new Command('jeongsan'), config.language)
    .description('the settlement back office of a payment gateway / 정산')
    .version(productVersion(), '-V, --version', config.language === 'ko' ? '버전' : 'the version')
    .option('--server <url>', 'ask this server instead of the database, as JEONGSAN_SERVER does / 서버에 요청')
    .option('--key-file <path>', 'the API key to act by, instead of JEONGSAN_API_KEY / API 키 파일')
    .exitOverride()
    .showHelpAfterError();
  const context: CommandContext = {
    withDatabase: async (work) => work(await pool()),
    language: config.language,
    get who() {
      const { who, key } = guard.actor();
      return key === undefined ? userName() : who;
    },
    signal,
  };
  const withApp = async <T>(work: (app: App) => Promise<T>): Promise<T> => {
    const app = await openApp(config, log);
    try {
      return await work(app);
    } finally {
      await app.close();
    }
  };
  calendarCommands(program, context);
  const cipher = () => openCipher({ home: config.home, ...config.dataKeys });
  const identity = {
    actor: guard.actor,
    cipher,
    log,
    publicUrl: publicUrlOf(config.listening, config.port),
    now: () => Temporal.Now.instant(),
    openAsk: () => openAsk(process.stdin, process.stderr),
  };
  identityCommands(program, context, identity);
  peopleCommands(program, context, identity);
  keyCommands(program, context, identity);
  merchantsCommands(program, context, { cipher, actor: guard.actor });
  tierCommands(program, context);
  paymentsCommands(program, context);
  paymentShowCommand(program, context);
  depositsCommands(program, context);
  statementCommands(program, context, () => ({ output: process.stdout, archive: openArchive(archiveFolder(config)) }));
  reconcileCommands(program, context, withApp);
  breakCommands(program, context);
  reportCommands(program, context, { home: config.home });
  const now = () => Temporal.Now.instant();
  operationCommands(program, context, { withApp, banks: bankIds, expiring: expiringRecords, now });
  settlementCommands(program, context, withApp);
  balanceCommands(program, context);
  holdCommands(program, context);
  // Asked for here, sent by whichever process reaches the bank.
  const bank = Object.keys(config.banks)[0] ?? bankIds[0];
  const payoutPorts = { bank, now };
  handSettleCommands(payoutCommands(program, context, payoutPorts), context, payoutPorts);
  payoutReconcileCommands(program, context, (work) =>
    withApp((app) => work({ ...app.payoutReconciliation, bankIds: app.banks.map(({ id }) => id) })),
  );
  bankCommands(program, context, { banks: bankIds });
  addDeliveryCommands(webhookCommands(program, context, { cipher, allowed: config.privateHosts }), context);
  const differential = differentialCommands(program, context, withApp, {
    configured: Object.keys(config.differential),
  });
  addSendCommand(differential, context, withApp);
  addListCommand(differential, context);
  addShowCommand(differential, context);
  addResendCommand(differential, context);
  addBreakCommands(differential, context);
  addVerifyCommand(differential, context);
  addReportCommand(differential, context, { home: config.home });
  addWhatIfCommand(differential, context);
  addRetroactiveCommand(differential, context);
  addRegistrationCommands(differential, context, withApp, { configured: Object.keys(config.differential) });
  ledgerCommands(program, context);
  approvalsCommands(program, context);
  findingsCommands(program, context);
  const alerts = alertCommands(program, context, {
    now: () => Temporal.Now.instant(),
    mailConfigured: config.mail !== undefined,
  });
  alertSettingCommands(alerts, context, {
    cipher,
    allowed: config.privateHosts,
  });
  auditCommands(program, context);
  dataKeyCommands(program, context, {
    home: config.home,
    keys: config.dataKeys,
    places: sealedPlaces,
    cipher,
  });
  sandboxCommands(program, context, {
    async withProduct({ home, addresses, businessNo, clock }, work) {
      const app = await openApp({ ...config, home, differential: addresses, businessNo }, log, { clock });
      try {
        return await work({
          pool: app.pool,
          cipher: app.cipher,
          run: (request) => app.differential.run(request),
          register: (request) => app.registrations.register(request),
          verifyLedger: async () => (await verifyLedger(app.pool, () => Promise.resolve())).deviations,
        });
      } finally {
        await app.close();
      }
    },
  });
  return program;
}

// Read by whoever wants to know the commands, it runs none.
if (import.meta.main) {
  const isPrinted = watchOutput(process.stdout);
  const isJson = process.argv.includes('--json', 2);
  // What was begun cannot be followed by another document.
  await main().catch((error) => fail(error, { json: isJson && !isPrinted() }));
}
