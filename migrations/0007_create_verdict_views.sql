-- What a run writes is only what differs; these views say of every record and every line what that means for it.
-- Filter them by provider and day: each then reads the leaves of that day alone. Small tables are looked up row by row
-- and large ones joined by `full join`, which cannot become a nested loop however little the planner knows of a day
-- that has only just been loaded.

create index break_of_ours on break (provider, stage, ours_on, provider_tid, cancel_seq)
  where gone_at is null and ours_on is not null;
create index break_of_line on break (load_id, line_no) where gone_at is null and load_id is not null;
create unique index statement_of_load on statement (load_id);

-- A reconciled stage with what its verdicts cover. `imports_to` is null while the stage is due to be computed anew, and
-- `whole` is false when an import that had begun earlier came in later: until the next run, absence proves nothing then.
create view standing_stage as
select r.provider, r.stage, r.business_on, r.load_ids, i.mids, i.imports_to, i.imports = t.imports as whole
from reconciled_stage r
cross join lateral (
  select substring(r.inputs from 'imports ([0-9]+) up to')::bigint as imports,
    substring(r.inputs from 'up to ([0-9]+)')::bigint as imports_to,
    case when r.inputs not like '%; mids all' then string_to_array(substring(r.inputs from 'mids (.*)$'), ',') end as mids
) i
cross join lateral (
  select count(*) as imports from (
    select mid, import_id from payment_total p
    where r.stage = 'transaction' and p.provider = r.provider and p.traded_on = r.business_on
    union all
    select mid, import_id from capture_total c
    where r.stage <> 'transaction' and c.provider = r.provider and c.captured_on = r.business_on
  ) t where t.import_id <= i.imports_to and (i.mids is null or t.mid = any (i.mids))
) t;

-- line_verdict_transaction, line_verdict_capture, line_verdict_settlement: every line of the current statements, the
-- unreadable ones too. Verdict: matched, timing, awaiting, not_reconciled, or the kinds of its breaks, comma separated.
do $do$
declare
  stage text;
begin
  foreach stage in array array['transaction', 'capture', 'settlement'] loop
    execute format($view$
      create view %I as
      select l.provider, l.statement_on, s.file_name, l.line_no, l.provider_tid, l.cancel_seq, l.amount_won, l.load_id,
        case when l.load_id = any (d.load_ids) and d.inputs <> 'stale'
             then coalesce(b.kinds, q.outcome, w.verdict, 'matched') else 'not_reconciled' end as verdict
      from (
        select provider, statement_on, load_id, line_no, provider_tid, cancel_seq, amount_won from %I
        union all
        select f.provider, f.business_on, u.load_id, u.line_no, u.provider_tid, u.cancel_seq, null::bigint
        from statement_unreadable u join statement f on f.load_id = u.load_id where f.stage = %L
      ) l
      join statement s on s.load_id = l.load_id and s.state = 'imported'
      left join reconciled_stage d on d.provider = l.provider and d.stage = %3$L and d.business_on = l.statement_on
      cross join lateral (
        select string_agg(distinct kind, ',' order by kind) as kinds from break b
        where b.load_id = l.load_id and b.line_no = l.line_no and b.gone_at is null
      ) b
      left join lateral (
        select outcome from pairing q where q.load_id = l.load_id and q.line_no = l.line_no limit 1
      ) q on true
      left join lateral (
        select 'awaiting' as verdict from open_item w
        where w.provider = l.provider and w.stage = %3$L and w.side = 'theirs' and w.business_on = l.statement_on
          and w.provider_tid = l.provider_tid and w.cancel_seq = l.cancel_seq and w.load_id = l.load_id
          and w.line_no = l.line_no and w.awaits_on is not null limit 1
      ) w on true
      $view$, 'line_verdict_' || stage, stage || '_line', stage);
  end loop;
end
$do$;

-- Every payment with the outcome of the transaction stage (거래 대사), in the words of the lines' verdicts.
create view payment_verdict as
select p.provider, p.traded_on, p.provider_tid, p.cancel_seq, p.kind, p.amount_won, p.mid,
  case when d.whole and p.import_id <= d.imports_to and (d.mids is null or p.mid = any (d.mids))
       then coalesce(b.kinds, q.outcome, w.verdict, 'matched') else 'not_reconciled' end as verdict
