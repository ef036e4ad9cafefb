-- Lists are read by pages from the key of the last row on: an index holds the whole key, in one direction.
create index break_page on break (business_on, break_id);
create index break_unresolved_size on break ((coalesce(abs(difference_won), -1)), break_id) where state <> 'resolved';
create index payout_open on payout (payout_id) where state not in ('succeeded', 'rejected', 'cancelled');
create index unsettled_capture_set_aside on unsettled_capture (provider, captured_on, provider_tid, cancel_seq)
  where reason is not null;
create index claim_refund_page on claim_refund (booked_on, event);
