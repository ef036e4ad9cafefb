import type { Command } from 'commander';
import { addImportCommand } from '../imports/import-command.ts';
import type { CommandContext } from '../platform/command.ts';
import { importMerchants } from './import-merchants.ts';

/** 가맹점. `merchants import FILE`. */
export function merchantsCommands(program: Command, context: CommandContext): void {
  const noun = program.command('merchants').description(context.language === 'ko' ? '가맹점' : 'merchants');
  addImportCommand(
    noun,
    context,
    { ko: '가맹점을 파일에서 적재', en: 'import merchants from a file' },
    importMerchants,
  );
}