from payment p
left join standing_stage d on d.provider = p.provider and d.stage = 'transaction' and d.business_on = p.traded_on
cross join lateral (
  select string_agg(distinct kind, ',' order by kind) as kinds from break b
  where b.provider = p.provider and b.stage = 'transaction' and b.ours_on = p.traded_on
    and b.provider_tid = p.provider_tid and b.cancel_seq = p.cancel_seq and b.gone_at is null
) b
left join lateral (
  select outcome from pairing q where q.provider = p.provider and q.stage = 'transaction' and q.ours_on = p.traded_on
    and q.provider_tid = p.provider_tid and q.cancel_seq = p.cancel_seq limit 1
) q on true
left join lateral (
  select 'awaiting' as verdict from open_item w where w.provider = p.provider and w.stage = 'transaction'
    and w.side = 'ours' and w.business_on = p.traded_on and w.provider_tid = p.provider_tid
    and w.cancel_seq = p.cancel_seq and w.awaits_on is not null limit 1
) w on true;

-- The days on which the payments of a day were captured: few, and known without reading a hot table.
create view capture_day as
select distinct provider, traded_on, captured_on from capture_total;

-- capture_counterpart, settlement_counterpart: each capture of ours with the line that stands for it, found by the plain
-- key on its own day or, where it was paired otherwise, by the pairing. `distinct on` keeps the join of one day apart
-- from the next, so that only the leaves of the days in question are read, and still lets a single TID through.
do $do$
declare
  stage text;
  facts text;
begin
  foreach stage in array array['capture', 'settlement'] loop
    facts := case stage when 'capture' then 'result, result_code' else 'fee_won, vat_won, net_won, pay_in_on' end;
    execute format($view$
      create view %I as
      select d.provider, d.traded_on, d.captured_on, x.provider_tid, x.cancel_seq, x.amount_won, x.import_id,
        x.statement_on, x.load_id, x.line_no, %s
      from capture_day d
      cross join lateral (
        select distinct on (c.provider_tid, c.cancel_seq) c.provider_tid, c.cancel_seq, c.amount_won, c.import_id,
          l.statement_on, l.load_id, l.line_no, %s
        from (
          select * from capture c where c.provider = d.provider and c.captured_on = d.captured_on
            and c.traded_on = d.traded_on
        ) c
        full join (
          select l.*, s.file_name from %I l join statement s on s.load_id = l.load_id and s.state = 'imported'
          where l.provider = d.provider and l.statement_on = d.captured_on
        ) l on l.provider_tid = c.provider_tid and l.cancel_seq = c.cancel_seq
        where coalesce(c.import_id, 0) > 0 and not exists (
          select from pairing q where q.provider = d.provider and q.stage = %L and q.ours_on = d.captured_on
            and q.provider_tid = c.provider_tid and q.cancel_seq = c.cancel_seq)
        order by c.provider_tid, c.cancel_seq, l.file_name, l.line_no
      ) x
      union all
      select d.provider, d.traded_on, d.captured_on, x.provider_tid, x.cancel_seq, x.amount_won, x.import_id,
        x.statement_on, x.load_id, x.line_no, %2$s
      from capture_day d
      join (select distinct provider, ours_on, theirs_on from pairing where stage = %5$L) t
        on t.provider = d.provider and t.ours_on = d.captured_on
      cross join lateral (
        select distinct on (c.provider_tid, c.cancel_seq) c.provider_tid, c.cancel_seq, c.amount_won, c.import_id,
          l.statement_on, l.load_id, l.line_no, %3$s
        from (
          select q.load_id, q.line_no, c.* from pairing q join capture c on c.provider = q.provider
            and c.captured_on = q.ours_on and c.provider_tid = q.provider_tid and c.cancel_seq = q.cancel_seq
          where q.provider = d.provider and q.stage = %5$L and q.ours_on = d.captured_on and q.theirs_on = t.theirs_on
            and c.traded_on = d.traded_on
        ) c
        full join (
          select l.* from %4$I l where l.provider = d.provider and l.statement_on = t.theirs_on
        ) l on l.load_id = c.load_id and l.line_no = c.line_no
        where coalesce(c.import_id, 0) > 0
        order by c.provider_tid, c.cancel_seq
      ) x
      $view$, stage || '_counterpart', regexp_replace(facts, '(\w+)', 'x.\1', 'g'),
      regexp_replace(facts, '(\w+)', 'l.\1', 'g'), stage || '_line', stage);
  end loop;
