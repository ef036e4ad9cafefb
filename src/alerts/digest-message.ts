import type { Language } from '../kernel/problem.ts';
import { html } from '../platform/markup.ts';
import { countText, wonText } from '../platform/report-parts.ts';
import { providers } from '../providers/registry.ts';
import { outcomeWords, stageStateWords, stageWords } from '../reconciliation/words.ts';
import { sayIn } from './alert-message.ts';
import type { DigestContent, DigestStage, ReportContent } from './content.ts';
import { kindTitle } from './finding-words.ts';
import { facts, heading, type Message, mailPage, mailTable, mark, note, subjectLine, tiles } from './mail-parts.ts';

type Row = readonly [string, string];

/** 일일 요약. Yesterday, what is open, and what waits for a person, on one page. */
export function digestMessage(content: DigestContent, language: Language): Message {
  const say = sayIn(language);
  const { on, outcome, stages, urgent, audit } = content;
  const verdict = outcome === 'not_run' ? say('대사 미실행', 'not reconciled') : outcomeWords[outcome][language];
  const waits = waitingRows(content, language).filter(([, value]) => value !== say('없음', 'none')).length;
  const title = say(`${on} 정산 요약`, `Settlement digest of ${on}`);
  const lead =
    waits === 0
      ? say('기다리는 일이 없습니다.', 'Nothing waits for you.')
      : say(`기다리는 일이 ${waits}가지 있습니다.`, `${waits} matters wait for a person.`);
  const money = moneyTiles(content, language);
  const ages = ageRows(content, language);
  const alarms: Row[] = urgent.map(({ kind, findings }) => [kindTitle(kind, language), String(findings)]);
  const chain = audit === null ? say('없음', 'none') : `#${audit.entry} ${audit.hash}`;
  const body = [
    tiles(money),
    heading(say('사람을 기다리는 일', 'What waits for a person')),
    facts(waitingRows(content, language)),
    ...(alarms.length === 0 ? [] : [heading(say('미종결 긴급 알림', 'Urgent and open')), facts(alarms)]),
    heading(say(`대사: ${verdict}`, `Reconciliation: ${verdict}`)),
    ...content.reasons.map((reason) => note(`! ${reason}`)),
    stageTable(stages, language),
    heading(say('미종결 불일치 (경과일)', 'Unresolved breaks by age')),
    facts(ages),
    heading(say('감사 추적 마지막 항목', "The audit trail's latest entry")),
    html`<code style="font:11px ui-monospace,Consolas,monospace;overflow-wrap:anywhere">${chain}</code>`,
  ];
  const tone = outcome === 'complete' && urgent.length === 0 ? 'good' : 'warning';
  const text = [
    title,
    lead,
    '',
    ...money.map((each) => `${each.title}: ${each.value} (${each.below})`),
    '',
    ...lines(waitingRows(content, language)),
    ...(alarms.length === 0 ? [] : ['', ...lines(alarms)]),
    '',
    say(`대사: ${verdict}`, `Reconciliation: ${verdict}`),
    ...stageLines(stages, language),
    ...content.reasons.map((reason) => `! ${reason}`),
    '',
    ...lines(ages),
    '',
    chain,
    '',
  ].join('\n');
  return {
    subject: subjectLine(
      `${say('[정산 요약]', '[Digest]')} ${on} ${verdict} · ${say('대기', 'waiting')} ${waits}${urgent.length > 0 ? ` · ${say('긴급', 'urgent')} ${urgent.length}` : ''}`,
    ),
    text,
    html: mailPage({ title, tag: verdict, lead, tone }, body, language),
  };
}

/** 대사 리포트 메일. The verdict in the subject, the files attached or said where they lie. */
export function reportMessage(
  content: ReportContent,
  files: { readonly attached: readonly string[]; readonly folder: string | null },
  language: Language,
): Message {
  const say = sayIn(language);
  const { on, outcome, stages, breaks, breaksWon, reasons, moreReasons, runId } = content;
  const verdict = outcomeWords[outcome][language];
  const title = say(`${on} 대사 리포트`, `Reconciliation report of ${on}`);
  const lead =
    breaks === 0
      ? say('불일치가 없습니다.', 'There is no break.')
      : say(
          `불일치 ${breaks}건, ${wonText(BigInt(breaksWon))}원`,
          `${breaks} breaks, ${wonText(BigInt(breaksWon))} won`,
        );
  const where = [
    ...(files.attached.length > 0
      ? [say(`첨부: ${files.attached.join(', ')}`, `Attached: ${files.attached.join(', ')}`)]
      : []),
    ...(files.folder === null
      ? []
      : [
          say(
            `커서 첨부하지 않은 파일은 여기에 있습니다: ${files.folder}`,
            `What is too large to attach lies in ${files.folder}`,
          ),
        ]),
  ];
  const more = moreReasons > 0 ? [say(`그 밖에 ${moreReasons}가지`, `and ${moreReasons} more reasons`)] : [];
  const why = [...reasons, ...more];
  const body = [
    ...(why.length === 0 ? [] : [heading(say('완료되지 않은 이유', 'Why it is incomplete')), ...why.map(note)]),
    heading(say('원천사별 결과', 'By provider')),
    stageTable(stages, language),
    ...where.map(note),
    facts([[say('실행', 'Run'), runId]]),
  ];
  const tone = outcome === 'incomplete' ? 'warning' : breaks === 0 ? 'good' : 'calm';
  return {
    subject: subjectLine(`${say('[대사]', '[Reconciliation]')} ${on} ${verdict} · ${lead}`),
    text: [
      title,
      `${verdict}. ${lead}`,
      ...why.map((each) => `! ${each}`),
      '',
      ...stageLines(stages, language),
      '',
      ...where,
      runId,
      '',
    ].join('\n'),
    html: mailPage({ title, tag: verdict, lead, tone }, body, language),
  };
}

