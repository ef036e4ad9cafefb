import type { Command } from 'commander';
import { addImportCommand } from '../imports/import-command.ts';
import type { Cipher } from '../platform/cipher.ts';
import type { CommandContext } from '../platform/command.ts';
import { addRevealCommand, type RevealPorts } from './account-commands.ts';
import { importMerchants } from './import-merchants.ts';
import { importAccounts, importContracts, importTerms } from './import-terms.ts';
import { addShowCommands, type ShowSurroundings } from './show-commands.ts';

/** What the commands need beyond their context; `surroundings` is for tests. */
export type MerchantsPorts = {
  readonly cipher: () => Promise<Cipher>;
  readonly surroundings?: () => ShowSurroundings;
  /** Who acts; without it `reveal` is not offered. */
  readonly actor?: RevealPorts['actor'];
};

/** 가맹점. `merchants import`, `merchants contracts|terms|accounts import`, `merchants show`, `merchants dates`. */
export function merchantsCommands(program: Command, context: CommandContext, ports: MerchantsPorts): void {
  const say = (ko: string, en: string): string => (context.language === 'ko' ? ko : en);
  const noun = program.command('merchants').description(say('가맹점', 'merchants'));
  addImportCommand(
    noun,
    context,
    { ko: '가맹점을 파일에서 적재', en: 'import merchants from a file' },
    importMerchants,
  );
  addImportCommand(
    noun.command('contracts').description(say('수수료 계약', 'fee contracts')),
    context,
    { ko: '수수료 계약을 파일에서 적재', en: 'import fee contracts from a file' },
    importContracts,
  );
  addImportCommand(
    noun.command('terms').description(say('정산 조건', 'settlement terms')),
    context,
    { ko: '정산 조건을 파일에서 적재', en: 'import settlement terms from a file' },
    importTerms,
  );
  addImportCommand(
    noun.command('accounts').description(say('지급 계좌', 'bank accounts')),
    context,
    { ko: '지급 계좌를 파일에서 적재', en: 'import bank accounts from a file' },
    async (pool, source, options) => importAccounts(pool, await ports.cipher(), source, options),
  );
  addShowCommands(noun, context, ports.surroundings);
  if (ports.actor !== undefined) addRevealCommand(noun, context, { cipher: ports.cipher, actor: ports.actor });
}
