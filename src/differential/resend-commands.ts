import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { seoul } from '../kernel/business-day.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatCount, formatTable } from '../platform/terminal.ts';
import { differentialProviderNamed, differentialProviders } from '../providers/differential-registry.ts';
import { reasonText } from './claim-words.ts';
import { queueResend, type Resent } from './resend-store.ts';

type Options = {
  readonly claim?: string;
  readonly code?: string;
  readonly reason?: string;
  readonly provider?: string;
  readonly because: string;
  readonly by?: string;
  readonly json?: true;
};
type Ports = { readonly output?: Writable; today?(): Temporal.PlainDate };

/** `differential resend`: queues rejected or held claims to go with their provider's next batch. */
export function addResendCommand(
  noun: Command,
  context: CommandContext,
  { output = process.stdout, today = () => Temporal.Now.plainDateISO(seoul) }: Ports = {},
): void {
  noun
    .command('resend')
    .description('send rejected or held claims again with the next batch, by the facts known now / 재신청')
    .option('--claim <tid>', 'one claim: TID, or TID/CANCEL_SEQ / 신청 건')
    .option('--code <code>', 'all that were rejected with this code; with --provider / 반려 코드')
    .option('--reason <reason>', 'all that are held for this reason; with --provider / 보류 사유')
    .option('--provider <id>', `whose claims (${differentialProviders.map(({ id }) => id).join(', ')}) / 원천사`)
    .requiredOption('--because <text>', 'why they may go again, kept / 재신청 사유')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((options: Options) => {
      const asked = toAsked(options);
      return context.withDatabase(async (pool) => {
        const by = options.by ?? context.who;
        const on = today().toString();
        const resent: Resent[] = [];
        for (const provider of asked.providers) {
          const act = { by, because: asked.because, on };
          resent.push(...(await inTransaction(pool, (tx) => queueResend(tx, provider, asked.which, act))));
        }
        if ('providerTid' in asked.which) refuseAlone(options.claim ?? '', resent, context.language);
        await writeOut(output, options.json ? resentJson(resent) : resentText(resent, context.language));
      });
    });
}

function toAsked({ claim, code, reason, provider, because }: Options) {
  const usage = (text: string) => new Problem('usage', { reason: text });
  if (because.trim() === '') throw usage('--because TEXT');
  if ([claim, code, reason].filter((one) => one !== undefined).length !== 1) {
    throw usage('--claim TID[/SEQ] | --code CODE | --reason REASON');
  }
  if (claim === undefined && provider === undefined) throw usage('--provider ID');
  const providers = provider === undefined ? differentialProviders : [differentialProviderNamed(provider)];
  if (claim === undefined) {
    const which = { reason: code === undefined ? (reason as string) : `${provider}:${code}` };
    return { which, providers, because };
  }
  const { tid, seq = '0' } = /^(?<tid>.+?)(?:\/(?<seq>\d{1,4}))?$/.exec(claim)?.groups ?? {};
  if (tid === undefined) throw usage(`--claim ${claim}`);
  return { which: { providerTid: tid, cancelSeq: Number(seq) }, providers, because };
}

/** Who asks for one claim is told at once why it may not go; what concerns a person has been noted. */
function refuseAlone(claim: string, resent: readonly Resent[], language: Language): void {
  const [one] = resent;
  if (one === undefined) throw new Problem('not_found', { what: language === 'ko' ? '신청 건' : 'claim', id: claim });
  if (resent.some(({ refused }) => refused === null) || one.refused === null) return;
  const state = one.reason === null ? '' : reasonText(one.reason, language);
  throw new Problem(one.refused, { claim, state, attempt: one.attempt });
}

function resentText(resent: readonly Resent[], language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const queued = resent.filter(({ refused }) => refused === null).length;
  const rows = resent.map(({ providerTid, cancelSeq, merchantId, reason, attempt, beforeWon, afterWon, refused }) => [
    `${providerTid}/${cancelSeq}`,
    merchantId,
    reason === null ? '' : reasonText(reason, language),
    `${attempt}`,
    beforeWon === null ? '' : formatWon(beforeWon),
    afterWon === null ? '' : formatWon(afterWon),
    refused ?? '',
  ]);
  const columns = [
    { title: 'TID' },
    { title: say('가맹점', 'merchant') },
    { title: say('사유', 'reason') },
    { title: say('회차', 'try'), align: 'right' as const },
    { title: say('이전 차액', 'was'), align: 'right' as const },
    { title: say('차액', 'claimed'), align: 'right' as const },
    { title: say('거절', 'refused') },
  ];
  const total = say(
    `재신청 대기 ${formatCount(queued)}건, 거절 ${formatCount(resent.length - queued)}건`,
    `${formatCount(queued)} queued, ${formatCount(resent.length - queued)} refused`,
  );
  return `${rows.length === 0 ? '' : formatTable(columns, rows)}${total}\n`;
}

function resentJson(resent: readonly Resent[]): string {
  const won = (amount: bigint | null) => (amount === null ? null : wonToJson(amount));
  const rows = resent.map((one) => ({ ...one, beforeWon: won(one.beforeWon), afterWon: won(one.afterWon) }));
  return `${JSON.stringify({ queued: resent.filter(({ refused }) => refused === null).length, claims: rows }, null, 2)}\n`;
}
