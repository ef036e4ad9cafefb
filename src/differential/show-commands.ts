import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { differentialProviderOf } from '../providers/differential-registry.ts';
import { batchText, batchToJson } from './show-batch-rows.ts';
import { batchNamed } from './show-batch-store.ts';
import { claimText, shownClaimToJson } from './show-rows.ts';
import { claimsOf } from './show-store.ts';

/** `differential show TID|BATCH`: a transaction's claims with their whole way, or a batch with what became of it. */
export function addShowCommand(noun: Command, context: CommandContext, output: Writable = process.stdout): void {
  const { language } = context;
  const say = (ko: string, en: string): string => (language === 'ko' ? ko : en);
  noun
    .command('show')
    .description(say('신청 건의 전 과정, 또는 하루 작업', 'a claim with its whole way, or a batch'))
    .argument(
      '<name>',
      say(
        '거래고유번호, 또는 작업 번호·실행 ID(differential:welcome:2026-11-20)·파일 이름',
        'a TID; or the number of a batch, its run (differential:welcome:2026-11-20) or a file of it',
      ),
    )
    .option('--json', say('JSON 출력', 'one JSON object'))
    .action((name: string, options: { readonly json?: true }) =>
      context.withDatabase(async (pool) => {
        const claims = await claimsOf(pool, name);
        if (claims.length > 0) {
          return writeOut(
            output,
            options.json
              ? `${JSON.stringify({ claims: claims.map(shownClaimToJson) }, null, 2)}\n`
              : claims
                  .map((claim) =>
                    claimText(claim, differentialProviderOf(claim.provider).differential.rounding, language),
                  )
                  .join('\n'),
          );
        }
        const batch = await batchNamed(pool, name);
        if (batch === undefined) throw new Problem('not_found', { what: say('신청 건', 'claim'), id: name });
        await writeOut(
          output,
          options.json ? `${JSON.stringify({ batch: batchToJson(batch) }, null, 2)}\n` : batchText(batch, language),
        );
      }),
    );
}
