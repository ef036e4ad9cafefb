import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { type Language, Problem } from '../kernel/problem.ts';
import { formatSeoulTime } from '../kernel/seoul-time.ts';
import { type CommandContext, exitStatus } from '../platform/command.ts';
import { writeOut } from '../platform/output.ts';
import { formatTable } from '../platform/terminal.ts';
import { type Audience, closeFindings, type Finding, listFindings } from './store.ts';

type ListOptions = {
  readonly kind?: string;
  readonly subject?: string;
  readonly audience?: string;
  readonly all?: true;
  readonly json?: true;
};

/** `jeongsan findings`: what a person has to know, and that it is over. */
export function findingsCommands(program: Command, context: CommandContext, output: Writable = process.stdout): void {
  const { language } = context;
  const findings = program.command('findings').description('what a person has to know / 발견 사항');
  findings
    .command('list', { isDefault: true })
    .description('open findings, newest first / 목록')
    .option('--kind <kind>', 'of this kind / 종류')
    .option('--subject <subject>', 'about this slot, merchant, payout, bank / 대상')
    .option('--audience <who>', 'in_charge, operations / 알릴 사람')
    .option('--all', 'closed ones too / 종결된 것 포함')
    .option('--json', 'JSON output / JSON 출력')
    .action(({ kind, subject, audience, all, json }: ListOptions) => {
      const filter = { ...given({ kind, subject }), ...audienceOf(audience), closed: all ?? false };
      return context.withDatabase(async (pool) => {
        const found = await listFindings(pool, filter);
        await writeOut(
          output,
          json
            ? `${JSON.stringify(found.map(findingToJson), null, 2)}\n`
            : formatTable(
                columns[language],
                found.map((finding) => findingRow(finding, language)),
              ),
        );
      });
    });
  findings
    .command('close')
    .description('say that it is over / 종결')
    .argument('<ids...>', 'their numbers / 번호')
    .option('--by <who>', 'who acts / 처리자')
    .option('--json', 'JSON output / JSON 출력')
    .action((ids: string[], { by = context.who, json }: { by?: string; json?: true }) => {
      const numbers = [...new Set(ids.map(numberOf))];
      return context.withDatabase(async (pool) => {
        const closed = (await closeFindings(pool, numbers, by)).map(Number);
        const left = numbers.filter((id) => !closed.includes(id));
        if (left.length > 0) process.exitCode = exitStatus.failed;
        await writeOut(output, json ? `${JSON.stringify({ closed, left })}\n` : closedText(closed, left, language));
      });
    });
}

const columns = {
  ko: ['번호', '종류', '대상', '알릴 사람', '처음', '마지막', '횟수', '내용', '종결'].map((title) => ({ title })),
  en: ['ID', 'Kind', 'About', 'For', 'First seen', 'Last seen', 'Times', 'Detail', 'Closed'].map((title) => ({
    title,
  })),
};

const audienceWords: Readonly<Record<Audience, Readonly<Record<Language, string>>>> = {
  in_charge: { ko: '담당자', en: 'in charge' },
  operations: { ko: '담당자·운영', en: 'operations' },
};

function findingRow(finding: Finding, language: Language): string[] {
  const at = (when: Date): string => formatSeoulTime(when.toISOString());
  return [
    String(finding.id),
    finding.kind,
    finding.subject,
    audienceWords[finding.audience][language],
    at(finding.openedAt),
    at(finding.seenAt),
    String(finding.times),
    detailText(finding.detail),
    finding.closedAt === null ? '' : `${at(finding.closedAt)} ${finding.closedBy ?? ''}`,
  ];
}

function detailText(detail: Finding['detail']): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ');
}

function findingToJson({ id, ...finding }: Finding): unknown {
  return { id: Number(id), ...finding };
}

function closedText(closed: readonly number[], left: readonly number[], language: Language): string {
  const first = language === 'ko' ? `종결: ${closed.length}건` : `Closed: ${closed.length}`;
  const rest = left.map((id) => (language === 'ko' ? `  ${id}: 미종결 상태가 아님` : `  ${id}: none such is open`));
  return [first, ...rest, ''].join('\n');
}

/** @throws Problem `usage` */
function numberOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Problem('usage', { reason: `ID ${text}` });
  return Number(text);
}

/** @throws Problem `usage` */
function audienceOf(text: string | undefined): { readonly audience?: Audience } {
  if (text === undefined) return {};
  if (text !== 'in_charge' && text !== 'operations') {
    throw new Problem('usage', { reason: `--audience ${text} (in_charge, operations)` });
  }
  return { audience: text };
}

function given(fields: { readonly kind: string | undefined; readonly subject: string | undefined }) {
  const { kind, subject } = fields;
  return { ...(kind === undefined ? {} : { kind }), ...(subject === undefined ? {} : { subject }) };
}
