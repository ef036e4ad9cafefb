-- What operators ask for: unresolved breaks, newest day first, of a kind, above an amount, of a person, escalated.
-- Partial, so that history costs nothing: a resolved break leaves every one of them.
create index break_unresolved_day on break (business_on desc, break_id) where state <> 'resolved';
create index break_unresolved_kind on break (kind, business_on desc) where state <> 'resolved';
create index break_unresolved_amount on break (abs(difference_won) desc) where state <> 'resolved';
create index break_unresolved_assigned on break (assigned_to, business_on desc, break_id)
  where state <> 'resolved' and assigned_to is not null;
create index break_unresolved_escalated on break (business_on desc, break_id)
  where state <> 'resolved' and escalated_at is not null;
create index break_investigating on break (business_on desc, break_id) where state = 'investigating';
