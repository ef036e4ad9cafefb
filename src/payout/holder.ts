/** 예금주. Whether the bank's name of a holder is ours: spaces, width of letters and case are the banks' own ways. */
export function sameHolder(theirs: string, ours: string): boolean {
  const plain = (name: string) => name.normalize('NFKC').replace(/\s+/gu, '').toUpperCase();
  return plain(theirs) === plain(ours) && plain(ours) !== '';
}
