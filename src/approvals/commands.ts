import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import type { CommandContext } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { type Approval, type ApprovalKind, approvalKinds, listApprovals } from './store.ts';

type ListOptions = { readonly kind?: string; readonly all?: true; readonly json?: true };

/**
 * `jeongsan approvals`: what waits for a second person. It is decided on where it belongs: `payout`, `payout settle`,
 * `bank`, `ledger adjust`.
 */
export function approvalsCommands(program: Command, context: CommandContext, output: Writable = process.stdout): void {
  program
    .command('approvals')
    .description('what waits for a second person / 승인')
    .command('list', { isDefault: true })
    .description('newest first / 목록')
    .option('--kind <kind>', `${approvalKinds.join(', ')} / 종류`)
    .option('--all', 'decided ones too / 결정된 것 포함')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ kind, all, json }: ListOptions) => {
      const filter = { ...kindOf(kind), decided: all ?? false };
      return context.withDatabase(async (pool) => {
        const found = await listApprovals(pool, filter);
        await writeOut(
          output,
          json
            ? `${JSON.stringify(found.map(approvalToJson), null, 2)}\n`
            : formatTable(columns[context.language], found.map(approvalRow)),
        );
      });
    });
}

const columns = {
  ko: ['종류', '대상', '요청자', '요청 시각', '사유', '결정', '결정자', '결정 시각'].map((title) => ({ title })),
  en: ['Kind', 'What', 'Asked by', 'Asked at', 'Reason', 'Decision', 'Decided by', 'At'].map((title) => ({ title })),
};

function approvalRow(approval: Approval): string[] {
  const at = (when: Date | null): string => (when === null ? '' : formatSeoulTime(when.toISOString()));
  return [
    approval.kind,
    approval.subject,
    approval.askedBy,
    at(approval.askedAt),
    approval.reason,
    approval.decision ?? '',
    approval.decidedBy ?? '',
    at(approval.decidedAt),
  ];
}

function approvalToJson({ id, ...approval }: Approval): unknown {
  return { id: Number(id), ...approval };
}

/** @throws Problem `usage` */
function kindOf(text: string | undefined): { readonly kind?: ApprovalKind } {
  if (text === undefined) return {};
  const kind = approvalKinds.find((each) => each === text);
  if (kind === undefined) throw new Problem('usage', { reason: `--kind ${text} (${approvalKinds.join(', ')})` });
  return { kind };
}
