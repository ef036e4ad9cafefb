import type { PoolClient } from 'pg';
import { closeFinding, openFinding } from '../findings/store.ts';
import { check } from '../kernel/check.ts';
import type { Archive } from '../platform/archive.ts';
import { query } from '../platform/database/pool.ts';
import type { DifferentialProvider } from '../providers/differential.ts';
import type { ExchangeFacts } from '../providers/layout/exchange-facts.ts';
import { copyExchange } from './answer-load.ts';
import { type AnswerCounts, answerFile } from './answer-store.ts';
import { businessNoIn } from './exchange-name.ts';
import { claimFile } from './file-store.ts';
import { tellStanding } from './registration-finding-store.ts';

export type RegistrationAnswer = {
  readonly answerId: bigint;
  readonly provider: DifferentialProvider;
  readonly archive: Archive;
};

/** Lines of an answer of which nothing could be made: a finding for each answer. */
const setAsideFinding = 'registration_set_aside';
const namedMost = 20;

/**
 * 등록 결과 반영. Puts what the card companies answered down with the requests of the file. A later answer that says
 * otherwise counts. Nothing is made of a line about what the file did not ask for, with a code that nobody knows, that
 * cannot be read, or that another line of the answer contradicts: it is set aside and told, and its request stays open.
 * @throws Problem `statement_…` where the answer as a whole is wrong
 */
export async function applyRegistrationAnswer(tx: PoolClient, answer: RegistrationAnswer): Promise<AnswerCounts> {
  const { answerId, provider } = answer;
  const { fileId, fileName } = await answerFile(tx, answerId);
  const facts = await load(tx, answer);
  const codes = Object.entries(provider.differential.codes);
  await tx.query(
    `create temp table registration_verdict on commit drop as
     with known as (select * from unnest($2::text[], $3::bool[]) as k(code, is_accepted)),
     judged as (
       select a.line_no, a.merchant_id, a.acquirer, a.code, r.registration_id, r.state, r.code as said, k.is_accepted,
              case when r.registration_id is null then 'unknown_registration'
                   when r.final_no <> a.final_no then 'final_no_differs'
                   when k.code is null then 'unknown_code'
                   when min(a.code) over same <> max(a.code) over same then 'answered_twice' end as problem
         from registration_answer a
         left join registration r on r.file_id = $1 and r.merchant_id = a.merchant_id and r.acquirer = a.acquirer
              and r.action = a.action
         left join known k on k.code = a.code
       window same as (partition by a.merchant_id, a.acquirer, a.action))
     select *, problem is null and ((state <> 'requested' and said is not distinct from code)
                 or row_number() over (partition by registration_id, problem order by line_no) > 1) as is_repeated
       from judged`,
    [fileId, codes.map(([code]) => code), codes.map(([, { means }]) => means === 'accepted')],
  );
  await tx.query(
    `update registration r set state = case when v.is_accepted then 'accepted' else 'rejected' end, code = v.code,
            reason = case when v.is_accepted then null else $2 || ':' || v.code end, answered_at = clock_timestamp(),
            answer_id = $1
       from registration_verdict v
      where v.registration_id = r.registration_id and v.problem is null and not v.is_repeated`,
    [answerId, provider.id],
  );
  const [counts] = await query<Pick<AnswerCounts, 'lines' | 'accepted' | 'rejected' | 'repeated' | 'setAside'>>(
    tx,
    `select count(*) + $1 as lines, count(*) filter (where is_accepted and problem is null and not is_repeated) as accepted,
            count(*) filter (where not is_accepted and problem is null and not is_repeated) as rejected,
            count(*) filter (where is_repeated) as repeated,
            count(*) filter (where problem is not null) + $1 as "setAside"
       from registration_verdict`,
    [facts.unreadable.length],
  );
  check(counts, 'counts are a row');
  await tellSetAside(tx, { provider: provider.id, fileName, setAside: counts.setAside, facts });
  await tellStanding(tx, provider.id);
  return { ...counts, differenceWon: 0n };
}

/** Requests of a file of which no answer has said anything yet. */
export async function unansweredRegistrations(tx: PoolClient, fileId: bigint): Promise<bigint> {
  const [row] = await query<{ requests: bigint }>(
    tx,
    `select count(*) as requests from registration where file_id = $1 and state = 'requested'`,
    [fileId],
  );
  check(row, 'a count is a row');
  return row.requests;
}

/** The answer's lines as a table of the transaction, `registration_answer`. */
async function load(tx: PoolClient, answer: RegistrationAnswer): Promise<ExchangeFacts> {
  const { answerId, provider, archive } = answer;
  const { fileId, fileName, sha256, bytes } = await answerFile(tx, answerId);
  const file = await claimFile(tx, fileId);
  const { registration } = provider.differential;
  check(registration, `${provider.id} registers merchants`);
  await tx.query(
    `create temp table registration_answer (line_no int, action "char", acquirer text collate "C",
       merchant_id text collate "C", final_no text collate "C", code text collate "C") on commit drop`,
  );
  // Who we were when the file was written, whatever the configuration says by now.
  const biz = businessNoIn(registration.request.fileName, file.fileName);
  const expected = { on: Temporal.PlainDate.from(file.on), biz, provider: provider.id, fileName };
  const into = {
    copy: 'copy registration_answer from stdin (format binary)',
    layout: registration.answers.layout,
    expected,
    // Its lines are of merchants: nothing is repeated that a filter would tell.
    expectedLines: 0,
  };
  const { facts } = await copyExchange(tx, into, archive.read({ sha256, bytes: Number(bytes) }));
  await tx.query('analyze registration_answer');
  return facts;
}

async function tellSetAside(
  tx: PoolClient,
  of: {
    readonly provider: string;
    readonly fileName: string;
    readonly setAside: bigint;
    readonly facts: ExchangeFacts;
  },
): Promise<void> {
  const { provider, fileName, setAside, facts } = of;
  if (setAside === 0n) {
    await closeFinding(tx, { kind: setAsideFinding, subject: fileName, by: 'jeongsan' });
    return;
  }
  const lines = await query(
    tx,
    `select line_no as "line", merchant_id as "merchantId", acquirer, code, problem
       from registration_verdict where problem is not null order by line_no limit ${namedMost}`,
  );
  const unreadable = facts.unreadable.map(({ lineNo, field, problem }) => ({ line: lineNo, field, problem }));
  const first = [...unreadable, ...lines].slice(0, namedMost);
  const detail = { provider, lines: Number(setAside), first };
  await openFinding(tx, { kind: setAsideFinding, subject: fileName, audience: 'operations', detail });
}
