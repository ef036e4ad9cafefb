import type { Command } from 'commander';
import { addImportCommand } from '../imports/import-command.ts';
import type { CommandContext } from '../platform/command.ts';
import {
  importCardBins,
  importHalfYears,
  importPreferentialRates,
  importSubMerchants,
  importTiers,
} from './import-tiers.ts';
import { addFactShowCommands } from './tier-show-commands.ts';

/** 영중소 등급과 그 근거. `tiers`, `half-years`, `preferential-rates`: `import` and `show`; `sub-merchants`, `card-bins`: `import`. */
export function tierCommands(
  program: Command,
  context: CommandContext,
  surroundings?: Parameters<typeof addFactShowCommands>[2],
): void {
  const say = (ko: string, en: string): string => (context.language === 'ko' ? ko : en);
  const noun = (name: string, ko: string, en: string): Command => program.command(name).description(say(ko, en));
  const nouns = {
    tiers: noun('tiers', '영중소 등급', 'tiers of small merchants, by half-year'),
    halfYears: noun('half-years', '반기 시작일', 'from when to when a half-year is'),
    rates: noun('preferential-rates', '우대수수료율', 'preferential rates by tier and card type'),
  };
  addImportCommand(
    nouns.tiers,
    context,
    { ko: '영중소 등급을 파일에서 적재', en: 'import tiers from a file' },
    importTiers,
  );
  addImportCommand(
    nouns.halfYears,
    context,
    { ko: '반기 시작일을 파일에서 적재', en: 'import the first days of half-years from a file' },
    importHalfYears,
  );
  addImportCommand(
    nouns.rates,
    context,
    { ko: '우대수수료율을 파일에서 적재', en: 'import preferential rates from a file' },
    importPreferentialRates,
  );
  addImportCommand(
    noun('sub-merchants', '하위가맹점', 'through whom merchants sell, and since when'),
    context,
    { ko: '하위가맹점 정보를 파일에서 적재', en: 'import facts of sub-merchants from a file' },
    importSubMerchants,
  );
  addImportCommand(
    noun('card-bins', '카드 BIN', 'whether cards are credit or check cards'),
    context,
    { ko: '카드 BIN을 파일에서 적재', en: 'import card BINs from a file' },
    importCardBins,
  );
  addFactShowCommands(nouns, context, surroundings);
}
