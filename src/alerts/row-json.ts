/** A value as the command line writes it: numbers of rows as numbers, instants in ISO 8601. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? Number(each) : each), 2);
}