function moneyTiles({ money, cycles }: DigestContent, language: Language) {
  const say = sayIn(language);
  const won = (text: string) => say(`${wonText(BigInt(text))}원`, `${wonText(BigInt(text))} won`);
  const pieces = (count: number) => say(`${countText(count)}건`, countText(count));
  return [
    {
      title: say('정산(지갑 적립)', 'Settled to wallets'),
      value: won(money.settledWon),
      below: say(
        `${countText(money.settledItems)}건 · 수수료 ${wonText(BigInt(money.feeWon))} 부가세 ${wonText(BigInt(money.vatWon))}`,
        `${countText(money.settledItems)} items, fee ${wonText(BigInt(money.feeWon))}, VAT ${wonText(BigInt(money.vatWon))}`,
      ),
    },
    { title: say('지급', 'Paid out'), value: won(money.paidOutWon), below: pieces(money.paidOut) },
    { title: say('지급 진행 중', 'In flight'), value: won(money.inFlightWon), below: pieces(money.inFlight) },
    { title: say('지급 거절', 'Rejected'), value: won(money.rejectedWon), below: pieces(money.rejected) },
    {
      title: say('차액 환급', 'Refunded differences'),
      value: won(money.refundedWon),
      below: say(
        `${countText(money.refunds)}건 · 환수 ${wonText(BigInt(money.clawedBackWon))}`,
        `${money.refunds}, clawed back ${wonText(BigInt(money.clawedBackWon))}`,
      ),
    },
    {
      title: say('정산 회차', 'Cycles'),
      value: say(`${cycles.settled}회`, `${cycles.settled}`),
      below: say(
        `실패 ${cycles.failed} · 건너뜀 ${cycles.skipped} · 지연 ${cycles.late}`,
        `${cycles.failed} failed, ${cycles.skipped} skipped, ${cycles.late} late`,
      ),
    },
  ];
}

function waitingRows({ waiting }: DigestContent, language: Language): readonly Row[] {
  const say = sayIn(language);
  const count = (some: number, won?: string) => {
    if (some === 0) return say('없음', 'none');
    return (
      say(`${some}건`, `${some}`) +
      (won === undefined ? '' : say(` (${wonText(BigInt(won))}원)`, ` (${wonText(BigInt(won))} won)`))
    );
  };
  return [
    [say('승인 대기', 'Approvals'), count(waiting.approvals)],
    [say('미확인 알림', 'Unacknowledged alerts'), count(waiting.alerts)],
    [say('결과를 모르는 지급', 'Payouts of unknown outcome'), count(waiting.payoutsUnknown, waiting.payoutsUnknownWon)],
    [say('보류된 차액 신청', 'Held claims'), count(waiting.heldClaims)],
    [say('미정산 매입', 'Captures set aside'), count(waiting.unsettled, waiting.unsettledWon)],
    [say('미종결 발견 사항', 'Open findings'), count(waiting.findings)],
  ];
}

function ageRows({ breaks }: DigestContent, language: Language): readonly Row[] {
  const say = sayIn(language);
  return breaks.map(
    ({ age, count, won }): Row => [
      say(`${age}일`, `${age} days`),
      say(`${count}건, ${wonText(BigInt(won))}원`, `${count}, ${wonText(BigInt(won))} won`),
    ],
  );
}

function stageTable(stages: readonly DigestStage[], language: Language) {
  const say = sayIn(language);
  return mailTable(
    [
      { title: say('원천사 · 단계', 'Provider, stage') },
      { title: say('상태', 'State') },
      { title: say('건수', 'Records'), right: true },
      { title: say('금액', 'Won'), right: true },
      { title: say('불일치', 'Breaks'), right: true },
    ],
    stages.map((each) => [
      `${providerName(each.provider, language)} · ${stageName(each, language)}`,
      each.state === 'reconciled' ? stateName(each, language) : mark(stateName(each, language)),
      wonText(BigInt(each.records)),
      wonText(BigInt(each.amountWon)),
      each.breaks === 0 ? '0' : mark(`${each.breaks} (${wonText(BigInt(each.breaksWon))})`),
    ]),
  );
}

function stageLines(stages: readonly DigestStage[], language: Language): string[] {
  return stages.map(
    (each) =>
      `- ${providerName(each.provider, language)} ${stageName(each, language)}: ${stateName(each, language)}, ${each.records}, ${wonText(BigInt(each.amountWon))}, ${sayIn(language)('불일치', 'breaks')} ${each.breaks}`,
  );
}

function providerName(id: string, language: Language): string {
  return providers.find((provider) => provider.id === id)?.name[language] ?? id;
}

function stageName({ stage }: DigestStage, language: Language): string {
  return stageWords[stage as keyof typeof stageWords]?.[language] ?? stage;
}

function stateName({ state }: DigestStage, language: Language): string {
  return stageStateWords[state as keyof typeof stageStateWords]?.[language] ?? state;
}

function lines(rows: readonly Row[]): string[] {
  return rows.map(([name, value]) => `${name}: ${value}`);
}
