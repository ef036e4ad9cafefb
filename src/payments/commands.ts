import type { Command } from 'commander';
import { addImportCommand } from '../imports/import-command.ts';
import type { CommandContext } from '../platform/command.ts';
import { providers } from '../providers/registry.ts';
import { importPayments } from './import-payments.ts';

/** 결제. `payments import FILE`. */
export function paymentsCommands(program: Command, context: CommandContext): void {
  const noun = program
    .command('payments')
    .description(context.language === 'ko' ? '승인·취소·매입' : 'approvals, cancels and captures');
  addImportCommand(
    noun,
    context,
    { ko: '승인·취소·매입을 파일에서 적재', en: 'import approvals, cancels and captures from a file' },
    (pool, source, options) =>
      importPayments(pool, source, { ...options, providers: providers.map((provider) => provider.id) }),
  );
}
