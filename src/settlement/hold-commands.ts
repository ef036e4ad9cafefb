import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { seoul } from '../kernel/business-day.ts';
import { formatWon, wonToJson } from '../kernel/money.ts';
import { type Language, Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { inTransaction } from '../platform/database/pool.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { when } from './cycle-rows.ts';
import { type Hold, type HoldMoved, listHolds, placeHold, releaseHold } from './hold-store.ts';
import { parseWon, wholeNumber } from './options.ts';

type ActOptions = {
  readonly amount?: string;
  readonly reason: string;
  readonly by?: string;
  readonly json?: true;
};

type Ports = { readonly output?: Writable; now?(): Temporal.Instant };

/** `jeongsan hold`: what a merchant would be paid is kept back, and given back, by a person and for a reason. */
export function holdCommands(
  program: Command,
  context: CommandContext,
  { output = process.stdout, now = () => Temporal.Now.instant() }: Ports = {},
): void {
  const { language } = context;
  const hold = program.command('hold').description('what is held back from a merchant / 지급보류');
  const act = (options: ActOptions) => ({
    by: options.by ?? context.who,
    reason: reasonOf(options.reason),
    on: now().toZonedDateTimeISO(seoul).toPlainDate().toString(),
  });
  const print = (moved: HoldMoved, json: boolean) =>
    writeOut(output, json ? `${JSON.stringify(movedToJson(moved), null, 2)}\n` : movedText(moved, language));
  hold
    .command('place')
    .description('hold an amount of the wallet; or, without one, the wallet and all that is settled / 보류')
    .argument('<merchant>', 'merchant ID / 가맹점')
    .option('--amount <won>', 'only so much of the wallet / 금액(원)')
    .requiredOption('--reason <text>', 'why / 사유')
    .option('--by <who>', 'who places it / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((merchantId: string, options: ActOptions) => {
      const amount = options.amount === undefined ? {} : { amountWon: parseWon('--amount', options.amount) };
      const wanted = { merchantId, ...amount, ...act(options) };
      return context.withDatabase(async (pool) => {
        await print(await inTransaction(pool, (tx) => placeHold(tx, wanted)), options.json ?? false);
      });
    });
  hold
    .command('release')
    .description('give back what a hold keeps, a debt first / 해제')
    .argument('<id>', 'number of the hold / 보류 번호')
    .requiredOption('--reason <text>', 'why / 사유')
    .option('--by <who>', 'who releases it / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((id: string, options: ActOptions) => {
      const [holdId, by] = [wholeNumber('ID', id), act(options)];
      return context.withDatabase(async (pool) => {
        await print(await inTransaction(pool, (tx) => releaseHold(tx, BigInt(holdId), by)), options.json ?? false);
      });
    });
  hold
    .command('list', { isDefault: true })
    .description('standing holds / 보류 목록')
    .option('--merchant <id>', 'of this merchant / 가맹점')
    .option('--all', 'released ones too / 해제 포함')
    .option('--json', 'one JSON array / JSON 출력')
    .action((options: { merchant?: string; all?: true; json?: true }) =>
      context.withDatabase(async (pool) => {
        const merchant = options.merchant === undefined ? {} : { merchantId: options.merchant };
        const holds = await listHolds(pool, { ...merchant, released: options.all ?? false });
        await writeOut(
          output,
          options.json ? `${JSON.stringify(holds.map(holdToJson), null, 2)}\n` : holdsTable(holds, language),
        );
      }),
    );
}

function reasonOf(text: string): string {
  if (text.trim() === '') throw new Problem('usage', { reason: '--reason TEXT' });
  return text.trim();
}

function movedText({ hold, heldWon, walletWon, debtWon }: HoldMoved, language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  const { id, merchantId } = hold;
  if (hold.releasedAt === null) {
    const further = hold.amountWon === null ? say(', 이후 정산금도 보류', ', and what is settled from now on') : '';
    return say(
      `보류 ${id}: ${merchantId} 지갑에서 ${formatWon(heldWon)}원 보류${further}\n`,
      `hold ${id}: ${formatWon(heldWon)} won of the wallet of ${merchantId}${further}\n`,
    );
  }
  const debt =
    debtWon === 0n ? '' : say(`, 미수금 상계 ${formatWon(debtWon)}원`, `, ${formatWon(debtWon)} won to its debt`);
  return say(
    `보류 ${id} 해제: ${merchantId} 지갑으로 ${formatWon(walletWon)}원${debt}\n`,
    `hold ${id} released: ${formatWon(walletWon)} won to the wallet of ${merchantId}${debt}\n`,
  );
}

function holdsTable(holds: readonly Hold[], language: Language): string {
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  return formatTable(
    [
      { title: say('번호', 'ID'), align: 'right' },
      { title: say('가맹점', 'Merchant') },
      { title: say('금액', 'Won'), align: 'right' },
      { title: say('사유', 'Reason') },
      { title: say('등록', 'Placed') },
      { title: say('해제', 'Released') },
    ],
    holds.map((hold) => [
      String(hold.id),
      hold.merchantId,
      hold.amountWon === null ? say('전액', 'all') : formatWon(hold.amountWon),
      hold.reason,
      `${when(hold.placedAt)} ${hold.placedBy}`,
      hold.releasedAt === null ? '' : `${when(hold.releasedAt)} ${hold.releasedBy}: ${hold.releaseReason}`,
    ]),
  );
}

function holdToJson(hold: Hold): object {
  return {
    ...hold,
    id: Number(hold.id),
    amountWon: hold.amountWon === null ? null : wonToJson(hold.amountWon),
    placedAt: hold.placedAt.toISOString(),
    releasedAt: hold.releasedAt?.toISOString() ?? null,
  };
}

function movedToJson({ hold, heldWon, walletWon, debtWon }: HoldMoved): object {
  const moved = { heldWon: wonToJson(heldWon), walletWon: wonToJson(walletWon), debtWon: wonToJson(debtWon) };
  return { hold: holdToJson(hold), moved };
}
