import type { Command } from 'commander';
import { addImportCommand } from '../imports/import-command.ts';
import type { CommandContext } from '../platform/command.ts';
import { providers } from '../providers/registry.ts';
import { importDeposits } from './deposit-import.ts';

/** 입금. `deposits import FILE`. */
export function depositsCommands(program: Command, context: CommandContext): void {
  const noun = program
    .command('deposits')
    .description(context.language === 'ko' ? '원천사 입금' : 'deposits from providers');
  addImportCommand(
    noun,
    context,
    { ko: '원천사 입금을 파일에서 적재', en: 'import deposits from a file' },
    (pool, source, options) =>
      importDeposits(pool, source, { ...options, providers: providers.map((provider) => provider.id) }),
  );
}