end
$do$;

-- 매입. Every payment with what became of its capture: accepted, rejected (매입반송), held (매입보류), released (보류해제),
-- unconfirmed (captured by us, without the provider's word so far), none (not captured). A capture whose payment is not
-- in our books stands here too, without the payment's amount.
create view payment_capture as
select f.provider, f.traded_on, f.provider_tid, f.cancel_seq, f.amount_won, f.captured_on, f.captured_won,
  f.result_code, f.statement_on, f.load_id, f.line_no,
  case when f.captured_on is null then 'none'
       when b.kinds @> '{capture_rejected}' then 'rejected'
       when b.kinds @> '{capture_held}' then 'held'
       when d.imports_to is null or f.import_id > d.imports_to or f.load_id <> all (e.load_ids) then 'unconfirmed'
       when f.result = 'L' then 'released'
       when f.result = 'A' then 'accepted'
       else 'unconfirmed' end as state
from (
  select provider, traded_on, provider_tid, cancel_seq, p.amount_won, f.captured_on, f.amount_won as captured_won,
    f.import_id, f.statement_on, f.load_id, f.line_no, f.result, f.result_code
  from payment p full join capture_counterpart f using (provider, traded_on, provider_tid, cancel_seq)
) f
left join standing_stage d on d.provider = f.provider and d.stage = 'capture' and d.business_on = f.captured_on
left join reconciled_stage e on e.provider = f.provider and e.stage = 'capture' and e.business_on = f.statement_on
cross join lateral (
  select array_agg(kind) as kinds from break b where b.provider = f.provider and b.stage = 'capture'
    and b.ours_on = f.captured_on and b.provider_tid = f.provider_tid and b.cancel_seq = f.cancel_seq
    and b.gone_at is null
) b;

-- 정산. Every payment with what the provider keeps and pays of it: settled, differs (`kinds` says how), held (rejected or
-- held at capture), open (captured and not settled yet), none (not captured). Fee, VAT and net are the statement's.
create view payment_settlement as
select f.provider, f.traded_on, f.provider_tid, f.cancel_seq, f.amount_won, f.captured_on, f.captured_won,
  f.fee_won, f.vat_won, f.net_won, f.pay_in_on, f.statement_on, f.load_id, f.line_no, b.kinds,
  case when f.captured_on is null then 'none'
       when w.held then 'held'
       when b.kinds in ('missing_at_provider', 'unreadable') then 'open'
       when b.kinds is not null then 'differs'
       when d.imports_to is null or f.import_id > d.imports_to or f.load_id <> all (e.load_ids) then 'open'
       when f.line_no is null then 'open'
       else 'settled' end as state
from (
  select provider, traded_on, provider_tid, cancel_seq, p.amount_won, f.captured_on, f.amount_won as captured_won,
    f.import_id, f.statement_on, f.load_id, f.line_no, f.fee_won, f.vat_won, f.net_won, f.pay_in_on
  from payment p full join settlement_counterpart f using (provider, traded_on, provider_tid, cancel_seq)
) f
left join standing_stage d on d.provider = f.provider and d.stage = 'settlement' and d.business_on = f.captured_on
left join reconciled_stage e on e.provider = f.provider and e.stage = 'settlement' and e.business_on = f.statement_on
cross join lateral (
  select string_agg(distinct kind, ',' order by kind) as kinds from break b where b.provider = f.provider
    and b.stage = 'settlement' and b.ours_on = f.captured_on and b.provider_tid = f.provider_tid
    and b.cancel_seq = f.cancel_seq and b.gone_at is null
) b
left join lateral (
  select held from open_item w where w.provider = f.provider and w.stage = 'settlement' and w.side = 'ours'
    and w.business_on = f.captured_on and w.provider_tid = f.provider_tid and w.cancel_seq = f.cancel_seq
    and w.load_id = 0 and w.line_no = 0 limit 1
) w on true;
